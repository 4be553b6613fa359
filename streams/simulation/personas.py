"""Kinds of customer.  Rates are per account and working day unless a name says otherwise."""

from dataclasses import dataclass

FEATURES = (
    "reports",
    "dashboards",
    "exports",
    "search",
    "automation",
    "api",
    "sharing",
    "comments",
    "alerts",
    "imports",
    "mobile",
    "admin",
)
PAGES = ("home", "reports", "settings", "help", "team", "billing", "pricing", "cancel")
PAGE_SHARES = (0.42, 0.26, 0.12, 0.1, 0.06, 0.0377, 0.002, 0.0003)
PRICING, CANCEL = PAGES.index("pricing"), PAGES.index("cancel")
PLANS = ("free", "starter", "team", "business", "enterprise")
SEAT_PRICE = (0.0, 15.0, 25.0, 38.0, 52.0)
"""A month, in US dollars, by plan."""


@dataclass(frozen=True)
class Persona:
    """How one kind of customer lives.  Ranges are (least, most); `mood` is the mean NPS it gives."""

    name: str
    share: float
    plans: tuple[str, ...]
    segment: str
    seats: tuple[int, int]
    used: tuple[float, float]
    usage: float
    tickets: float
    mood: float
    growth: float = 0.0
    season: float = 0.0
    churn_per_year: float = 0.14
    fails: float = 0.02
    touches: float = 0.03
    evaluates: bool = False


PERSONAS = (
    Persona("steady team", 0.37, ("starter", "team", "business"), "smb", (6, 24), (0.6, 0.95), 8, 0.03, 8.2),
    Persona(
        "growing startup",
        0.15,
        ("team", "business"),
        "smb",
        (8, 20),
        (0.75, 0.9),
        9,
        0.04,
        8.8,
        growth=0.004,
        churn_per_year=0.06,
    ),
    Persona(
        "seasonal retailer",
        0.1,
        ("starter", "team"),
        "midmarket",
        (6, 30),
        (0.5, 0.85),
        8,
        0.04,
        7.6,
        season=0.6,
        churn_per_year=0.2,
        fails=0.05,
    ),
    Persona(
        "dormant freemium",
        0.08,
        ("free",),
        "smb",
        (2, 4),
        (0.3, 0.7),
        0.5,
        0.004,
        6.8,
        churn_per_year=0,
    ),
    Persona(
        "enterprise",
        0.1,
        ("business", "enterprise"),
        "enterprise",
        (60, 160),
        (0.65, 0.9),
        24,
        0.09,
        8.0,
        churn_per_year=0.06,
        fails=0.005,
        touches=0.12,
    ),
    Persona(
        "support-heavy",
        0.09,
        ("team", "business"),
        "midmarket",
        (10, 40),
        (0.55, 0.85),
        9,
        0.28,
        5.6,
        churn_per_year=0.4,
        touches=0.08,
    ),
    Persona(
        "evaluator in trial",
        0.11,
        ("team",),
        "smb",
        (5, 10),
        (0.4, 0.8),
        5,
        0.05,
        7.6,
        fails=0.03,
        touches=0.1,
        evaluates=True,
    ),
)
