"""Events as numbers: a table with one row per event, cheap to draw, sort and keep until its time comes."""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streams.simulation.calendars import Ints

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
ROW = np.dtype(
    [("at", "<i8"), ("serial", "<i8"), ("account", "<i4"), ("kind", "<i2")] + [(word, "<i4") for word in "abcd"]
)
"""`at` in epoch milliseconds; `serial` names the event in its world; `a` to `d` mean what the kind says."""
Rows = NDArray[np.void]


class Kind(IntEnum):
    """What happened, and its arguments a to d."""

    TRACKED = 0  # feature, person, count
    VIEWED = 1  # page, person
    LIMIT_REACHED = 2  # seats bought
    INTRODUCED = 3  # seats used, seats bought, renewal day
    SEATS_COUNTED = 4  # seats used, seats bought
    MEMBER_ADDED = 5  # person, role
    MEMBER_REMOVED = 6  # person, role
    TRIAL_STARTED = 7  # seats
    SUBSCRIBED = 8  # seats, renewal day
    CHANGED = 9  # seats, renewal day
    CANCELLED = 10  # reason
    PAID = 11  # seats
    PAYMENT_FAILED = 12  # seats, reason
    OPENED = 13  # ticket's day, ticket's number, priority, channel
    REOPENED = 14  # as OPENED
    RESOLVED = 15  # as OPENED
    BREACHED = 16  # as OPENED
    ANSWERED = 17  # metric, score, person, comment or -1
    IDEA = 18  # person, idea
    REVIEWED = 19  # person, score, comment
    REFERRED = 20  # person
    TOUCHED = 21  # kind, channel
    REFUNDED = 22  # seats


def rows(kind: Kind, at: ArrayLike, account: ArrayLike, *arguments: ArrayLike) -> Rows:
    """Rows of one kind; every argument is an array of the same length or one value for all."""
    moments = np.atleast_1d(np.asarray(at, np.int64))
    table = np.zeros(len(moments), ROW)
    table["at"], table["account"], table["kind"] = moments, account, kind
    for word, argument in zip("abcd", arguments, strict=False):
        table[word] = argument
    return table


def numbered(parts: list[Rows], day: int) -> Rows:
    """One table of a day's rows, each with a serial that no other row of the world has."""
    table = np.concatenate([np.zeros(0, ROW), *parts])
    table["serial"] = (day << 28) + np.arange(len(table))
    return table


def in_order(table: Rows) -> Rows:
    """By time; the serial decides between equals."""
    order: Ints = np.lexsort((table["serial"], table["at"]))
    ordered: Rows = table[order]
    return ordered
