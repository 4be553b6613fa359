"""The benchmarks' made-up traffic and their sums; what they measure is measured by `make bench`."""

import json
from pathlib import Path
from statistics import mean

import pytest
from aiokafka.partitioner import murmur2

from schemas.envelope import read
from tests.benchmarks.figures import Figure, Results
from tests.benchmarks.traffic import PARTITIONS, TOPICS, Message, Span, accounts, events

START = 1_790_000_000.0


def made(seed: int = 1) -> list[Message]:
    return [m for chunk in events(accounts(50), 4_000, Span(START, START + 86_400), seed) for m in chunk]


def test_every_made_up_event_is_one_that_kesher_accepts() -> None:
    for message in made():
        event = read(message.value)
        assert event.subject.encode() == message.key
        assert event.type.removeprefix("kesher.").startswith(TOPICS[message.topic].name.removesuffix("s"))


def test_events_are_shared_out_like_real_traffic() -> None:
    messages = made()
    assert mean(m.topic == 0 for m in messages) == pytest.approx(0.94, abs=0.02)
    assert mean(len(m.value) for m in messages) == pytest.approx(245, abs=10)


def test_events_lie_where_kafkas_own_partitioner_puts_them() -> None:
    for message in made():
        assert message.partition == (murmur2(message.key) & 0x7FFFFFFF) % PARTITIONS


def test_the_same_seed_makes_the_same_bytes() -> None:
    assert made(3) == made(3)
    assert made(3) != made(4)


def test_medians_are_written_beside_their_runs_and_names_measured_earlier_stay(tmp_path: Path) -> None:
    path, ratio, late = tmp_path / "bench.json", Figure("ratio", "times", least=2), Figure("late", "ms", most=5)
    earlier = Results((ratio, late))
    earlier.add({"late": (4.0, "a load")})
    earlier.write(path)
    results = Results((ratio, late))
    for run in (3.0, 1.0, 2.5):
        results.add({"ratio": (run, f"a peer at {run}")})
    results.write(path)

    assert json.loads(path.read_text()) == [
        {"name": "late", "value": 4.0, "unit": "ms", "against": "a load", "runs": [4.0]},
        {"name": "ratio", "value": 2.5, "unit": "times", "against": "a peer at 2.5", "runs": [3.0, 1.0, 2.5]},
    ]


@pytest.mark.parametrize(("value", "reached"), [(2.0, True), (1.9, False)])
def test_a_bound_is_reached_or_not(value: float, *, reached: bool) -> None:
    assert Figure("ratio", "times", least=2).reached(value) is reached
    assert Figure("free", "times").reached(value) is None
