"""Days as customers live them: zones with summer time, weeks from Sunday or from Monday, holidays, hours, seasons."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEEKS = (  # of work, Monday first: how much of a full day each weekday sees
    (1.0, 1.06, 1.05, 1.0, 0.86, 0.06, 0.07),
    (1.03, 1.05, 1.02, 0.9, 0.1, 0.02, 1.0),
)
FROM_MONDAY, FROM_SUNDAY = range(2)
HOLIDAY = 0.08
"""What is left of a working day on a holiday."""
_FIXED = {(1, 1), (12, 25), (12, 26)}
_ISRAEL = frozenset(
    date.fromisoformat(day)
    for day in (
        "2024-04-23",
        "2024-04-29",
        "2024-05-14",
        "2024-06-12",
        "2024-10-03",
        "2024-10-04",
        "2024-10-12",
        "2024-10-17",
        "2024-10-24",
        "2025-04-13",
        "2025-04-19",
        "2025-05-01",
        "2025-06-02",
        "2025-09-23",
        "2025-09-24",
        "2025-10-02",
        "2025-10-07",
        "2025-10-14",
        "2026-04-02",
        "2026-04-08",
        "2026-04-22",
        "2026-05-22",
        "2026-09-12",
        "2026-09-13",
        "2026-09-21",
        "2026-09-26",
        "2026-10-03",
        "2027-04-22",
        "2027-04-28",
        "2027-05-12",
        "2027-06-11",
        "2027-10-02",
        "2027-10-03",
        "2027-10-11",
        "2027-10-16",
        "2027-10-23",
    )
)
"""Days on which Israeli offices are closed, where the table reaches."""
_HOURS = np.array([1, 1, 1, 1, 1, 2, 6, 20, 60, 100, 105, 100, 70, 75, 100, 98, 85, 60, 25, 12, 9, 7, 4, 2], float)
_BY_HOUR = np.concatenate([[0.0], np.cumsum(_HOURS / _HOURS.sum())])


@dataclass(frozen=True)
class Zone:
    """Where an account works: hours east of UTC in winter, and whose rule its summer time follows."""

    name: str
    hours: float
    summer: Literal["eu", "us", "il", "none"]
    currency: str


ZONES = (
    Zone("Asia/Jerusalem", 2, "il", "ILS"),
    Zone("America/New_York", -5, "us", "USD"),
    Zone("America/Los_Angeles", -8, "us", "USD"),
    Zone("Europe/London", 0, "eu", "GBP"),
    Zone("Europe/Berlin", 1, "eu", "EUR"),
    Zone("Asia/Kolkata", 5.5, "none", "USD"),
)
JERUSALEM = 0


def offset_hours(zone: Zone, day: date) -> float:
    """Hours east of UTC on a local day, summer time included."""
    return zone.hours + (zone.summer != "none" and _summer(zone.summer, day))


def _summer(rule: str, day: date) -> bool:
    if rule == "us":
        return _sunday(day.year, 3, 8) <= day < _sunday(day.year, 11, 1)
    last_of_march, last_of_october = _sunday(day.year, 3, 25), _sunday(day.year, 10, 25)
    return last_of_march - timedelta(2 if rule == "il" else 0) <= day < last_of_october


def _sunday(year: int, month: int, first: int) -> date:
    """The first Sunday on or after a day."""
    day = date(year, month, first)
    return day + timedelta((6 - day.weekday()) % 7)


def work(day: date) -> tuple[float, float]:
    """How much of a full day's work is done on a date, where the week begins on Monday and where on Sunday."""
    monday, sunday = (week[day.weekday()] for week in WEEKS)
    return (
        min(monday, HOLIDAY) if (day.month, day.day) in _FIXED else monday,
        min(sunday, HOLIDAY) if day in _ISRAEL else sunday,
    )


def moments(uniform: Floats) -> Ints:
    """Uniform draws -> milliseconds of a local day, crowded into office hours."""
    hours: Floats = np.interp(uniform, _BY_HOUR, np.arange(25.0))
    return (hours * 3_600_000).astype(np.int64)


def season(amplitude: Floats, peak: Floats, day: date) -> Floats:
    """Factor of a day of the year: 1 + amplitude at `peak` (a day of the year), 1 - amplitude half a year away."""
    swing: Floats = np.cos(2 * np.pi * (day.timetuple().tm_yday - peak) / 365.25)
    return 1 + amplitude * swing
