"""Batches out, acknowledged; and the changelog, whose own offsets tell when somebody else has written."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from schemas.errors import Refused, StateConflict, Superseded
from streams.lane.changelog import OWNER, Ledger
from streams.lane.outbox import Message
from streams.scoring.columns import Accounts

Acknowledged = Callable[[int, int], None]
"""Called with (first offset, records) when a batch is stored, in log order."""


class Sent(NamedTuple):
    """A batch under way; the future's `offset` is that of its first record."""

    future: "asyncio.Future[Any]"
    records: int


async def send(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    messages: Sequence[Message],
    stored: Acknowledged | None = None,
) -> list[Sent]:
    """Queue messages for one partition in as few batches as fit."""
    batches: list[Sent] = []

    async def close() -> None:
        count = builder.record_count()
        future = await producer.send_batch(builder, topic, partition=partition)
        if stored is not None:
            future.add_done_callback(lambda done: _store(done, count, stored))
        batches.append(Sent(future, count))

    builder = producer.create_batch()
    for key, value, headers in messages:
        if builder.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
            await close()
            builder = producer.create_batch()
            if builder.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
                size = len(value or b"") + sum(len(content) for _, content in headers)
                raise Refused(f"{key!r}: a record of {size} bytes for {topic} is larger than a produce batch may be")
    await close()
    return batches


async def acknowledged(batches: Sequence[Sent]) -> int:
    """Wait until all are stored -> offset of the last record."""
    await asyncio.gather(*(batch.future for batch in batches))
    future, records = batches[-1]
    first = int(future.result().offset)
    if first < 0:
        raise StateConflict("Kafka stored a batch twice and does not tell where; a fresh worker reads it again")
    return first + records - 1


def _store(future: "asyncio.Future[Any]", count: int, stored: Acknowledged) -> None:
    if not future.cancelled() and future.exception() is None:
        stored(future.result().offset, count)


async def read(bootstrap: str, topic: str, partition: int, start: int, stop: int) -> list[Any]:
    """The records of offsets [start, stop) that still exist."""
    if start >= stop:
        return []
    tp, found = TopicPartition(topic, partition), []
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign([tp])
        consumer.seek(tp, start)
        while await consumer.position(tp) < stop:
            for records in (await consumer.getmany(tp, timeout_ms=1000)).values():
                found += [record for record in records if record.offset < stop]
    return found


class Changelog:
    """Writes to the changelog and watches for other writers.

    The partition has one writer, so its own records lie side by side.  A gap between them is somebody else's: it is
    read and taken in, and if a newer owner is in it, `write` raises Superseded before anything else leaves."""

    def __init__(
        self, topic: str, producer: Callable[[], AIOKafkaProducer], bootstrap: str, accounts: Accounts
    ) -> None:
        self.topic = topic
        self._ready, self._bootstrap, self._accounts = producer, bootstrap, accounts
        self._inspecting = asyncio.Lock()

    @property
    def producer(self) -> AIOKafkaProducer:
        """The started producer."""
        return self._ready()

    async def write(self, ledger: Ledger, messages: Sequence[Message]) -> int:
        """Store messages -> offset of the last one.  Raises Superseded."""
        batches = await send(self.producer, self.topic, ledger.number, messages, ledger.wrote)
        last = await acknowledged(batches)
        await self._inspect(ledger)
        return last

    async def own(self, ledger: Ledger, about: bytes) -> None:
        """Begin a reign: an owner record, whose offset is the generation."""
        owner = await send(self.producer, self.topic, ledger.number, [(OWNER, about, ())])
        ledger.generation = await acknowledged(owner)

    async def tail(self, ledger: Ledger) -> list[Any]:
        """The records whose facts may be owed: those after the last that was told, up to what is applied."""
        if not ledger.deciding:
            return []
        wanted = set(ledger.deciding)
        found = await self.between(ledger.number, ledger.deciding[0], ledger.applied + 1)
        return [record for record in found if record.offset in wanted]

    def between(self, partition: int, start: int, stop: int) -> Awaitable[list[Any]]:
        """The records of offsets [start, stop)."""
        return read(self._bootstrap, self.topic, partition, start, stop)

    async def _inspect(self, ledger: Ledger) -> None:
        async with self._inspecting:
            while ledger.gaps:
                start, stop = ledger.gaps[0]
                records = await self.between(ledger.number, start, stop)
                ledger.fill(start, records, self._accounts)
        if ledger.superseded:
            raise Superseded(
                f"another worker owns partition {ledger.number} of {self.topic} now: its owner record at offset "
                f"{ledger.owner} is newer than ours at {ledger.generation}"
            )
