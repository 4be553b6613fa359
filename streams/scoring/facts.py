"""The bodies of facts, for all accounts of a judgement at once.  NaN stands for unknown and is written as null."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from schemas.events.fact import Account, ChurnRisk, HealthChanged, LifecycleChanged, Upsell
from streams.scoring import reasons
from streams.scoring.compile import BANDS, Model
from streams.scoring.judge import Judged
from streams.scoring.store import Rows, picked
from streams.scoring.texts import snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Snapshot(NamedTuple):
    """An account as it stands: written once for all facts of a decision, and what else is needed of it."""

    written: Account
    """In truth the JSON of one."""
    health: float
    mrr: float | None


def snapshots(judged: Judged, numbers: Ints, score: Floats, pick: Ints) -> list[Snapshot]:
    """The accounts `pick` of the view; `numbers` are the rows' places among all accounts."""
    model, rows = judged.view.model, picked(judged.view.rows, pick)
    columns = zip(
        judged.view.accounts.texts_of(numbers[pick]),
        rows["stage"].tolist(),
        score[pick].tolist(),
        *_gauges(model, rows),
        strict=True,
    )
    out = []
    for texts, stage, health, mrr, renews_at in columns:
        known: dict[str, Any] = {"stage": model.stages[stage], "health": health}
        if mrr is not None:
            known["mrr"] = mrr
        if renews_at is not None:
            known["renews_at"] = renews_at
        out.append(Snapshot(cast("Account", snapshot(texts, known)), health, mrr))
    return out


def _gauges(model: Model, rows: Rows) -> tuple[Sequence[float | None], Sequence[str | None]]:
    """(mrr, renews_at) where the scorecard has such gauges and the account values."""
    found: list[list[Any]] = []
    for name in ("mrr", "renews_at"):
        values: list[Any] = [None] * len(rows)
        if name in model.plan.gauges:
            place = model.plan.gauges[name]
            there = (rows["gauge_at"][:, place] > 0).nonzero()[0]
            column = rows["gauge"][there, place]
            for i, value in zip(
                there.tolist(), spelled(column) if name == "renews_at" else column.tolist(), strict=True
            ):
                values[i] = value
        found.append(values)
    return found[0], found[1]


def spelled(at: Floats) -> list[str]:
    """Epoch seconds -> RFC 3339 in UTC with milliseconds."""
    return [text + "Z" for text in np.datetime_as_string(np.round(at * 1000).astype("M8[ms]"), unit="ms").tolist()]


def health_changes(judged: Judged, score: Floats, moved: Ints, of: Sequence[Snapshot]) -> Iterator[HealthChanged]:
    """For the accounts `moved` of the view; `of` are their snapshots."""
    rows, names = picked(judged.view.rows, moved), judged.view.model.layout.measures
    told = np.where(rows["told_band"] > 0, rows["told_score"].astype(float), np.nan)
    change = np.nan_to_num(score[moved]) - np.nan_to_num(told)
    weights = judged.view.model.plan.weights[judged.now.weighting[moved]] > 0
    known = judged.measured.known[moved]
    columns = zip(
        score[moved].tolist(),
        np.round(told, 2).tolist(),
        rows["band"].tolist(),
        np.round(judged.now.coverage[moved], 3).tolist(),
        np.round(judged.measured.scores[moved], 1).tolist(),
        known.tolist(),
        (weights & ~known).tolist(),
        reasons.of_change(judged.view, judged.measured, judged.now, change, moved),
        of,
        strict=True,
    )
    for now, before, band, coverage, scores, there, absent, why, account in columns:
        yield HealthChanged(
            score=now,
            previous=before,
            band=BANDS[band],
            coverage=coverage,
            measures=dict(compress(zip(names, scores, strict=True), there)),
            reasons=why,
            missing=list(compress(names, absent)),
            account=account.written,
        )


def stage_changes(judged: Judged, moved: Ints, of: Sequence[Snapshot]) -> Iterator[LifecycleChanged]:
    """For the accounts `moved` of the view; `of` are their snapshots."""
    model, rows = judged.view.model, judged.view.rows
    columns = zip(rows["told_stage"][moved].tolist(), rows["stage"][moved].tolist(), of, strict=True)
    for before, stage, account in columns:
        yield LifecycleChanged(
            before=model.stages[before], to=model.stages[stage], because=model.because[stage], account=account.written
        )


def signal_changes(
    judged: Judged, moved: Ints, places: Ints, of: Sequence[Snapshot]
) -> Iterator[tuple[str, ChurnRisk | Upsell]]:
    """(verb, body) of the signals `places` of the accounts `moved` of the view; `of` are the snapshots."""
    rows, model = judged.view.rows, judged.view.model
    signals, watched, when = (
        list(model.card.signals.items()),
        model.plan.watches.measure.tolist(),
        model.plan.watches.when,
    )
    columns = zip(
        places.tolist(),
        rows["levels"][moved, places].tolist(),
        rows["told_levels"][moved, places].tolist(),
        rows["episodes"][moved, places].tolist(),
        ((when[places] >= 0) & judged.holding[moved, when[places]]).tolist(),
        reasons.standing(judged.measured, judged.now, moved),
        of,
        strict=True,
    )
    for place, level, told, episode, holds, standing, account in columns:
        name, signal = signals[place]
        shared: dict[str, Any] = {
            "kind": signal.kind or name,
            "level": (signal.level, *signal.levels)[max(level or told, 1) - 1],
            "score": account.health,
            "reasons": reasons.of_signal(model, signal, watched[place], standing, holds=holds),
            "episode": episode,
            "account": account.written,
        }
        verb = "raised" if not told else "cleared" if not level else "escalated"
        if signal.family == "churn_risk":
            yield verb, ChurnRisk(**shared, mrr_at_risk=account.mrr)
        else:
            share, mrr = signal.potential_share, account.mrr
            yield (
                verb,
                Upsell(**shared, potential=round(mrr * share, 2) if mrr is not None and share is not None else None),
            )
