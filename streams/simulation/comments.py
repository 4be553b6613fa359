"""What people write: `COMMENTS[language][mood]`, language 0 English and 1 Hebrew, mood 0 unhappy to 2 delighted."""

COMMENTS = (
    (
        (
            "The export failed twice this week.",
            "Support took days to answer.",
            "Too slow for our team.",
            "We could not log in during the outage.",
            "I am not sure that we will renew.",
        ),
        ("Does the job.", "Fine, but reports could be faster.", "Good product, a bit expensive.", "No complaints."),
        (
            "My team would not work without it.",
            "Setup took an afternoon. Impressive.",
            "Best support we have had.",
            "It paid for itself in a month.",
            "We are adding seats.",
        ),
    ),
    (
        (
            "הייצוא נכשל פעמיים השבוע.",
            "חיכינו ימים לתשובה מהתמיכה.",
            "איטי מדי לצוות שלנו.",
            "לא הצלחנו להתחבר בזמן התקלה.",
            "לא בטוח שנחדש.",
        ),
        ("עושה את העבודה.", "בסדר, אבל הדוחות יכולים להיות מהירים יותר.", "מוצר טוב, קצת יקר.", "אין תלונות."),
        (
            "הצוות שלי לא היה מסתדר בלי זה.",
            "ההקמה לקחה חצי יום. מרשים.",
            "התמיכה הכי טובה שהייתה לנו.",
            "החזיר את עצמו תוך חודש.",
            "אנחנו מוסיפים משתמשים.",
        ),
    ),
)
IDEAS = (
    ("Please add a dark theme.", "An export to Excel would help.", "Let us schedule reports.", "Single sign-on."),
    ("נשמח למצב כהה.", "ייצוא לאקסל יעזור לנו.", "אפשרו לתזמן דוחות.", "כניסה אחידה, בבקשה."),
)
