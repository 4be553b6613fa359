"""Signals: clear -> pending (beyond enter) -> open (held for the dwell) -> cooling (beyond exit) -> clear.

One open episode per account and signal; it escalates to worse levels and never softens before it clears."""

import numpy as np
from numpy.typing import NDArray

from streams.scoring.compile import CLEAR, COOLING, OPEN, PENDING, Model
from streams.scoring.health import Health
from streams.scoring.instants import EPOCH
from streams.scoring.measures import Measured
from streams.scoring.plan import HEALTH, NONE
from streams.scoring.store import Rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def advance(model: Model, rows: Rows, at: Floats, now: Health, measured: Measured, holding: Flags) -> None:
    """Move `signals`, `signal_since`, `levels` and `episodes` of rows, in place, to the instants `at`."""
    it = model.plan.watches
    value, known = _values(model, now, measured)
    when = holding[:, it.when] | (it.when < 0)
    inside = when & (known & (value <= it.enter) | (it.measure == NONE))
    outside = ~when | (known & (value >= it.exit))
    state, since, now_at = rows["signals"], rows["signal_since"], at[:, None] - EPOCH

    elapsed = np.maximum(now_at - since, 0.0)
    clear = (state == CLEAR) | ((state == COOLING) & (elapsed >= it.cool_down))
    pending = state == PENDING
    starts = clear & inside
    ripe = (pending & (elapsed >= it.dwell)) | (starts & (it.dwell <= 0))
    opens, closes = ripe & inside, (state == OPEN) & outside
    state = np.where(clear | (pending & ~inside), CLEAR, state)
    state[starts] = PENDING
    state[opens], state[closes] = OPEN, COOLING
    rows["signals"] = state
    rows["signal_since"] = np.where(starts | opens | closes, np.ceil(now_at), since)
    rows["episodes"] += opens
    worst = np.maximum(rows["levels"], 1)
    worse = known[:, :, None] & (value[:, :, None] <= it.worse)
    rows["levels"] = np.where(state == OPEN, np.maximum(worst, 1 + worse.sum(axis=2)), 0)


def _values(model: Model, now: Health, measured: Measured) -> tuple[Floats, Flags]:
    """(n, signals) the value each signal watches, its sign turned so that smaller is worse, and whether it counts:
    below the scorecard's coverage nothing alarms."""
    it = model.plan.watches
    measure = np.maximum(it.measure, 0)
    of_health = it.measure == HEALTH
    covered = ((now.coverage >= model.card.min_coverage) & now.known)[:, None]
    value = np.where(of_health, now.score[:, None], measured.scores[:, measure])
    known = (measured.known[:, measure] | of_health) & covered & (it.measure != NONE)
    return value * it.sign, known


__all__ = ["CLEAR", "COOLING", "OPEN", "PENDING", "advance"]
