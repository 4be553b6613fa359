"""Why a score moved: what each measure, cap and change of weighting did to it, in points of health.

A measure's contribution is its share of the mean times how far its score lies from the mean last told, M; its effect
is its contribution now less the one last told.  As shares sum to 1, the effects sum to the change of score; and a bad
answer that arrives counts against health, which `share * score` alone would call a gain."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.events.fact import Reason
from schemas.scorecard import Signal
from streams.scoring.compile import Model
from streams.scoring.health import Health, shared
from streams.scoring.measures import Measured, View
from streams.scoring.store import picked

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOP = 5
STANDING = 3
LEAST = 0.05
"""What moved health by less than this many points is no reason of its own."""


def of_change(view: View, measured: Measured, now: Health, change: Floats, pick: Ints) -> list[list[Reason]]:
    """Reasons of the changes (n,) of health of the accounts `pick`: the strongest measures first, then cap, weighting
    and the remainder, so that the effects sum to the change."""
    effect, weighting = _effects(view, measured, now, pick)
    rows, each = picked(view.rows, pick), np.arange(len(pick))[:, None]
    top = np.argsort(-np.abs(effect), axis=1, kind="stable")[:, :TOP]
    before = np.where((rows["told_band"] > 0)[:, None], rows["told_scores"].astype(float), np.nan)
    after = np.where(measured.known[pick], measured.scores[pick], np.nan)
    effects, weighting = _worth_telling(effect[each, top]), _worth_telling(weighting)
    which = np.where(now.cap[pick] > 0, now.cap[pick], rows["told_cap"])
    cap = np.where(which > 0, _worth_telling(now.cap_points[pick] - rows["told_cap_points"].astype(float)), 0.0)
    rest = _worth_telling(np.round(change, 2) - effects.sum(axis=1) - cap - weighting)
    out = _of_measures(view.model, top, before[each, top], after[each, top], effects)
    for i in cap.nonzero()[0].tolist():
        limit = view.model.card.caps[int(which[i]) - 1]
        to = limit.at if now.cap[pick[i]] else None
        out[i].append(Reason(measure=f"cap:{limit.name}", before=None, to=to, effect=float(cap[i])))
    for name, points in (("weighting", weighting), ("other", rest)):
        for i in points.nonzero()[0].tolist():
            out[i].append(Reason(measure=name, before=None, to=None, effect=float(points[i])))
    return out


def _worth_telling(points: Floats) -> Floats:
    """To two digits, and 0 where it is no reason of its own."""
    rounded: Floats = np.round(points, 2)
    rounded[np.abs(rounded) < LEAST] = 0.0
    return rounded


def _of_measures(model: Model, top: Ints, before: Floats, after: Floats, effects: Floats) -> list[list[Reason]]:
    """(n, TOP) measures, the strongest first, their scores and effects -> a reason for each effect but 0."""
    names = model.layout.measures
    columns = zip(
        (effects != 0).sum(axis=1).tolist(),
        top.tolist(),
        np.round(before, 1).tolist(),
        np.round(after, 1).tolist(),
        effects.tolist(),
        strict=True,
    )
    return [
        [
            Reason(measure=names[place], before=was, to=to, effect=points)
            for place, was, to, points in zip(places[:n], befores, afters, effects, strict=False)
        ]
        for n, places, befores, afters, effects in columns
    ]


def _effects(view: View, measured: Measured, now: Health, pick: Ints) -> tuple[Floats, Floats]:
    """Of the accounts `pick`: (picked, measures) points that each measure moved health since it was last told, and
    (picked,) those of a change of weighting: the mean under the new weights less that under the old ones, both of
    today's measures."""
    rows, scores, shares = picked(view.rows, pick), measured.scores[pick], now.shares[pick]
    told_shares, told_scores = rows["told_shares"].astype(float), np.nan_to_num(rows["told_scores"].astype(float))
    told_mean = (told_shares * told_scores).sum(axis=1)[:, None]
    before = rows["told_weighting"].astype(np.int64) - 1
    changed = (before >= 0) & (before != now.weighting[pick])
    moved = np.zeros(len(pick))
    if changed.any():
        weighting = now.weighting.copy()
        weighting[pick[changed]] = before[changed]
        old = shared(view, measured, weighting)[0][pick]
        moved = ((shares - old) * (scores - told_mean)).sum(axis=1)
        shares = old
    return shares * (scores - told_mean) - told_shares * (told_scores - told_mean), moved


class Standing(NamedTuple):
    """Of one account: (measures,) scores and the points each gives, and the measures that cost most points against a
    perfect score, with those points."""

    scores: list[float]
    gains: list[float]
    worst: list[int]
    costs: list[float]


def standing(measured: Measured, now: Health, pick: Ints) -> Iterator[Standing]:
    """How the accounts `pick` stand."""
    scores, shares = measured.scores[pick], now.shares[pick]
    cost = shares * (scores - 100.0)
    worst = np.argsort(cost, axis=1, kind="stable")[:, :STANDING]
    costs = np.round(np.take_along_axis(cost, worst, 1), 2)
    columns = np.round(scores, 1).tolist(), np.round(shares * scores, 2).tolist(), worst.tolist(), costs.tolist()
    return map(Standing._make, zip(*columns, strict=True))


def of_signal(model: Model, signal: Signal, watched: int, of: Standing, *, holds: bool) -> list[Reason]:
    """Why a signal of one account stands: its indicator, where that is true; for an upsell the measure it watches, with
    the points it gives; for churn risk the measures that cost most points."""
    names = model.layout.measures
    out = [Reason(measure=f"indicator:{signal.when}", before=None, to=None, effect=0.0)] if holds else []
    if signal.family != "upsell":
        return out + [
            Reason(measure=names[place], before=None, to=of.scores[place], effect=points)
            for place, points in zip(of.worst, of.costs, strict=True)
            if points <= -LEAST
        ]
    if watched >= 0:
        out.append(Reason(measure=names[watched], before=None, to=of.scores[watched], effect=of.gains[watched]))
    return out
