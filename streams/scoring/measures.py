"""Rows and an instant -> measure values, scores of 0-100, and which of them are known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.scorecard import Measure
from streams.scoring.columns import Accounts
from streams.scoring.compile import Model
from streams.scoring.decay import DAY, faded, youth
from streams.scoring.distinct import few_count, many_count
from streams.scoring.instants import EPOCH, epoch_of
from streams.scoring.store import Rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """Gathered rows as they stand at the instants `at` (n,): counters decayed to then (n, counters), and the instants
    of the scorecard (n, instants), where 0 means never."""

    model: Model
    accounts: Accounts
    rows: Rows
    at: Floats
    levels: Floats
    instants: Floats

    @classmethod
    def of(cls, model: Model, accounts: Accounts, rows: Rows, at: Floats) -> "View":
        """Reads, never writes."""
        levels = rows["sums"] * model.layout.decay(np.maximum(at - rows["as_of"], 0.0))
        return cls(model, accounts, rows, at, levels, epoch_of(np.concatenate((rows["first"], rows["latest"]), axis=1)))

    def instant(self, name: str | None) -> Floats:
        """(n,) instants; 0 means never."""
        return self.instants[:, self.model.plan.instants[name or ""]]

    def gauge(self, name: str) -> tuple[Floats, Flags]:
        """(n,) values and whether they were ever set."""
        place = self.model.plan.gauges[name]
        return self.rows["gauge"][:, place], self.rows["gauge_at"][:, place] > 0

    def slots(self, name: str) -> tuple[NDArray[np.int64], Rows]:
        """The rows that ever had an entry, and their blocks with `<name>.at`, `.hash`, `.value`."""
        place = self.accounts.places[name]
        block = self.rows["sidecar"][:, place]
        some = block.nonzero()[0]
        return some, self.accounts.pools[place].get(block[some])

    def distinct(self, name: str) -> tuple[Floats, Flags]:
        """(n,) different values in the distinct's days, and whether there ever was one."""
        few, many = self.accounts.places[f"{name}.few"], self.accounts.places[f"{name}.many"]
        today = np.maximum((self.at - EPOCH) // DAY + 1, 0)
        since = np.clip(today - self.model.card.distinct[name].days + 1, 1, 65_535).astype(np.uint16)
        listed, cells = self.rows["sidecar"][:, few], self.rows["sidecar"][:, many]
        count = few_count(self.accounts.pools[few].get(listed)[f"{name}.few"], since).astype(np.float64)
        some = cells.nonzero()[0]
        if len(some):
            count[some] = many_count(self.accounts.pools[many].get(cells[some])[f"{name}.many"], since[some])
        return count, (listed | cells) > 0


class Measured(NamedTuple):
    """(n, measures) scores of 0-100 and which are known."""

    scores: Floats
    known: Flags


def measure(view: View) -> Measured:
    """Every measure of the scorecard; those of a kind together where they are alike."""
    shape = len(view.rows), len(view.model.card.measures)
    values, known = np.zeros(shape), np.zeros(shape, bool)
    for places, kind in (
        (view.model.plan.levels.at, levels),
        (view.model.plan.trends.at, trends),
        (view.model.plan.ages.at, ages),
    ):
        if len(places):
            values[:, places], known[:, places] = kind(view)
    for place, definition in view.model.plan.measures:
        values[:, place], known[:, place] = MEASURES[definition.kind](view, definition)
    return Measured(curve(view.model, values), known)


def curve(model: Model, values: Floats) -> Floats:
    """The piecewise-linear maps of the measures: (n, measures) values -> scores."""
    base, ramps = model.plan.curves
    out = np.empty(values.shape)
    out[:] = base
    for start, slope, rise in ramps:
        step = (values - start) * slope
        np.maximum(step, 0.0, out=step)
        np.minimum(step, 1.0, out=step)
        step *= rise
        out += step
    return out


def levels(view: View) -> tuple[Floats, Flags]:
    """Counters as they stand; known once `known_by` has happened."""
    _, counter, known_by = view.model.plan.levels
    return view.levels[:, counter], view.instants[:, known_by] > 0


def trends(view: View) -> tuple[Floats, Flags]:
    """Short-term over long-term rates, each corrected for the account's youth: 1 is steady."""
    _, short, long, short_half_life, long_half_life, since, min_age = view.model.plan.trends
    begun = view.instants[:, since]
    age = np.maximum(view.at[:, None] - begun, 1.0)
    rate = view.levels[:, short] / (short_half_life * youth(age, short_half_life))
    usual = view.levels[:, long] / (long_half_life * youth(age, long_half_life))
    known = (begun > 0) & (age >= min_age) & (usual > 0)
    return np.divide(rate, usual, out=np.zeros(rate.shape), where=known), known


def ages(view: View) -> tuple[Floats, Flags]:
    """Days since instants."""
    since = view.instants[:, view.model.plan.ages.since]
    return np.maximum(view.at[:, None] - since, 0.0) / DAY, since > 0


def silence(view: View, m: Measure) -> tuple[Floats, Flags]:
    """How likely a customer of this cadence, still alive, is quiet for so long: ((a + t) / (a + t + g))^(r + x), where
    x are the active days after the first in the window, t the days from the first to the last, g those since.

    Gamma-Poisson: Fader, Hardie and Lee, Marketing Science 24(2), 2005, without the drop-out; a = `prior_days`, r =
    `prior_shape` hold the personal cadence to the population's."""
    name = m.silence or ""
    window = view.model.card.distinct[name].days
    bits = view.rows["day_bits"][:, view.model.layout.days.index(name)] & np.uint64((1 << window) - 1)
    last = view.instant(m.latest)
    first = np.maximum(view.instant(m.since), last - window * DAY)
    active = np.maximum(np.bitwise_count(bits).astype(np.float64) - 1.0, 0.0)
    span = m.prior_days + np.maximum(last - first, 0.0) / DAY
    gap = np.maximum(view.at - last, 0.0) / DAY
    return (span / (span + gap)) ** (m.prior_shape + active), last > 0


def ratio(view: View, m: Measure) -> tuple[Floats, Flags]:
    """A gauge, or a number of different values, over a gauge."""
    part, whole = m.ratio or ("", "")
    below, whole_known = view.gauge(whole)
    above, part_known = view.distinct(part) if part in view.model.card.distinct else view.gauge(part)
    known = whole_known & part_known & (below > 0)
    return np.divide(above, below, out=np.zeros(len(below)), where=known), known


def mean(view: View, m: Measure) -> tuple[Floats, Flags]:
    """Mean of the slots' values, each weighing half as much every `half_life`."""
    some, block = view.slots(m.mean or "")
    values, known = np.zeros(len(view.rows)), np.zeros(len(view.rows), bool)
    if len(some):
        there = block[f"{m.mean}.at"]
        weights = faded(view.at[some, None] - there, m.half_life) * (there > 0)
        total = weights.sum(axis=1)
        values[some] = (weights * block[f"{m.mean}.value"]).sum(axis=1) / np.maximum(total, 1e-300)
        known[some] = total > 0
    return values, known


MEASURES: dict[str, Callable[[View, Measure], tuple[Floats, Flags]]] = {
    "silence": silence,
    "ratio": ratio,
    "mean": mean,
}


def indicators(view: View) -> Flags:
    """(n, indicators) what is true at the instants of the view."""
    plan = view.model.plan
    out = np.zeros((len(view.rows), len(view.model.card.indicators)), bool)
    if len(plan.recency.at):
        at, latest, unless, within = plan.recency
        when = view.instants[:, latest]
        ended = (view.instants[:, unless] >= when) & (unless >= 0)
        out[:, at] = (when > 0) & (view.at[:, None] - when <= within) & ~ended
    for place, it in plan.indicators:
        if it.slot is not None:
            some, block = view.slots(it.slot)
            opened = block[f"{it.slot}.at"]
            old = (opened > 0) & (view.at[some, None] - opened > it.older_than)
            out[some, place] = (old & (block[f"{it.slot}.value"] >= it.at_least)).any(axis=1)
        elif it.date is not None:
            date, known = view.gauge(it.date)
            out[:, place] = known & (date >= view.at) & (date - view.at <= (it.within or 0.0))
    return out
