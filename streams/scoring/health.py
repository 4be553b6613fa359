"""Measures -> health: a weighted mean of what is known, capped, with its coverage; and the band it lies in.

health = sum(w f s) / sum(w f) over the known measures, f = 2^(-age / staleness); coverage = sum(w f known) / sum(w)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.scorecard import Weighting
from streams.scoring.compile import Model
from streams.scoring.decay import faded
from streams.scoring.hashes import hashed
from streams.scoring.measures import Measured, View
from streams.scoring.packing import Rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Health(NamedTuple):
    """Of n accounts: health (0-100; meaningless where `known` is false), coverage (0-1), each measure's share of the
    mean (they sum to 1 where anything is known), the cap's points (<= 0), which cap holds (0 none), which weighting."""

    score: Floats
    known: Flags
    coverage: Floats
    shares: Floats
    cap_points: Floats
    cap: Ints
    weighting: Ints


def health(view: View, measured: Measured, holding: Flags) -> Health:
    """`holding` are the indicators (n, indicators)."""
    weighting = weightings(view.model, view.rows)
    shares, coverage = shared(view, measured, weighting)
    mean = (shares * measured.scores).sum(axis=1)
    cap, limit = caps(view.model, mean, holding)
    score = np.clip(np.minimum(mean, limit), 0.0, 100.0)
    return Health(score, coverage > 0, coverage, shares, score - mean, cap, weighting)


def shared(view: View, measured: Measured, weighting: Ints) -> tuple[Floats, Floats]:
    """(n, measures) shares of the mean and (n,) coverage under these weightings."""
    weights = view.model.weights[weighting]
    share = weights * measured.known
    for place, (_, definition) in enumerate(view.model.measures):
        if definition.stale:
            share[:, place] *= faded(view.at - view.instant(definition.stale.since), definition.stale.half_life)
    total = share.sum(axis=1)
    return share / np.maximum(total, 1e-12)[:, None], np.where(total > 1e-12, total / weights.sum(axis=1), 0.0)


def caps(model: Model, mean: Floats, holding: Flags) -> tuple[Ints, Floats]:
    """(n,) the lowest cap that lowers the mean, counted from 1 (0 none), and the limit."""
    names = list(model.card.indicators)
    which, limit = np.zeros(len(mean), np.int64), np.full(len(mean), np.inf)
    for number, cap in enumerate(model.card.caps, 1):
        binds = holding[:, names.index(cap.when)] & (mean > cap.at) & (cap.at < limit)
        which[binds], limit[binds] = number, cap.at
    return which, limit


def weightings(model: Model, rows: Rows) -> Ints:
    """(n,) which weighting fits; of several the greatest priority, and of those the first in the scorecard."""
    out = np.zeros(len(rows), np.int64)
    ranked = sorted(enumerate(model.card.weightings), key=lambda pair: (pair[1].priority, -pair[0]))
    for number, weighting in ranked:
        out[_fits(model, weighting, rows)] = number
    return out


def _fits(model: Model, weighting: Weighting, rows: Rows) -> Flags:
    fits = np.ones(len(rows), bool)
    for category in ("plan", "segment"):
        wanted = getattr(weighting.when, category)
        if wanted:
            fits &= np.isin(rows["category"][:, model.categories[category]], hashed(wanted))
    if weighting.when.stage:
        fits &= np.isin(rows["stage"], [model.stages.index(stage) for stage in weighting.when.stage])
    return fits


def bands(model: Model, band: NDArray[np.uint8], now: Health) -> NDArray[np.uint8]:
    """The nearest band within the margin around the score, so that a score on an edge does not flap: 1 unknown, 2 red,
    3 amber, 4 green."""
    edges = np.array([model.card.bands.amber, model.card.bands.green])
    low = 2 + np.searchsorted(edges, now.score - model.card.bands.margin, side="right")
    high = 2 + np.searchsorted(edges, now.score + model.card.bands.margin, side="right")
    covered = now.known & (now.coverage >= model.card.min_coverage)
    plain = 2 + np.searchsorted(edges, now.score, side="right")
    return np.where(covered, np.where(band < 2, plain, np.clip(band, low, high)), 1).astype(np.uint8)
