"""The four stories: their scripted events, and what there is to watch and when, in English and in Hebrew."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from streams.simulation import cast
from streams.simulation.calendars import ZONES, Ints, offset_hours
from streams.simulation.personas import CANCEL, PRICING
from streams.simulation.population import Population
from streams.simulation.rows import HOUR_MS, Kind, Rows, rows
from streams.simulation.spell import CHAMPION
from streams.simulation.weather import places

URGENT = 3
NPS, CSAT = 0, 1
_TICKET = 9_000_000


class Told(NamedTuple):
    """A text in both languages."""

    english: str
    hebrew: str


class Scene(NamedTuple):
    """An event of a story at a local hour of a day, for each of its accounts; `told` when it is worth announcing."""

    story: str
    day: int
    hour: float
    kind: Kind
    arguments: tuple[int, ...]
    told: Told | None = None


@dataclass(frozen=True)
class Moment:
    """Something to watch at an account; `at` in epoch seconds."""

    at: float
    account: str
    name: str
    told: Told


@dataclass(frozen=True)
class Story:
    """`accounts` are (id, name); the moments are in time order."""

    name: str
    title: Told
    watch: Told
    accounts: list[tuple[str, str]]
    moments: list[Moment]


TITLES = {
    "champion-leaves": Told("The champion leaves", "איש הקשר המוביל עוזב"),
    "growth-surge": Told("A growth surge", "זינוק בצמיחה"),
    "silent-decline": Told("A silent decline", "דעיכה שקטה"),
    "outage-week": Told("An outage week", "שבוע תקלה"),
}
WATCH = {
    "champion-leaves": Told(
        "churn risk `champion_left` at once, then `cancel_page`; use all but stops: `renewal_at_risk` within ten days",
        "סיכון נטישה `champion_left` מיד, אחריו `cancel_page`; השימוש כמעט נפסק: `renewal_at_risk` תוך עשרה ימים",
    ),
    "growth-surge": Told(
        "upsell `seats`, `usage_limit`; `advocacy` once they recommend us; then `growth`; `seats` clears when bought",
        "הזדמנויות `seats`, `usage_limit` ו-`advocacy` ממי שממליץ, ואז `growth`; `seats` נסגרת כשנרכשים רישיונות",
    ),
    "silent-decline": Told(
        "health sinks from green with no complaint at all; after the last visit churn risk `silence`",
        "הבריאות יורדת מירוק בלי אף תלונה; אחרי הביקור האחרון סיכון נטישה `silence`",
    ),
    "outage-week": Told(
        "many accounts at once: support load, detractors, health capped at 40 while an urgent ticket stays open 48 h",
        "חשבונות רבים בבת אחת: עומס פניות, משיבים ביקורתיים, והבריאות מוגבלת ל-40 כל עוד פנייה דחופה פתוחה 48 שעות",
    ),
}
SCENES = (
    Scene(
        "champion-leaves",
        cast.LEAVES,
        10,
        Kind.MEMBER_REMOVED,
        (0, CHAMPION),
        Told("the champion is removed from the account", "איש הקשר המוביל הוסר מהחשבון"),
    ),
    Scene(
        "champion-leaves",
        cast.CANCEL_PAGE,
        11.5,
        Kind.VIEWED,
        (CANCEL, 1),
        Told("someone opens the cancel page", "מישהו פותח את דף הביטול"),
    ),
    Scene("champion-leaves", cast.CANCEL_PAGE, 12, Kind.ANSWERED, (NPS, 3, 1, 4)),
    Scene(
        "growth-surge", cast.FULL, 14, Kind.SEATS_COUNTED, (20, 20), Told("every seat is taken", "כל הרישיונות תפוסים")
    ),
    Scene(
        "growth-surge",
        cast.FULL,
        14.1,
        Kind.LIMIT_REACHED,
        (20,),
        Told("an invitation fails: the seat limit is reached", "הזמנה נכשלת: הגיעו למגבלת הרישיונות"),
    ),
    Scene("growth-surge", cast.FULL + 1, 10.5, Kind.LIMIT_REACHED, (20,)),
    Scene(
        "growth-surge",
        cast.PROMOTES,
        15,
        Kind.ANSWERED,
        (NPS, 10, 2, 4),
        Told("a promoter answers NPS with 10", "ממליץ עונה 10 בסקר NPS"),
    ),
    Scene(
        "growth-surge",
        cast.PROMOTES,
        16,
        Kind.REFERRED,
        (2,),
        Told("and recommends us to another company", "וממליץ עלינו לחברה אחרת"),
    ),
    Scene("growth-surge", cast.PROMOTES + 2, 12, Kind.VIEWED, (PRICING, 1)),
    Scene(
        "growth-surge",
        cast.BUYS,
        11,
        Kind.CHANGED,
        (30,),
        Told("ten more seats are bought", "נרכשו עשרה רישיונות נוספים"),
    ),
    Scene("growth-surge", cast.BUYS, 11.1, Kind.SEATS_COUNTED, (21, 30)),
    Scene(
        "silent-decline",
        cast.STOPS - 1,
        16,
        Kind.TRACKED,
        (0, 0, 1),
        Told("the last visit; from here on only silence", "הביקור האחרון; מכאן והלאה רק שתיקה"),
    ),
    Scene(
        "outage-week",
        cast.OUTAGE[0],
        9.3,
        Kind.OPENED,
        (0, _TICKET, URGENT, 0),
        Told("the cluster fails: urgent tickets, here and elsewhere", "התקלה מתחילה: פניות דחופות, כאן ואצל רבים"),
    ),
    Scene("outage-week", cast.OUTAGE[0], 17.3, Kind.BREACHED, (0, _TICKET, URGENT, 0)),
    Scene(
        "outage-week",
        cast.OUTAGE[1],
        11,
        Kind.ANSWERED,
        (NPS, 2, 0, 3),
        Told("a detractor answers NPS with 2", "משיב ביקורתי עונה 2 בסקר NPS"),
    ),
    Scene(
        "outage-week",
        cast.OUTAGE[-1] + 1,
        10,
        Kind.RESOLVED,
        (0, _TICKET, URGENT, 0),
        Told("the urgent ticket is resolved after three days", "הפנייה הדחופה נסגרה אחרי שלושה ימים"),
    ),
    Scene("outage-week", cast.OUTAGE[-1] + 1, 13, Kind.ANSWERED, (CSAT, 1, 0, 1)),
)


def scripted(people: Population, day: int, midnight: Ints) -> list[Rows]:
    """The rows of the scenes of a day; `day` counts from the stories' Monday, `midnight` is of each account."""
    return [
        rows(scene.kind, midnight[who] + int(scene.hour * HOUR_MS), who, *scene.arguments, *_terms(scene, people, who))
        for scene in SCENES
        if scene.day == day and len(who := places(scene.story, people))
    ] + _filling(people, day, midnight)


def _terms(scene: Scene, people: Population, who: Ints) -> tuple[Ints, ...]:
    """What an account's own contract adds to a scene's arguments."""
    return (people.renews[who],) if scene.kind is Kind.CHANGED else ()


def _filling(people: Population, day: int, midnight: Ints) -> list[Rows]:
    """The surging account's seats, counted every evening until they are full."""
    who = places("growth-surge", people)
    if not cast.SURGES <= day < cast.FULL or not len(who):
        return []
    share = (day - cast.SURGES) / (cast.FULL - cast.SURGES)
    used = (people.used[who] * (people.seats[who] / people.used[who]) ** share).astype(int)
    return [rows(Kind.SEATS_COUNTED, midnight[who] + 17 * HOUR_MS, who, used, people.seats[who])]


def told(people: Population, monday: date) -> list[Story]:
    """Every story, in the order of its first moment; `monday` is the date the stories count from."""
    stories = [_story(name, people, monday) for name in TITLES]
    return sorted((story for story in stories if story.moments), key=lambda story: story.moments[0].at)


def _story(name: str, people: Population, monday: date) -> Story:
    accounts = [(people.ids[who], people.names[who], int(people.zone[who])) for who in places(name, people)]
    moments = [
        Moment(_instant(monday + timedelta(scene.day), scene.hour, zone), account, title, scene.told)
        for scene in SCENES
        for account, title, zone in accounts
        if scene.story == name and scene.told
    ]
    return Story(
        name,
        TITLES[name],
        WATCH[name],
        [(account, title) for account, title, _ in accounts],
        sorted(moments, key=lambda moment: moment.at),
    )


def _instant(day: date, hour: float, zone: int) -> float:
    """A local hour of a day as epoch seconds."""
    return (day - date(1970, 1, 1)).days * 86400 + (hour - offset_hours(ZONES[zone], day)) * 3600
