"""Signals: clear -> pending (beyond enter) -> open (held for the dwell) -> cooling (beyond exit) -> clear.

One open episode per account and signal; it escalates to worse levels and never softens before it clears."""

import numpy as np
from numpy.typing import NDArray

from streams.scoring.compile import CLEAR, COOLING, OPEN, PENDING, Model
from streams.scoring.health import Health
from streams.scoring.measures import Measured
from streams.scoring.packing import Rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def advance(model: Model, rows: Rows, at: Floats, now: Health, measured: Measured, holding: Flags) -> None:
    """Move `signals`, `signal_since`, `levels` and `episodes` of rows, in place, to the instants `at`."""
    it = model.signal_arrays
    value, known = _values(model, now, measured)
    when = np.ones(value.shape, bool)
    named = np.flatnonzero(it["when"] >= 0)
    when[:, named] = holding[:, it["when"][named].astype(np.int64)]
    bare = it["measure"] == -2
    inside = np.where(bare, when, when & known & (value <= it["enter"]))
    outside = np.where(bare, ~when, ~when | (known & (value >= it["exit"])))
    state, since, now_at = rows["signals"], rows["signal_since"], at[:, None]

    cooled = (state == COOLING) & (now_at - since >= it["cool_down"])
    state = np.where(cooled, CLEAR, state)
    starts = (state == CLEAR) & inside
    state, since = np.where(starts, PENDING, state), np.where(starts, now_at, since)
    state = np.where((state == PENDING) & ~inside, CLEAR, state)
    opens = (state == PENDING) & (now_at - since >= it["dwell"])
    closes = (state == OPEN) & outside
    state = np.where(opens, OPEN, np.where(closes, COOLING, state))
    rows["signals"], rows["signal_since"] = state, np.where(opens | closes, now_at, since)
    rows["episodes"] += opens.astype(np.uint16)
    rows["levels"] = _levels(model, rows, state, value, known)


def _values(model: Model, now: Health, measured: Measured) -> tuple[Floats, Flags]:
    """(n, signals) the value each signal watches, its sign turned so that smaller is worse, and whether it counts:
    below the scorecard's coverage nothing alarms."""
    it = model.signal_arrays
    measure = it["measure"].astype(np.int64)
    of_health = measure == -1
    covered = (now.coverage >= model.card.min_coverage) & now.known
    value = np.where(of_health, now.score[:, None], measured.scores[:, np.maximum(measure, 0)])
    known = np.where(of_health, covered[:, None], measured.known[:, np.maximum(measure, 0)] & covered[:, None])
    return value * it["sign"], known


def _levels(model: Model, rows: Rows, state: NDArray[np.int64], value: Floats, known: Flags) -> NDArray[np.uint8]:
    """(n, signals) 0 while not open, else 1 and more: the worst level reached in this episode."""
    level = np.where(state == OPEN, np.maximum(rows["levels"], 1), 0)
    for signal, number, limit in model.levels:
        worse = (state[:, signal] == OPEN) & known[:, signal] & (value[:, signal] <= limit)
        level[:, signal] = np.where(worse, np.maximum(level[:, signal], number), level[:, signal])
    return level.astype(np.uint8)


__all__ = ["CLEAR", "COOLING", "OPEN", "PENDING", "advance"]
