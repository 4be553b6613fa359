"""The order in which everything leaves, and what happens when it cannot."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from schemas.errors import StateConflict, Superseded
from streams.lane.changelog import CHECKPOINT, OWNER, Ledger
from streams.lane.dispatch import Dispatch
from streams.lane.meter import Meter
from streams.lane.outbox import Outbox
from streams.lane.writer import Changelog


class Stored(NamedTuple):
    offset: int


class Record(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    headers: Any = ()


class Batch(list[Any]):
    def append(self, *, key: bytes, value: bytes, timestamp: None, headers: Any) -> bool:  # type: ignore[override]
        super().append((key, value, headers))
        return True

    def record_count(self) -> int:
        return len(self)


class Broker:
    """A broker in memory; `journal` is everything it has stored, in order, as (topic, partition, keys)."""

    def __init__(self) -> None:
        self.journal: list[tuple[str, int, list[bytes]]] = []
        self.ends: dict[tuple[str, int], int] = {}
        self.answers = asyncio.Event()
        self.answers.set()

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Task[Stored]":
        return asyncio.create_task(self._store(batch, topic, partition))

    async def _store(self, batch: Batch, topic: str, partition: int) -> Stored:
        await self.answers.wait()
        self.journal.append((topic, partition, [key for key, _, _ in batch]))
        return Stored(self.push(topic, partition, len(batch)))

    def push(self, topic: str, partition: int, records: int = 1) -> int:
        first = self.ends.get((topic, partition), 0)
        self.ends[topic, partition] = first + records
        return first


class Rows:
    """Accounts with rows that wait to be stored."""

    def __init__(self) -> None:
        self.dirty: dict[int, list[tuple[bytes, bytes]]] = {}

    def unwritten(self) -> list[None]:
        return [None] if self.dirty else []

    def take_dirty(self, _among: None) -> dict[int, list[tuple[bytes, bytes]]]:
        taken, self.dirty = self.dirty, {}
        return taken

    def mark_dirty(self, partition: int, keys: Sequence[bytes]) -> None:
        self.dirty.setdefault(partition, []).extend((key, b"again") for key in keys)

    def apply(self, _partition: int, keys: Sequence[bytes], _values: Any, _floor: int) -> list[bool]:
        return [False for _ in keys]


class Log(Changelog):
    """The changelog whose gaps hold what the test puts there."""

    gap: list[Record] = []  # noqa: RUF012

    async def between(self, _partition: int, start: int, stop: int) -> list[Any]:  # type: ignore[override]
        return [record for record in self.gap if start <= record.offset < stop]


class Fact(NamedTuple):
    topic: str
    id: str
    value: bytes


class Decision(NamedTuple):
    partition: int
    key: bytes
    row: bytes
    facts: list[Fact]


class House:
    """A dispatch with one partition, owned since changelog offset 0."""

    def __init__(self) -> None:
        self.broker, self.rows, self.outbox = Broker(), Rows(), Outbox("t")
        self.log = Log("t.changelog", lambda: self.broker, "", self.rows)  # type: ignore[arg-type, return-value]
        self.dispatch = Dispatch(self.outbox, self.log, self.rows, Meter(), lambda: 0.0)  # type: ignore[arg-type]
        self.ledger = Ledger(0)
        self.ledger.generation = self.ledger.owner = self.ledger.applied = self.broker.push("t.changelog", 0)
        self.dispatch.ledgers[0] = self.ledger
        self.lost: list[int] = []
        self.dispatch.superseded = self._lose

    def _lose(self, partition: int, _error: Superseded) -> None:
        del self.dispatch.ledgers[partition]
        self.lost.append(partition)

    def decide(self, name: str) -> None:
        self.outbox.decide([Decision(0, name.encode(), b"row", [Fact("health", f"{name}-1", b"{}")])])

    async def flush(self) -> None:
        await self.dispatch.flush({0: {0: 7}}, {0: 1.5})


@pytest.fixture
async def house() -> House:
    return House()


async def test_deciding_rows_then_facts_then_other_rows_and_a_checkpoint(house: House) -> None:
    house.decide("a")
    house.rows.dirty = {0: [(b"b", b"row")]}
    await house.flush()

    assert house.broker.journal == [
        ("t.changelog", 0, [b"a"]),
        ("t.health", 0, [b"a"]),
        ("t.changelog", 0, [b"b"]),
        ("t.changelog", 0, [CHECKPOINT]),
    ]
    assert house.ledger.told == 1
    assert (house.ledger.checkpoint.told, house.ledger.checkpoint.positions) == (1, {0: 7})


async def test_a_flush_with_nothing_new_writes_nothing(house: House) -> None:
    await house.flush()
    stored = len(house.broker.journal)
    await house.flush()

    assert len(house.broker.journal) == stored


async def test_what_a_superseded_worker_decided_never_leaves(house: House) -> None:
    """The newer owner's record lies between this worker's own: it is seen before any fact is sent."""
    house.log.gap = [Record(house.broker.push("t.changelog", 0), OWNER, b"{}")]
    house.decide("a")
    await house.dispatch.deliver()

    assert house.lost == [0]
    assert [topic for topic, _, _ in house.broker.journal] == ["t.changelog"]
    assert house.outbox.unsent == 0


async def test_somebody_elses_record_that_is_no_owner_holds_nothing_up(house: House) -> None:
    house.log.gap = [Record(house.broker.push("t.changelog", 0), b"erased", b"")]
    house.decide("a")
    await house.dispatch.deliver()

    assert not house.lost
    assert [topic for topic, _, _ in house.broker.journal] == ["t.changelog", "t.health"]


async def test_a_cancelled_delivery_leaves_again_as_it_was(house: House) -> None:
    house.broker.answers.clear()
    house.decide("a")
    delivery = asyncio.create_task(house.dispatch.deliver())
    await asyncio.sleep(0)
    delivery.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivery
    assert house.outbox.unsent == 1

    house.broker.answers.set()
    house.decide("b")
    await house.dispatch.deliver()
    assert house.broker.journal[-2:] == [("t.changelog", 0, [b"a", b"b"]), ("t.health", 0, [b"a", b"b"])]


async def test_a_cancelled_flush_leaves_its_rows_dirty(house: House) -> None:
    house.broker.answers.clear()
    house.rows.dirty = {0: [(b"b", b"row")]}
    flush = asyncio.create_task(house.flush())
    await asyncio.sleep(0)
    flush.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flush

    assert [key for key, _ in house.rows.dirty[0]] == [b"b"]


async def test_facts_of_a_partition_lost_while_they_were_under_way_are_its_new_owners_to_send(house: House) -> None:
    house.broker.answers.clear()
    house.decide("a")
    delivery = asyncio.create_task(house.dispatch.deliver())
    await asyncio.sleep(0)
    house.dispatch.ledgers[0] = Ledger(0)  # revoked and assigned again meanwhile
    house.broker.answers.set()
    await delivery

    assert [topic for topic, _, _ in house.broker.journal] == ["t.changelog"]


async def test_after_a_failure_nothing_leaves(house: House) -> None:
    house.decide("a")
    house.dispatch.failure = ValueError("in scoring")
    with pytest.raises(StateConflict):
        await house.flush()
    with pytest.raises(StateConflict):
        await house.dispatch.deliver()

    assert house.broker.journal == []
