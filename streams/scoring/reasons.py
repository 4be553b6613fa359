"""Why a score moved: what each measure, cap and change of weighting did to it, in points of health.

A measure's contribution is its share of the mean times how far its score lies from the mean last told, M; its effect
is its contribution now less the one last told.  As shares sum to 1, the effects sum to the change of score; and a bad
answer that arrives counts against health, which `share * score` alone would call a gain."""

from typing import Any, cast

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
    top = np.argsort(-np.abs(effect), axis=1, kind="stable")[:, :TOP]
    rows = picked(view.rows, pick)
    before = np.where((rows["told_band"] > 0)[:, None], rows["told_scores"].astype(float), np.nan)
    after = np.where(measured.known[pick], measured.scores[pick], np.nan)
    effects, froms, tos = (
        _listed(np.take_along_axis(a, top, 1), digits) for a, digits in ((effect, 2), (before, 1), (after, 1))
    )
    cap = now.cap_points[pick] - rows["told_cap_points"].astype(float)
    columns = zip(
        top.tolist(),
        effects,
        froms,
        tos,
        now.cap[pick].tolist(),
        rows["told_cap"].tolist(),
        _listed(cap, 2),
        _listed(weighting, 2),
        _listed(change, 2),
        strict=True,
    )
    return [_reasons(view.model, *column) for column in columns]


def _reasons(
    model: Model,
    places: list[int],
    effects: list[float],
    befores: list[float],
    afters: list[float],
    cap: int,
    told_cap: int,
    cap_effect: float,
    weighting: float,
    change: float,
) -> list[Reason]:
    names = model.layout.measures
    out = [
        Reason(measure=names[place], before=or_none(before), to=or_none(after), effect=effect)
        for place, effect, before, after in zip(places, effects, befores, afters, strict=True)
        if abs(effect) >= LEAST
    ]
    if abs(cap_effect) >= LEAST and (cap or told_cap):
        limit = model.card.caps[(cap or told_cap) - 1]
        out.append(Reason(measure=f"cap:{limit.name}", before=None, to=limit.at if cap else None, effect=cap_effect))
    if abs(weighting) >= LEAST:
        out.append(Reason(measure="weighting", before=None, to=None, effect=weighting))
    rest = round(change - sum([reason.effect for reason in out]), 2)
    if abs(rest) >= LEAST:
        out.append(Reason(measure="other", before=None, to=None, effect=rest))
    return out


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


def of_signal(model: Model, signal: Signal, share: Floats, scores: Floats, indicators: list[str]) -> list[Reason]:
    """Why a signal of one account stands: the indicators that are true; for an upsell the measure it watches, with the
    points it gives; for churn risk the measures that cost most points against a perfect score."""
    if signal.family == "upsell":
        effect = share * scores
        places = [model.layout.measures.index(signal.of)] if signal.of in model.layout.measures else []
    else:
        effect = share * (scores - 100.0)
        places = [place for place in np.argsort(effect, kind="stable")[:STANDING].tolist() if effect[place] <= -LEAST]
    return [Reason(measure=f"indicator:{name}", before=None, to=None, effect=0.0) for name in indicators] + [
        Reason(
            measure=model.layout.measures[place],
            before=None,
            to=round(float(scores[place]), 1),
            effect=round(float(effect[place]), 2),
        )
        for place in places
    ]


def _listed(column: Floats, digits: int) -> list[Any]:
    return cast("list[Any]", np.round(column, digits).tolist())


def or_none(x: float) -> float | None:
    """NaN stands for unknown."""
    return None if x != x else x  # noqa: PLR0124 - NaN stands for unknown
