"""Rows and instants -> everything decided about them: measures, health, band, signals, stage."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.scoring import lifecycle, signals
from streams.scoring.columns import Accounts
from streams.scoring.compile import Model
from streams.scoring.health import Health, bands, health
from streams.scoring.measures import Measured, View, indicators, measure
from streams.scoring.store import Rows


class Judged(NamedTuple):
    """Everything decided about rows at one instant each; `holding` are the indicators (n, indicators)."""

    view: View
    measured: Measured
    holding: NDArray[np.bool_]
    now: Health


def judge(model: Model, accounts: Accounts, rows: Rows, at: NDArray[np.float64]) -> Judged:
    """Score rows at the instants `at` and move band, signals and stage, in place.  Never earlier than judged before,
    so that a late event cannot make anything flap."""
    at = np.maximum(at, rows["judged"])
    view = View.of(model, accounts, rows, at)
    measured, holding = measure(view), indicators(view)
    now = health(view, measured, holding)
    rows["judged"] = at
    rows["band"] = bands(model, rows["band"], now)
    signals.advance(model, rows, at, now, measured, holding)
    lifecycle.advance(view, measured, holding)
    return Judged(view, measured, holding, now)
