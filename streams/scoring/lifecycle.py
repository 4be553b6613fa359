"""Where a customer stands: the last stage all of whose guards hold; forward at once, back only after the dwell."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from schemas.scorecard import Guard
from streams.scoring.measures import Measured, View

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def advance(view: View, measured: Measured, holding: Flags) -> None:
    """Move `stage` and `stage_since` of the view's rows, in place."""
    rows, plan = view.rows, view.model.plan
    lacking = np.empty((len(rows), len(plan.guards)), np.float32)
    for place, guard in enumerate(plan.guards):
        lacking[:, place] = ~GUARDS[guard.kind](view, measured, holding, guard)
    holds = lacking @ plan.needs == 0
    target = holds.shape[1] - 1 - holds[:, ::-1].argmax(axis=1)
    current, since = rows["stage"], rows["stage_since"]
    move = (target > current) | ((target < current) & (view.at - since >= view.model.card.stage_dwell))
    if move.any():
        rows["stage"], rows["stage_since"] = np.where(move, target, current), np.where(move, view.at, since)


def reached(view: View, _measured: Measured, _holding: Flags, guard: Guard) -> Flags:
    """The instant has happened."""
    return view.instant(guard.reached) > 0


def counter(view: View, _measured: Measured, _holding: Flags, guard: Guard) -> Flags:
    """The counter stands at `at_least`."""
    return view.levels[:, view.model.plan.counters[guard.counter or ""]] >= guard.at_least


def of_measure(view: View, measured: Measured, _holding: Flags, guard: Guard) -> Flags:
    """The measure is known and its score at least `at_least`."""
    place = view.model.layout.measures.index(guard.measure or "")
    return measured.known[:, place] & (measured.scores[:, place] >= guard.at_least)


def indicator(view: View, _measured: Measured, holding: Flags, guard: Guard) -> Flags:
    """The indicator holds."""
    return holding[:, list(view.model.card.indicators).index(guard.indicator or "")]


def after(view: View, _measured: Measured, _holding: Flags, guard: Guard) -> Flags:
    """The first instant has happened, and later than the second."""
    one, other = guard.after or ("", "")
    return view.instant(one) > np.maximum(view.instant(other), 0.0)


def recent(view: View, _measured: Measured, _holding: Flags, guard: Guard) -> Flags:
    """The instant lies at most `within` back."""
    when = view.instant(guard.recent)
    return (when > 0) & (view.at - when <= guard.within)


GUARDS: dict[str, Callable[[View, Measured, Flags, Guard], Flags]] = {
    "reached": reached,
    "counter": counter,
    "measure": of_measure,
    "indicator": indicator,
    "after": after,
    "recent": recent,
}
