"""The limit of Python: a loop by hand around aiokafka that counts events per account.

Counts are durable (a changelog, then the offsets), but nothing is recovered and a rebalance would lose what is under
way: less than the scorer promises."""

import asyncio
from time import perf_counter, process_time
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.benchmarks.stage import Task
from tests.benchmarks.traffic import PARTITIONS, accounts

COMMIT_SECONDS = 2.0


class Event(msgspec.Struct):
    """What a counter needs of an event."""

    subject: str
    type: str = ""
    id: str = ""


class Count(msgspec.Struct):
    """One account: its count, its last offset and when that was."""

    n: int = 0
    offset: int = -1
    last: float = 0.0


class Loop:
    """Counts by partition, and which of them changed."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, changelog: str, known: int) -> None:
        self.consumer, self.producer, self.changelog = consumer, producer, changelog
        self.counts: list[dict[bytes, Count]] = [{} for _ in range(PARTITIONS)]
        self.dirty: list[set[bytes]] = [set() for _ in range(PARTITIONS)]
        self.positions: dict[Any, int] = {}
        of = accounts(known)
        for key, partition in zip(of.keys, of.partitions, strict=True):
            self.counts[partition][key] = Count(n=1)

    async def run(self, events: int) -> dict[str, float]:
        """Count so many events."""
        decode, done, began, cpu, stored = msgspec.json.Decoder(Event).decode, 0, 0.0, 0.0, perf_counter()
        while done < events:
            found = await self.consumer.getmany(timeout_ms=500, max_records=5000)
            if found and not done:
                began, cpu = perf_counter(), process_time()
            for tp, records in found.items():
                counts, dirty = self.counts[tp.partition], self.dirty[tp.partition]
                for record in records:
                    key = record.key
                    count = counts.get(key)
                    if count is None:
                        count = counts[key] = Count()
                    decode(record.value)
                    count.n += 1
                    count.offset, count.last = record.offset, record.timestamp / 1000
                    dirty.add(key)
                done += len(records)
                self.positions[tp] = records[-1].offset + 1
            if perf_counter() - stored > COMMIT_SECONDS:
                await self.store()
                stored = perf_counter()
        await self.store()
        return {"events": done, "wall": perf_counter() - began, "cpu": process_time() - cpu}

    async def store(self) -> None:
        """Changelog, then offsets."""
        await asyncio.gather(*map(self._flush, range(PARTITIONS)))
        if self.positions:
            await self.consumer.commit(self.positions)
            self.positions = {}

    async def _flush(self, partition: int) -> None:
        counts, keys = self.counts[partition], list(self.dirty[partition])
        self.dirty[partition].clear()
        encode, sent = msgspec.msgpack.Encoder().encode, []
        batch = self.producer.create_batch()
        for key in keys:
            value = encode(counts[key])
            if batch.append(key=key, value=value, timestamp=None) is None:
                sent.append(await self.producer.send_batch(batch, self.changelog, partition=partition))
                batch = self.producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        if keys:
            sent.append(await self.producer.send_batch(batch, self.changelog, partition=partition))
        await asyncio.gather(*sent)


async def main(task: Task) -> None:
    changelog = f"{task.prefix}-by-hand-counts"
    admin = AIOKafkaAdminClient(bootstrap_servers=task.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(changelog, PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"})])
    await admin.close()
    async with (
        AIOKafkaConsumer(
            *task.topics,
            bootstrap_servers=task.bootstrap,
            group_id=f"{task.prefix}-by-hand",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=8 << 20,
        ) as consumer,
        AIOKafkaProducer(bootstrap_servers=task.bootstrap, max_batch_size=512 << 10, acks="all") as producer,
    ):
        task.tell(**await Loop(consumer, producer, changelog, task.known).run(task.events))


if __name__ == "__main__":
    asyncio.run(main(Task.given()))
