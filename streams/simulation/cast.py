"""The four stories' own accounts, and on which day each turn comes.

Days count from the stories' first Monday; a day is the account's own."""

from dataclasses import dataclass

from streams.simulation.calendars import JERUSALEM

NEW_YORK, LONDON, BERLIN = 1, 3, 4
FADES, STOPS = -24, 3
"""Silent decline: the first day of the fading, and the first day without any use."""
HALVES = 9.0
"""Days in which the declining account's use halves."""
OUTAGE = range(7, 10)
LEAVES, CANCEL_PAGE, RENEWS_AFTER = 1, 3, 40
"""Champion: leaves, someone looks for the cancel page, and the days from leaving to renewal."""
SURGES, FULL, PROMOTES, BUYS = -24, 2, 3, 8
"""Growth: seats begin to fill, are all taken, a promoter answers, more seats are bought."""


@dataclass(frozen=True)
class Role:
    """An account with a part in a story; the fields that are not named here are drawn like anyone's."""

    story: str
    account: str
    name: str
    hebrew: bool
    zone: int
    persona: str
    plan: str
    seats: int
    used: int
    usage: float
    mood: float
    owner: str


CAST = (
    Role(
        "silent-decline",
        "meridian-freight",
        "Meridian Freight",
        False,
        LONDON,
        "steady team",
        "business",
        24,
        21,
        9.0,
        6.6,
        "Amelia Brooks",
    ),
    Role(
        "outage-week",
        "baltic-pay",
        "Baltic Pay",
        False,
        BERLIN,
        "enterprise",
        "enterprise",
        90,
        76,
        26.0,
        8.6,
        "Tom Becker",
    ),
    Role(
        "outage-week",
        "shaked-retail",
        "שקד קמעונאות בע״מ",
        True,
        JERUSALEM,
        "steady team",
        "business",
        30,
        26,
        15.0,
        8.4,
        "נועה לוי",
    ),
    Role(
        "champion-leaves",
        "alon-insurance",
        "אלון ביטוח בע״מ",
        True,
        JERUSALEM,
        "steady team",
        "business",
        30,
        25,
        10.0,
        7.6,
        "יואב פרידמן",
    ),
    Role(
        "growth-surge",
        "pixelpine-studio",
        "Pixelpine Studio",
        False,
        NEW_YORK,
        "steady team",
        "team",
        20,
        9,
        9.0,
        9.6,
        "Grace Lindqvist",
    ),
)
