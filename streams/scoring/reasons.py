"""Why a score moved: what each measure, cap and change of weighting did to it, in points of health.

A measure's contribution is its share of the mean times how far its score lies from the mean last told, M; its effect
is its contribution now less the one last told.  As shares sum to 1, the effects sum to the change of score; and a bad
answer that arrives counts against health, which `share * score` alone would call a gain."""

import numpy as np
from numpy.typing import NDArray

from schemas.events.fact import Reason
from streams.scoring.compile import Model
from streams.scoring.health import Health, shared
from streams.scoring.measures import Measured, View
from streams.scoring.packing import Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOP = 5
LEAST = 0.05
"""A measure that moved health by less than this many points is no reason of its own."""


def effects(view: View, measured: Measured, now: Health) -> tuple[Floats, Floats]:
    """(n, measures) points that each measure moved health since it was last told, and (n,) those of a change of
    weighting: the mean under the new weights less that under the old ones, both of today's measures."""
    rows = view.rows
    told_shares, told_scores = rows["told_shares"].astype(float), np.nan_to_num(rows["told_scores"].astype(float))
    told_mean = (told_shares * told_scores).sum(axis=1)[:, None]
    before = rows["told_weighting"].astype(np.int64) - 1
    changed = (before >= 0) & (before != now.weighting)
    shares, moved = now.shares, np.zeros(len(rows))
    if changed.any():
        old, _ = shared(view, measured, np.where(changed, before, now.weighting))
        moved = ((now.shares - old) * (measured.scores - told_mean)).sum(axis=1) * changed
        shares = np.where(changed[:, None], old, shares)
    return shares * (measured.scores - told_mean) - told_shares * (told_scores - told_mean), moved


def of_change(model: Model, row: Rows, scores: Floats, known: NDArray[np.bool_], effect: Floats, weighting: float,
              cap: int, cap_effect: float, change: float) -> list[Reason]:
    """Reasons of one account's change of health, the strongest first, then cap, weighting and the remainder."""
    out = []
    for place in np.argsort(-np.abs(effect), kind="stable")[:TOP].tolist():
        if abs(effect[place]) >= LEAST:
            before = float(row["told_scores"][place]) if row["told_band"] else np.nan
            out.append(Reason(measure=model.layout.measures[place], before=None if np.isnan(before) else round(before, 1),
                              to=round(float(scores[place]), 1) if known[place] else None,
                              effect=round(float(effect[place]), 2)))
    number = cap or int(row["told_cap"])
    if number and abs(cap_effect) >= LEAST:
        limit = model.card.caps[number - 1]
        out.append(Reason(measure=f"cap:{limit.name}", before=None, to=limit.at if cap else None, effect=round(cap_effect, 2)))
    if abs(weighting) >= LEAST:
        out.append(Reason(measure="weighting", before=None, to=None, effect=round(weighting, 2)))
    rest = round(change - sum(reason.effect for reason in out), 2)
    if abs(rest) >= LEAST:
        out.append(Reason(measure="other", before=None, to=None, effect=rest))
    return out


def of_standing(model: Model, share: Floats, scores: Floats, indicators: list[str]) -> list[Reason]:
    """What holds an account's health down: the indicators that are true, then the measures that cost most points
    against a perfect score."""
    lost = -share * (100.0 - scores)
    return [Reason(measure=f"indicator:{name}", before=None, to=None, effect=0.0) for name in indicators] + [
        Reason(measure=model.layout.measures[place], before=None, to=round(float(scores[place]), 1),
               effect=round(float(lost[place]), 2))
        for place in np.argsort(lost, kind="stable")[:3].tolist() if lost[place] <= -LEAST]
