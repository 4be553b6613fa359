"""What customers, their people and their account managers are called, in English and in Hebrew."""

ENGLISH_FIRST = (
    "Harbor",
    "Cedar",
    "Summit",
    "Bright",
    "Northgate",
    "Silver",
    "Maple",
    "Granite",
    "Beacon",
    "Willow",
    "Atlas",
    "Copper",
    "Juniper",
    "Falcon",
    "Lumen",
    "Orchard",
    "Pioneer",
    "Quarry",
    "Redwood",
    "Sable",
    "Tidewater",
    "Umber",
    "Vantage",
    "Westbrook",
    "Yarrow",
    "Zephyr",
    "Amber",
    "Birch",
    "Coral",
    "Delta",
    "Ember",
    "Foxglove",
    "Glacier",
    "Hazel",
    "Indigo",
    "Jasper",
    "Keystone",
    "Larkspur",
    "Mosaic",
    "Nimbus",
    "Opal",
    "Prairie",
    "Quill",
    "Ridge",
    "Sparrow",
    "Thistle",
    "Upland",
    "Violet",
)
ENGLISH_SECOND = (
    "Analytics",
    "Logistics",
    "Health",
    "Retail",
    "Software",
    "Foods",
    "Energy",
    "Media",
    "Robotics",
    "Insurance",
    "Textiles",
    "Mobility",
    "Payments",
    "Education",
    "Biotech",
    "Hotels",
    "Printing",
    "Security",
    "Gardens",
    "Studios",
)
HEBREW_FIRST = (
    ("כרמל", "carmel"),
    ("גליל", "galil"),
    ("שרון", "sharon"),
    ("ארז", "erez"),
    ("תמר", "tamar"),
    ("רימון", "rimon"),
    ("שקד", "shaked"),
    ("אורן", "oren"),
    ("יובל", "yuval"),
    ("נחל", "nahal"),
    ("מעיין", "maayan"),
    ("דקל", "dekel"),
    ("הדס", "hadas"),
    ("זית", "zayit"),
    ("שחר", "shahar"),
    ("רעות", "reut"),
    ("מגדל", "migdal"),
    ("אופק", "ofek"),
    ("גולן", "golan"),
    ("נגב", "negev"),
    ("ערבה", "arava"),
    ("ים", "yam"),
    ("לוטם", "lotem"),
    ("ברוש", "brosh"),
)
HEBREW_SECOND = (
    ("מערכות", "systems"),
    ("תוכנה", "software"),
    ("לוגיסטיקה", "logistics"),
    ("מזון", "foods"),
    ("ביטוח", "insurance"),
    ("רפואה", "medical"),
    ("תקשורת", "telecom"),
    ("אנרגיה", "energy"),
    ("נדל״ן", "estates"),
    ("דפוס", "print"),
    ("תיירות", "travel"),
    ("חינוך", "learning"),
    ("אופנה", "fashion"),
    ("הנדסה", "engineering"),
    ("פיננסים", "finance"),
)
PEOPLE = (
    "dana",
    "omer",
    "maya",
    "james",
    "noa",
    "sofia",
    "itay",
    "grace",
    "yael",
    "lucas",
    "tamar",
    "emma",
    "amit",
    "oliver",
    "shira",
    "hannah",
    "eitan",
    "priya",
    "ronit",
    "daniel",
    "michal",
    "ben",
    "lior",
    "chloe",
    "gal",
    "marco",
    "adi",
    "karen",
    "nadav",
    "ines",
)
ENGLISH_OWNERS = ("Amelia Brooks", "Daniel Ortiz", "Priya Raman", "Tom Becker", "Grace Lindqvist", "Marcus Hale")
HEBREW_OWNERS = ("נועה לוי", "יואב פרידמן", "שירה מזרחי", "איתן ברק", "מיכל אברהמי")
OWNERS = (*ENGLISH_OWNERS, *HEBREW_OWNERS)


def english_name(pick: int) -> tuple[str, str]:
    """(name, slug) of a company, from a non-negative integer."""
    first = ENGLISH_FIRST[pick % len(ENGLISH_FIRST)]
    second = ENGLISH_SECOND[pick // len(ENGLISH_FIRST) % len(ENGLISH_SECOND)]
    return f"{first} {second}", f"{first}-{second}".lower()


def hebrew_name(pick: int) -> tuple[str, str]:
    """(name, slug) of an Israeli company, from a non-negative integer."""
    first, latin = HEBREW_FIRST[pick % len(HEBREW_FIRST)]
    second, sound = HEBREW_SECOND[pick // len(HEBREW_FIRST) % len(HEBREW_SECOND)]
    limited = " בע״מ" if pick % 3 == 0 else ""
    return f"{first} {second}{limited}", f"{latin}-{sound}"


def person(account: str, number: int) -> str:
    """The user id of an account's `number`-th person."""
    return f"{PEOPLE[number % len(PEOPLE)]}{number}@{account}.example"
