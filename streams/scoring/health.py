"""Measures -> health: a weighted mean of what is known, capped, with its coverage; and the band it lies in.

health = sum(w f s) / sum(w f) over the known measures, f = 2^(-age / staleness); coverage = sum(w f known) / sum(w)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.scoring.compile import Model
from streams.scoring.decay import faded
from streams.scoring.measures import Measured, View
from streams.scoring.store import Rows

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
    score = np.minimum(np.maximum(np.minimum(mean, limit), 0.0), 100.0)
    return Health(score, coverage > 0, coverage, shares, score - mean, cap, weighting)


def shared(view: View, measured: Measured, weighting: Ints) -> tuple[Floats, Floats]:
    """(n, measures) shares of the mean and (n,) coverage under these weightings."""
    weights = view.model.plan.weights.take(weighting, axis=0)
    share = weights * measured.known
    for place, since, half_life in view.model.plan.stale:
        share[:, place] *= faded(view.at - view.instants[:, since], half_life)
    total = share.sum(axis=1)
    coverage = total / weights.sum(axis=1)
    coverage[total <= 1e-12] = 0.0
    share /= np.maximum(total, 1e-12)[:, None]
    return share, coverage


def caps(model: Model, mean: Floats, holding: Flags) -> tuple[Ints, Floats]:
    """(n,) the lowest cap that lowers the mean, counted from 1 (0 none), and the limit."""
    which, limit = np.zeros(len(mean), np.int64), np.full(len(mean), np.inf)
    for number, indicator, at in model.plan.caps:
        binds = holding[:, indicator] & (mean > at) & (at < limit)
        which[binds], limit[binds] = number, at
    return which, limit


def weightings(model: Model, rows: Rows) -> Ints:
    """(n,) which weighting fits; of several the greatest priority, and of those the first in the scorecard."""
    out = np.zeros(len(rows), np.int64)
    for number, categories, stages in model.plan.choices:
        fits = np.ones(len(rows), bool) if stages is None else stages[rows["stage"]]
        for place, wanted in categories:
            column = rows["category"][:, place]
            fits &= np.logical_or.reduce([column == text for text in wanted])
        out[fits] = number
    return out


def bands(model: Model, band: NDArray[np.uint8], now: Health) -> NDArray[np.uint8]:
    """The nearest band within the margin around the score, so that a score on an edge does not flap: 1 unknown, 2 red,
    3 amber, 4 green."""
    amber, green, margin = model.card.bands.amber, model.card.bands.green, model.card.bands.margin
    low, plain, high = (
        2 + (score >= amber) + (score >= green).astype(np.int64)
        for score in (now.score - margin, now.score, now.score + margin)
    )
    covered = now.known & (now.coverage >= model.card.min_coverage)
    return np.where(covered, np.where(band < 2, plain, np.minimum(np.maximum(band, low), high)), 1).astype(np.uint8)
