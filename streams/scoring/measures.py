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
from streams.scoring.distinct import distinct_count
from streams.scoring.instants import EPOCH
from streams.scoring.packing import Rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """Gathered rows as they stand at the instants `at` (n,), with their counters decayed to then."""

    model: Model
    accounts: Accounts
    rows: Rows
    at: Floats
    levels: Floats

    @classmethod
    def of(cls, model: Model, accounts: Accounts, rows: Rows, at: Floats) -> "View":
        """Reads, never writes."""
        return cls(model, accounts, rows, at, rows["sums"] * model.layout.decay(np.maximum(at - rows["as_of"], 0.0)))

    def instant(self, name: str) -> Floats:
        """(n,) instants; 0 means never."""
        column, place = self.model.instant(name)
        return self.rows[column][:, place]

    def counter(self, name: str) -> Floats:
        """(n,) decayed sums."""
        return self.levels[:, list(self.model.card.counters).index(name)]

    def gauge(self, name: str) -> tuple[Floats, Flags]:
        """(n,) values and whether they were ever set."""
        place = self.model.layout.gauges.index(name)
        return self.rows["gauge"][:, place], self.rows["gauge_at"][:, place] > 0

    def slots(self, name: str) -> tuple[NDArray[np.int64], Rows]:
        """The rows that ever had an entry, and their blocks with `<name>.at`, `.hash`, `.value`."""
        place = self.model.layout.sidecar(name)
        some = np.flatnonzero(self.rows["sidecar"][:, place])
        return some, self.accounts.blocks(place, self.rows[some])

    def distinct(self, name: str) -> tuple[Floats, Flags]:
        """(n,) different values in the distinct's days, and whether there ever was one."""
        cells = self.accounts.blocks(self.model.layout.sidecar(name), self.rows)[name]
        today = np.maximum((self.at - EPOCH) // DAY + 1, 0).astype(np.int64)
        return distinct_count(cells, today - self.model.card.distinct[name].days + 1), cells.max(axis=1) > 0


class Measured(NamedTuple):
    """(n, measures) scores of 0-100 and which are known."""

    scores: Floats
    known: Flags


def measure(view: View) -> Measured:
    """Every measure of the scorecard."""
    values, known = np.zeros((2, len(view.rows), len(view.model.measures)))
    for place, (_, definition) in enumerate(view.model.measures):
        values[:, place], known[:, place] = MEASURES[definition.kind](view, definition)
    return Measured(curve(view.model, values), known > 0)


def curve(model: Model, values: Floats) -> Floats:
    """The piecewise-linear maps of the measures: (n, measures) values -> scores."""
    base, ramps = model.curves
    out = np.broadcast_to(base, values.shape).copy()
    for start, slope, rise in ramps:
        out += np.clip((values - start) * slope, 0.0, 1.0) * rise
    return out


def level(view: View, m: Measure) -> tuple[Floats, Flags]:
    """A counter as it stands; known once `known_by` has happened."""
    return view.counter(m.level or ""), view.instant(m.known_by or "") > 0


def trend(view: View, m: Measure) -> tuple[Floats, Flags]:
    """Short-term over long-term rate, each corrected for the account's youth: 1 is steady."""
    short, long = m.trend or ("", "")
    since = view.instant(m.since or "")
    age = np.maximum(view.at - since, 1.0)
    half_lives = view.model.card.counters
    rate = view.counter(short) / (half_lives[short].half_life * youth(age, half_lives[short].half_life))
    usual = view.counter(long) / (half_lives[long].half_life * youth(age, half_lives[long].half_life))
    known = (since > 0) & (age >= m.min_age) & (usual > 0)
    return np.where(known, rate / np.where(usual > 0, usual, 1.0), 0.0), known


def age(view: View, m: Measure) -> tuple[Floats, Flags]:
    """Days since an instant."""
    since = view.instant(m.age or "")
    return np.maximum(view.at - since, 0.0) / DAY, since > 0


def silence(view: View, m: Measure) -> tuple[Floats, Flags]:
    """How likely a customer of this cadence, still alive, is quiet for so long: ((a + t) / (a + t + g))^(r + x), where
    x are the active days after the first in the window, t the days from the first to the last, g those since.

    Gamma-Poisson: Fader, Hardie and Lee, Marketing Science 24(2), 2005, without the drop-out; a = `prior_days`, r =
    `prior_shape` hold the personal cadence to the population's."""
    name = m.silence or ""
    place = view.model.layout.days.index(name)
    window = view.model.card.distinct[name].days
    bits = view.rows["day_bits"][:, place] & np.uint64((1 << window) - 1)
    last = view.instant(m.latest or "")
    first = np.maximum(view.instant(m.since or ""), last - window * DAY)
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
    return np.where(known, above / np.where(below > 0, below, 1.0), 0.0), known


def mean(view: View, m: Measure) -> tuple[Floats, Flags]:
    """Mean of the slots' values, each weighing half as much every `half_life`."""
    some, block = view.slots(m.mean or "")
    there = block[f"{m.mean}.at"] > 0
    weights = faded(view.at[some, None] - block[f"{m.mean}.at"], m.half_life) * there
    total = weights.sum(axis=1)
    values, known = np.zeros(len(view.rows)), np.zeros(len(view.rows), bool)
    values[some] = (weights * block[f"{m.mean}.value"]).sum(axis=1) / np.maximum(total, 1e-300)
    known[some] = total > 0
    return values, known


MEASURES: dict[str, Callable[[View, Measure], tuple[Floats, Flags]]] = {
    "level": level,
    "trend": trend,
    "age": age,
    "silence": silence,
    "ratio": ratio,
    "mean": mean,
}


def indicators(view: View) -> Flags:
    """(n, indicators) what is true at the instants of the view."""
    out = np.zeros((len(view.rows), len(view.model.card.indicators)), bool)
    for place, it in enumerate(view.model.card.indicators.values()):
        if it.slot is not None:
            some, block = view.slots(it.slot)
            old = view.at[some, None] - block[f"{it.slot}.at"] > it.older_than
            out[some, place] = ((block[f"{it.slot}.at"] > 0) & (block[f"{it.slot}.value"] >= it.at_least) & old).any(
                axis=1
            )
        elif it.date is not None:
            date, known = view.gauge(it.date)
            out[:, place] = known & (date >= view.at) & (date - view.at <= (it.within or 0.0))
        else:
            when = view.instant(it.latest or "")
            later = view.instant(it.unless) >= when if it.unless else np.zeros(len(when), bool)
            out[:, place] = (when > 0) & (view.at - when <= (it.within or 0.0)) & ~later
    return out
