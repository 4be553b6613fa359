"""Rows judged at an instant -> facts: whatever now differs from what was last told."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas import topics
from schemas.envelope import encode, spelled
from schemas.events.fact import Account, ChurnRisk, HealthChanged, LifecycleChanged, Upsell
from schemas.events.fact import Fact as Body
from streams.scoring import lifecycle, reasons, signals
from streams.scoring.columns import Accounts
from streams.scoring.compile import BANDS, Model
from streams.scoring.health import Health, bands, health
from streams.scoring.measures import Measured, View, indicators, measure
from streams.scoring.packing import Rows
from streams.scoring.texts import snapshot

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
SOURCE = "kesher/scorer"
FAMILIES = {"churn_risk": topics.CHURN_RISK.name, "upsell": topics.UPSELL.name}


class Fact(NamedTuple):
    """What leaves: the topic without prefix, the id, and the CloudEvent as JSON."""

    topic: str
    id: str
    value: bytes


class Judged(NamedTuple):
    """Everything decided about rows at one instant each."""

    view: View
    measured: Measured
    holding: Flags
    now: Health


def judge(model: Model, accounts: Accounts, rows: Rows, at: Floats) -> Judged:
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


def tell(judged: Judged, numbers: NDArray[np.int64], causes: Sequence[str]) -> list[tuple[int, list[Fact]]]:
    """[(position in the view, facts)] of the rows where something differs from what was told; they now count as told.
    `numbers` are the rows' places among the accounts, `causes` one per row."""
    view, rows, now = judged.view, judged.view.rows, judged.now
    score = np.where(now.known, np.round(now.score, 2), np.nan)
    of_health = _health_moved(view.model, rows, score)
    levels = rows["levels"] != rows["told_levels"]
    pick = np.flatnonzero(of_health | (rows["stage"] != rows["told_stage"]) | levels.any(axis=1))
    if not len(pick):
        return []
    teller = _Teller(judged, numbers, score, *reasons.effects(view, judged.measured, now))
    out = [(i, teller.facts(i, causes[i], health=bool(of_health[i]))) for i in pick.tolist()]
    _mark_told(judged, pick, np.flatnonzero(of_health), score)
    return out


def _health_moved(model: Model, rows: Rows, score: Floats) -> Flags:
    """Seen first, another band, or a step or more; while coverage is too low only the first two."""
    told = rows["told_score"].astype(float)
    moved = (np.abs(score - told) >= model.card.step) | (np.isnan(score) != np.isnan(told))
    return (rows["told_band"] == 0) | (rows["band"] != rows["told_band"]) | (moved & (rows["band"] > 1))


def _mark_told(judged: Judged, told: NDArray[np.int64], of_health: NDArray[np.int64], score: Floats) -> None:
    rows, now = judged.view.rows, judged.now
    rows["told_stage"][told], rows["told_levels"][told] = rows["stage"][told], rows["levels"][told]
    rows["told_band"][of_health], rows["told_score"][of_health] = rows["band"][of_health], score[of_health]
    known = judged.measured.known[of_health]
    rows["told_scores"][of_health] = np.where(known, judged.measured.scores[of_health], np.nan)
    rows["told_shares"][of_health] = now.shares[of_health]
    rows["told_cap_points"][of_health], rows["told_cap"][of_health] = now.cap_points[of_health], now.cap[of_health]
    rows["told_weighting"][of_health] = now.weighting[of_health] + 1


class _Teller:
    """Writes the facts of one judgement."""

    def __init__(self, judged: Judged, numbers: NDArray[np.int64], score: Floats, effect: Floats, weighting: Floats) -> None:
        self._it, self._numbers, self._score = judged, numbers, score
        self._effect, self._weighting = effect, weighting
        self._model, self._accounts, self._rows = judged.view.model, judged.view.accounts, judged.view.rows
        gauges = self._model.layout.gauges
        self._mrr = gauges.index("mrr") if "mrr" in gauges else None
        self._renews = gauges.index("renews_at") if "renews_at" in gauges else None
        self._version = f"{self._model.card.name}@{self._model.card.version}"

    def facts(self, i: int, cause: str, *, health: bool) -> list[Fact]:
        """Of the account at position i of the view, in the order health, lifecycle, signals."""
        row = self._rows[i]
        account = self._account(i, row)
        out = [self._fact(i, "health", "kesher.health.changed", cause, self._health(i, row, account))] if health else []
        if row["stage"] != row["told_stage"]:
            out.append(self._fact(i, "lifecycle", "kesher.lifecycle.changed", cause, self._lifecycle(row, account)))
        for place in np.flatnonzero(row["levels"] != row["told_levels"]).tolist():
            out.append(self._signal(i, row, place, cause, account))
        return out

    def _fact(self, i: int, kind: str, type_: str, cause: str, data: HealthChanged | LifecycleChanged | ChurnRisk | Upsell,
              topic: str = "") -> Fact:
        rows = self._rows
        rows["sequence"][i] += 1
        sequence, generation = int(rows["sequence"][i]), int(self._accounts.generation[rows["partition"][i]])
        account = (self._accounts.keys[int(self._numbers[i])] or b"").decode()
        name = f"{kind}:{account}:{generation}:{sequence}"
        body = Body(id=name, source=SOURCE, type=type_, subject=account, time=spelled(float(rows["judged"][i])),
                    sequence=sequence, generation=generation, cause=cause, scorecard=self._version, data=data)  # type: ignore[arg-type]
        return Fact(topic or kind, name, encode(body))

    def _account(self, i: int, row: Rows) -> Account:
        health = None if np.isnan(self._score[i]) else float(self._score[i])
        mrr = float(row["gauge"][self._mrr]) if self._mrr is not None and row["gauge_at"][self._mrr] else None
        renews = float(row["gauge"][self._renews]) if self._renews is not None and row["gauge_at"][self._renews] else None
        return snapshot(self._accounts.texts.get(int(self._numbers[i]), b""), stage=self._model.stages[row["stage"]],
                        health=health, mrr=mrr, renews_at=None if renews is None else spelled(renews))

    def _health(self, i: int, row: Rows, account: Account) -> HealthChanged:
        names, known, scores = self._model.layout.measures, self._it.measured.known[i], self._it.measured.scores[i]
        first = not row["told_band"]
        before = None if first or np.isnan(row["told_score"]) else round(float(row["told_score"]), 2)
        change = (account.health or 0.0) - (before or 0.0)
        why = reasons.of_change(self._model, row, scores, known, self._effect[i], float(self._weighting[i]),
                                int(self._it.now.cap[i]), float(self._it.now.cap_points[i] - row["told_cap_points"]), change)
        return HealthChanged(
            score=account.health, previous=before, band=BANDS[row["band"]],  # type: ignore[arg-type]
            coverage=round(float(self._it.now.coverage[i]), 3), account=account, reasons=why,
            measures={name: round(s, 1) for name, s, k in zip(names, scores.tolist(), known.tolist(), strict=True) if k},
            missing=[name for name, k, w in zip(names, known.tolist(), self._model.weights[self._it.now.weighting[i]], strict=True)
                     if w and not k])

    def _lifecycle(self, row: Rows, account: Account) -> LifecycleChanged:
        stage = self._model.card.stages[row["stage"]]
        return LifecycleChanged(before=self._model.stages[row["told_stage"]], to=stage.name,
                                because=[lifecycle.because(guard) for guard in stage.when], account=account)

    def _signal(self, i: int, row: Rows, place: int, cause: str, account: Account) -> Fact:
        name, signal = list(self._model.card.signals.items())[place]
        level, told = int(row["levels"][place]), int(row["told_levels"][place])
        verb = "raised" if not told else "cleared" if not level else "escalated"
        word = (signal.level, *signal.levels)[max(level or told, 1) - 1]
        shared = {"kind": signal.kind or name, "level": word, "score": account.health, "account": account,
                  "episode": int(row["episodes"][place]), "reasons": self._standing(i, signal.when)}
        if signal.family == "churn_risk":
            data: ChurnRisk | Upsell = ChurnRisk(**shared, mrr_at_risk=account.mrr)  # type: ignore[arg-type]
        else:
            share = signal.potential_share
            worth = round(account.mrr * share, 2) if account.mrr is not None and share is not None else None
            data = Upsell(**shared, potential=worth)  # type: ignore[arg-type]
        return self._fact(i, f"{signal.family}.{name}", f"kesher.{signal.family}.{verb}", cause, data, FAMILIES[signal.family])

    def _standing(self, i: int, when: str | None) -> list[reasons.Reason]:
        names = list(self._model.card.indicators)
        held = [when] if when and self._it.holding[i, names.index(when)] else []
        return reasons.of_standing(self._model, self._it.now.shares[i], self._it.measured.scores[i], held)
