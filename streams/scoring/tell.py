"""Judged rows -> facts: whatever now differs from what was last told, once."""

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas import topics
from schemas.envelope import encode
from schemas.events.fact import Account, Cause, ChurnRisk, HealthChanged, LifecycleChanged, Upsell
from schemas.events.fact import Fact as Body
from streams.scoring import reasons
from streams.scoring.compile import BANDS, Model
from streams.scoring.judge import Judged
from streams.scoring.store import Rows, picked
from streams.scoring.texts import snapshot

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
SOURCE = "kesher/scorer"
FAMILIES = {"churn_risk": topics.CHURN_RISK.name, "upsell": topics.UPSELL.name}


class Fact(NamedTuple):
    """What leaves: the topic without prefix, the id, and the CloudEvent as JSON."""

    topic: str
    id: str
    value: bytes


def tell(judged: Judged, numbers: Ints, causes: Sequence[Cause]) -> list[tuple[int, list[Fact]]]:
    """[(position in the view, facts)] of the rows where something differs from what was told; they now count as told.
    `numbers` are the rows' places among the accounts, `causes` one per row."""
    rows, now = judged.view.rows, judged.now
    score = np.where(now.known, np.round(now.score, 2), np.nan)
    of_health = _health_moved(judged.view.model, rows, score)
    of_stage, of_signal = rows["stage"] != rows["told_stage"], rows["levels"] != rows["told_levels"]
    pick = np.flatnonzero(of_health | of_stage | of_signal.any(axis=1))
    if not len(pick):
        return []
    moved = np.flatnonzero(of_health)
    speakers = dict(zip(pick.tolist(), _speakers(judged, numbers, score, pick, causes), strict=True))
    facts: dict[int, list[Fact]] = {i: [] for i in speakers}
    for i, data in zip(moved.tolist(), _health_facts(judged, score, moved, speakers), strict=True):
        facts[i].append(speakers[i].say("health", "kesher.health.changed", data))
    for i in np.flatnonzero(of_stage).tolist():
        stage = _stage_fact(judged, i, speakers[i].account)
        facts[i].append(speakers[i].say("lifecycle", "kesher.lifecycle.changed", stage))
    for i, place in np.argwhere(of_signal).tolist():
        facts[i].append(_signal_fact(judged, i, place, speakers[i]))
    rows["sequence"][pick] = [speaker.sequence for speaker in speakers.values()]
    _mark_told(judged, pick, moved, score)
    return list(facts.items())


def _health_moved(model: Model, rows: Rows, score: Floats) -> Flags:
    """Seen first, another band, or a step or more; while coverage is too low only the first two."""
    told = rows["told_score"].astype(float)
    moved = (np.abs(score - told) >= model.card.step) | (np.isnan(score) != np.isnan(told))
    tells: Flags = (rows["told_band"] == 0) | (rows["band"] != rows["told_band"]) | (moved & (rows["band"] > 1))
    return tells


def _mark_told(judged: Judged, told: Ints, of_health: Ints, score: Floats) -> None:
    rows, now = judged.view.rows, judged.now
    rows["told_stage"][told], rows["told_levels"][told] = rows["stage"][told], rows["levels"][told]
    rows["told_band"][of_health], rows["told_score"][of_health] = rows["band"][of_health], score[of_health]
    known = judged.measured.known[of_health]
    rows["told_scores"][of_health] = np.where(known, judged.measured.scores[of_health], np.nan)
    rows["told_shares"][of_health] = now.shares[of_health]
    rows["told_cap_points"][of_health], rows["told_cap"][of_health] = now.cap_points[of_health], now.cap[of_health]
    rows["told_weighting"][of_health] = now.weighting[of_health] + 1


class _Speaker:
    """Writes the facts of one account's decision, each with the next sequence number."""

    def __init__(
        self, key: str, generation: int, sequence: int, time: str, cause: Cause, version: str, account: Account
    ) -> None:
        self.account, self.sequence = account, sequence
        self._key, self._generation, self._time, self._cause, self._version = key, generation, time, cause, version

    def say(self, kind: str, type_: str, data: Any, topic: str = "") -> Fact:
        """One fact; the topic is the kind where none is named."""
        self.sequence += 1
        name = f"{kind}:{self._key}:{self._generation}:{self.sequence}"
        body = Body(
            id=name,
            source=SOURCE,
            type=type_,
            subject=self._key,
            time=self._time,
            sequence=self.sequence,
            generation=self._generation,
            cause=self._cause,
            scorecard=self._version,
            data=data,
        )
        return Fact(topic or kind, name, encode(body))


def _speakers(judged: Judged, numbers: Ints, score: Floats, pick: Ints, causes: Sequence[Cause]) -> list[_Speaker]:
    view, rows = judged.view, picked(judged.view.rows, pick)
    accounts, card = view.accounts, view.model.card
    version = f"{card.name}@{card.version}"
    generations = accounts.generation[rows["partition"]].tolist()
    columns = zip(
        accounts.keys_of(numbers[pick]),
        numbers[pick].tolist(),
        generations,
        rows["sequence"].tolist(),
        _spelled(rows["judged"]),
        rows["stage"].tolist(),
        score[pick].tolist(),
        _gauge(view.model, rows, "mrr"),
        [_spelled(np.array([x]))[0] if x is not None else None for x in _gauge(view.model, rows, "renews_at")],
        pick.tolist(),
        strict=True,
    )
    return [
        _Speaker(
            key.decode(),
            generation,
            sequence,
            time,
            causes[i],
            version,
            snapshot(
                accounts.texts[number],
                stage=view.model.stages[stage],
                health=reasons.or_none(health),
                mrr=mrr,
                renews_at=renews,
            ),
        )
        for key, number, generation, sequence, time, stage, health, mrr, renews, i in columns
    ]


def _gauge(model: Model, rows: Rows, name: str) -> list[float | None]:
    """The gauge of this name, where the scorecard has one and the account a value."""
    if name not in model.layout.gauges:
        return [None] * len(rows)
    place = model.layout.gauges.index(name)
    return [
        value if at else None
        for value, at in zip(rows["gauge"][:, place].tolist(), rows["gauge_at"][:, place].tolist(), strict=True)
    ]


def _spelled(at: Floats) -> list[str]:
    """Epoch seconds -> RFC 3339 in UTC with milliseconds."""
    return [text + "Z" for text in np.datetime_as_string(np.round(at * 1000).astype("M8[ms]"), unit="ms").tolist()]


def _health_facts(judged: Judged, score: Floats, moved: Ints, speakers: Mapping[int, _Speaker]) -> list[HealthChanged]:
    rows, names = picked(judged.view.rows, moved), judged.view.model.layout.measures
    told = np.where(rows["told_band"] > 0, rows["told_score"].astype(float), np.nan)
    change = np.nan_to_num(score[moved]) - np.nan_to_num(told)
    weights = judged.view.model.plan.weights[judged.now.weighting[moved]] > 0
    known = judged.measured.known[moved]
    columns = zip(
        moved.tolist(),
        score[moved].tolist(),
        np.round(told, 2).tolist(),
        rows["band"].tolist(),
        np.round(judged.now.coverage[moved], 3).tolist(),
        np.round(judged.measured.scores[moved], 1).tolist(),
        known.tolist(),
        (weights & ~known).tolist(),
        reasons.of_change(judged.view, judged.measured, judged.now, change, moved),
        strict=True,
    )
    return [
        HealthChanged(
            score=reasons.or_none(now),
            previous=reasons.or_none(before),
            band=BANDS[band],
            coverage=coverage,
            measures=dict(compress(zip(names, scores, strict=True), there)),
            reasons=why,
            missing=list(compress(names, absent)),
            account=speakers[i].account,
        )
        for i, now, before, band, coverage, scores, there, absent, why in columns
    ]


def _stage_fact(judged: Judged, i: int, account: Account) -> LifecycleChanged:
    model, row = judged.view.model, judged.view.rows[i]
    stage = int(row["stage"])
    return LifecycleChanged(
        before=model.stages[row["told_stage"]], to=model.stages[stage], because=model.because[stage], account=account
    )


def _signal_fact(judged: Judged, i: int, place: int, speaker: _Speaker) -> Fact:
    model, row = judged.view.model, judged.view.rows[i]
    name, signal = list(model.card.signals.items())[place]
    level, told = int(row["levels"][place]), int(row["told_levels"][place])
    verb = "raised" if not told else "cleared" if not level else "escalated"
    names, when = list(model.card.indicators), signal.when
    held = [when] if when and judged.holding[i, names.index(when)] else []
    account = speaker.account
    shared = {
        "kind": signal.kind or name,
        "level": (signal.level, *signal.levels)[max(level or told, 1) - 1],
        "score": account.health,
        "account": account,
        "episode": int(row["episodes"][place]),
        "reasons": reasons.of_signal(model, signal, judged.now.shares[i], judged.measured.scores[i], held),
    }
    if signal.family == "churn_risk":
        data: ChurnRisk | Upsell = ChurnRisk(**shared, mrr_at_risk=account.mrr)  # type: ignore[arg-type]
    else:
        share = signal.potential_share
        worth = round(account.mrr * share, 2) if account.mrr is not None and share is not None else None
        data = Upsell(**shared, potential=worth)  # type: ignore[arg-type]
    return speaker.say(f"{signal.family}.{name}", f"kesher.{signal.family}.{verb}", data, FAMILIES[signal.family])
