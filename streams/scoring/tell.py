"""Judged rows -> facts: whatever now differs from what was last told, once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas import topics
from schemas.envelope import encode
from schemas.events.fact import Cause
from schemas.events.fact import Fact as Body
from streams.scoring import facts
from streams.scoring.compile import Model
from streams.scoring.judge import Judged
from streams.scoring.store import Rows

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


class Untold(NamedTuple):
    """(n,) health to two digits; (n,) and (n, signals) where health, stage and signals differ from what was told."""

    score: Floats
    health: Flags
    stage: Flags
    signals: Flags

    @property
    def any(self) -> Flags:
        """(n,) where anything does."""
        return self.health | self.stage | self.signals.any(axis=1)


def untold(judged: Judged) -> Untold:
    """What would be told."""
    rows, now = judged.view.rows, judged.now
    score = np.where(now.known, np.round(now.score, 2), np.nan)
    health = _health_moved(judged.view.model, rows, score)
    return Untold(score, health, rows["stage"] != rows["told_stage"], rows["levels"] != rows["told_levels"])


def tell(judged: Judged, numbers: Ints, causes: Sequence[Cause]) -> list[tuple[int, list[Fact]]]:
    """[(position in the view, facts)] of the rows where something differs from what was told; they now count as told.
    `numbers` are the rows' places among the accounts, `causes` one per row."""
    rows, found = judged.view.rows, untold(judged)
    pick = found.any.nonzero()[0]
    if not len(pick):
        return []
    speakers = _speakers(judged, numbers, found.score, pick, causes)
    of_health, of_stage = found.health.nonzero()[0], found.stage.nonzero()[0]
    at, places = found.signals.nonzero()

    def told_of(moved: Ints) -> tuple[list[_Speaker], list[facts.Snapshot]]:
        mine = [speakers[i] for i in np.searchsorted(pick, moved).tolist()]
        return mine, [speaker.account for speaker in mine]

    mine, accounts = told_of(of_health)
    for speaker, change in zip(mine, facts.health_changes(judged, found.score, of_health, accounts), strict=True):
        speaker.say("health", "health", "kesher.health.changed", change)
    mine, accounts = told_of(of_stage)
    for speaker, stage in zip(mine, facts.stage_changes(judged, of_stage, accounts), strict=True):
        speaker.say("lifecycle", "lifecycle", "kesher.lifecycle.changed", stage)
    mine, accounts = told_of(at)
    signals = list(judged.view.model.card.signals.items())
    for speaker, place, (verb, body) in zip(
        mine, places.tolist(), facts.signal_changes(judged, at, places, accounts), strict=True
    ):
        name, signal = signals[place]
        speaker.say(FAMILIES[signal.family], f"{signal.family}.{name}", f"kesher.{signal.family}.{verb}", body)
    rows["sequence"][pick] = [speaker.sequence for speaker in speakers]
    _mark_told(judged, pick, of_health, found.score)
    return [(i, speaker.facts) for i, speaker in zip(pick.tolist(), speakers, strict=True)]


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

    __slots__ = ("_cause", "_generation", "_key", "_time", "_version", "account", "facts", "sequence")

    def __init__(
        self, key: str, generation: int, sequence: int, time: str, cause: Cause, version: str, account: facts.Snapshot
    ) -> None:
        self.account, self.sequence = account, sequence
        self.facts: list[Fact] = []
        self._key, self._generation, self._time, self._cause, self._version = key, generation, time, cause, version

    def say(self, topic: str, kind: str, type_: str, data: Any) -> None:
        """One fact more."""
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
        self.facts.append(Fact(topic, name, encode(body)))


def _speakers(judged: Judged, numbers: Ints, score: Floats, pick: Ints, causes: Sequence[Cause]) -> list[_Speaker]:
    view, rows = judged.view, judged.view.rows
    card = view.model.card
    version = f"{card.name}@{card.version}"
    columns = zip(
        view.accounts.keys_of(numbers[pick]),
        view.accounts.generation[rows["partition"][pick]].tolist(),
        rows["sequence"][pick].tolist(),
        facts.spelled(rows["judged"][pick]),
        [causes[i] for i in pick.tolist()],
        facts.snapshots(judged, numbers, score, pick),
        strict=True,
    )
    return [
        _Speaker(key.decode(), generation, sequence, time, cause, version, account)
        for key, generation, sequence, time, cause, account in columns
    ]
