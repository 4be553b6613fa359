"""The default scorecard over the simulated customers: few enough signals to mean something, and quiet weekends."""

from collections import Counter, defaultdict
from datetime import date
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from schemas.scorecard_file import load
from schemas.topics import SOURCES
from services.scorer.scorecard import DEFAULT
from streams.scoring.engine import Decision, Engine, Slice
from streams.simulation.spell import RATES
from streams.simulation.world import World, events
from tests.histories import Record

WORLD = World(accounts=200, seed=1, start=date(2026, 8, 27))
QUARTERS = 4 * 75
"""Six-hour steps that are watched."""
TOPICS = [topic.name for topic in SOURCES]
BEFORE = range(-14, 0)
"""Days before the stories' Monday."""


class Seen(NamedTuple):
    """At the end of a step: bands (n,) of 1-4, days with use of the last 56 (n,), and the accounts with an open signal
    of each family."""

    bands: np.ndarray[Any, Any]
    active: np.ndarray[Any, Any]
    open: dict[str, int]


@pytest.fixture(scope="module")
def watched() -> list[Seen]:
    """One per step from the first on; rows keep their places."""
    engine = Engine(load(DEFAULT), 1, rates=RATES, clamp=False)
    steps: dict[int, list[tuple[float, str, bytes, bytes]]] = defaultdict(list)
    for record in events(WORLD, QUARTERS // 4):
        steps[int((record[0] - WORLD.instant(0)) // 21_600)].append(record)
    standing: dict[tuple[str, str], set[str]] = defaultdict(set)
    offsets: Counter[str] = Counter()
    seen = []
    for step in range(QUARTERS):
        note(standing, feed(engine, steps[step], offsets))
        note(standing, engine.sweep(WORLD.instant((step + 1) / 4), 0, engine.accounts.size))
        families = Counter(family for family, _ in (key for key, kinds in standing.items() if kinds))
        rows = engine.accounts.rows[: engine.accounts.size]
        active = np.bitwise_count(rows["day_bits"][:, 0] & np.uint64((1 << 56) - 1))
        seen.append(Seen(rows["band"].copy(), active, dict(families)))
    return seen


def feed(engine: Engine, records: list[tuple[float, str, bytes, bytes]], offsets: Counter[str]) -> list[Decision]:
    """Let the engine absorb records, each at the next offset of its topic."""
    slices: dict[str, list[Record]] = defaultdict(list)
    for at, topic, key, value in records:
        slices[topic].append(Record(key, offsets[topic], int(at * 1000), value))
        offsets[topic] += 1
    batch = engine.read([Slice(TOPICS.index(topic), 0, each) for topic, each in slices.items()]).batch
    return engine.absorb(batch) if batch is not None else []


def note(standing: dict[tuple[str, str], set[str]], decisions: list[Decision]) -> None:
    """Keep (family, account) -> kinds open in step with the facts."""
    for fact in (fact for decision in decisions for fact in decision.facts):
        told = msgspec.json.decode(fact.value)
        _, family, verb = told["type"].split(".")
        if verb in ("raised", "escalated"):
            standing[family, told["subject"]].add(told["data"]["kind"])
        elif verb == "cleared":
            standing[family, told["subject"]].discard(told["data"]["kind"])


def on(watched: list[Seen], day: float) -> Seen:
    """As it stands on a day, counted from the stories' Monday, in UTC."""
    return watched[round((WORLD.monday + day) * 4) - 1]


@pytest.mark.parametrize(("family", "least", "most"), [("upsell", 0.05, 0.12), ("churn_risk", 0.05, 0.1)])
def test_few_enough_accounts_have_an_open_signal_to_mean_something(
    watched: list[Seen], family: str, least: float, most: float
) -> None:
    shares = [on(watched, day).open[family] / len(on(watched, day).bands) for day in BEFORE]

    assert least <= np.median(shares) <= most


@pytest.mark.parametrize("thursday", [-25, -18, -11, -4])
def test_a_weekend_costs_no_team_that_works_every_day_its_band(watched: list[Seen], thursday: int) -> None:
    """From before either kind of weekend until Tuesday evening: lower between and back again, for no other reason."""
    (before, active, _), (after, *_) = on(watched, thursday + 0.75), on(watched, thursday + 5.75)
    lowest = np.min([on(watched, thursday + step / 4).bands[: len(before)] for step in range(4, 23)], axis=0)
    daily = active > 0.55 * min(56, WORLD.monday + thursday)
    dipped = (lowest < before) & (after[: len(before)] >= before)

    assert daily.sum() > 100
    assert not (dipped & daily).any()
