"""Tickets from opening to the last answer: all of it is drawn on the day they are opened."""

import numpy as np

from streams.simulation.calendars import Floats, Ints
from streams.simulation.day import Day
from streams.simulation.rows import HOUR_MS, Kind, Rows, rows
from streams.simulation.spell import CHANNELS, METRICS

_SHARES = np.array([0.3, 0.5, 0.2])
"""Of low, normal and high among those that are not urgent."""
_MEDIAN_HOURS = np.array([40.0, 20.0, 8.0, 4.0])
_PROMISED_HOURS = np.array([120.0, 60.0, 20.0, 8.0])
_LONGEST_HOURS = 190.0
_REOPENED, _ANSWERED = 0.06, 0.35
_CHANNELS = np.cumsum([0.45, 0.25, 0.1, 0.08, 0.06, 0.03, 0.03])
_CSAT = METRICS.index("csat")


def tickets(day: Day) -> list[Rows]:
    """Opened, breached, resolved, sometimes reopened and resolved again, sometimes answered with a CSAT."""
    rate = np.where(day.living, day.people.tickets * day.worked + day.weather.tickets, 0.0)
    who = np.repeat(np.arange(len(rate)), day.chance.poisson(rate))
    many = len(who)
    at, priority, hours = day.when(who), _priority(day, who), np.zeros(many)
    hours = np.minimum(_LONGEST_HOURS, _MEDIAN_HOURS[priority] * np.exp(0.8 * day.chance.standard_normal(many)))
    channel = np.minimum(np.searchsorted(_CHANNELS, day.chance.random(many)), len(CHANNELS) - 1)
    said = (day.number, np.arange(many), priority, channel)
    late = hours > _PROMISED_HOURS[priority]
    again = day.chance.random(many) < _REOPENED
    solved = at + _ms(hours)
    return [
        rows(Kind.OPENED, at, who, *said),
        _some(rows(Kind.BREACHED, at + _ms(_PROMISED_HOURS[priority]), who, *said), late),
        rows(Kind.RESOLVED, solved, who, *said),
        _some(rows(Kind.REOPENED, solved + 5 * HOUR_MS, who, *said), again),
        _some(rows(Kind.RESOLVED, solved + 22 * HOUR_MS, who, *said), again),
        _answers(day, who, solved + np.where(again, 24, 2) * HOUR_MS, late | again),
    ]


def _priority(day: Day, who: Ints) -> Ints:
    urgent = day.chance.random(len(who)) < day.weather.urgent[who]
    other = np.searchsorted(np.cumsum(_SHARES)[:-1], day.chance.random(len(who)))
    return np.where(urgent, 3, other)


def _answers(day: Day, who: Ints, at: Ints, poorly: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Rows:
    mood = (day.people.mood + 0.6 * day.weather.mood)[who] - 3.0 * poorly + 1.5 * day.chance.standard_normal(len(who))
    score = np.round(1 + 0.4 * np.clip(mood + 0.8, 0, 10)).astype(np.int64)
    comment = np.where(day.chance.random(len(who)) < 0.4, day.below(60, len(who)), -1)
    answered = day.chance.random(len(who)) < _ANSWERED
    return _some(rows(Kind.ANSWERED, at, who, _CSAT, score, day.person(who), comment), answered)


def _some(table: Rows, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Rows:
    kept: Rows = table[chosen]
    return kept


def _ms(hours: Floats) -> Ints:
    return (hours * HOUR_MS).astype(np.int64)
