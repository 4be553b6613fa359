"""The loop: poll, fold, write, again.  Where a partition goes on is read from Postgres, never from Kafka's group.

Whatever goes wrong, the answer is the same: forget the positions, read them from Postgres, seek there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from schemas.errors import RetryLater, StateConflict, Superseded
from schemas.topics import FACTS, FEEDBACK, PROFILES, PURCHASES, SUPPORT, TOUCHPOINTS
from services.adapters.clock import monotonic
from services.adapters.kafka import consumer
from services.adapters.postgres import AWAY, UNMIGRATED, UNSTORABLE
from services.adapters.topics import topic_ids
from services.projector.batch import Place, Record, fold
from services.projector.meters import Meters
from services.projector.upsert import Move, Position, apply, positions
from services.projector.waiting import wait
from services.settings import Settings

log = structlog.get_logger(__name__)

TOPICS = (*FACTS, PURCHASES, SUPPORT, FEEDBACK, TOUCHPOINTS, PROFILES)
"""All but usage, which is too much for a table and stays in Kafka."""
MOST_RECORDS = 5_000
POLL = timedelta(milliseconds=250)
PAUSE = timedelta(seconds=1)
CHECK_SECONDS = 15.0


class Projector:
    """One member of the group.  `trouble` says why nothing can be projected just now, None when it can."""

    def __init__(
        self,
        settings: Settings,
        pool: "asyncpg.Pool[Any]",
        meters: Meters,
        now: Callable[[], float],
        group: str = "projector",
    ) -> None:
        self.trouble: str | None = "not yet in the group"
        self._group = f"{settings.prefix}.{group}"
        self._settings = settings
        self._pool = pool
        self._meters = meters
        self._now = now
        self._names = [topic.full(settings.prefix) for topic in TOPICS]
        self._positions: dict[Place, Position] | None = None
        self._writing = asyncio.Lock()
        self._checked = monotonic()

    async def run(self, stopping: asyncio.Event) -> None:
        """Project until told to stop; outages are waited out.  StateConflict: these are not the topics projected."""
        while not stopping.is_set():
            try:
                await self._take_part(stopping)
            except Superseded as error:
                self._meters.conflicts.inc()
                self._excuse(str(error))
            except UNMIGRATED as error:
                self._excuse(f"the database lacks tables ({error}): run `kesher migrate`")
            except AWAY as error:
                self._excuse(f"Postgres does not answer: {error!r}")
            except (KafkaError, RetryLater) as error:
                self._excuse(f"Kafka: {error}")
            else:
                continue
            await wait(PAUSE, stopping)

    def _excuse(self, why: str) -> None:
        self.trouble = why
        log.warning("nothing is projected; trying again", why=why)

    async def _take_part(self, stopping: asyncio.Event) -> None:
        """Join the group and work until told to stop."""
        self._positions = None
        await self._topic_ids()
        client = consumer(self._settings, "projector", group=self._group)
        client.subscribe(self._names, listener=_Rebalance(self))
        try:
            await client.start()
            while not stopping.is_set():
                await self._step(client)
        finally:
            await client.stop()

    async def pause(self) -> None:
        """Finish the batch under way; positions must be read again before the next."""
        async with self._writing:
            self._positions = None

    async def _step(self, client: AIOKafkaConsumer) -> None:
        if self._positions is None:
            await self._place(client)
        placed = self._positions
        polled = await client.getmany(timeout_ms=POLL // timedelta(milliseconds=1), max_records=MOST_RECORDS)
        async with self._writing:
            if placed is None or self._positions is not placed:
                return  # a rebalance came between; what was polled will be polled again
            if any(records[0].offset < placed[_place(tp)].next_offset for tp, records in polled.items()):
                self._positions = None  # Kafka rewound us: see what became of the topic
                return
            records = [record for of_partition in polled.values() for record in of_partition]
            if records:
                await self._write(records, placed)
        if monotonic() - self._checked > CHECK_SECONDS:
            await self._check(client, placed)

    async def _place(self, client: AIOKafkaConsumer) -> None:
        """Seek every assigned partition to where Postgres says."""
        placed: dict[Place, Position] = {}
        self._positions = placed
        assigned = client.assignment()
        if not assigned:
            return
        ids = await self._topic_ids()
        known = await positions(self._pool, map(_place, assigned), ids)
        refuse_other_topics(known, ids)
        firsts, ends = await client.beginning_offsets(assigned), await client.end_offsets(assigned)
        refuse_lost_records(known, {_place(tp): end for tp, end in ends.items()})
        if self._positions is not placed:
            return  # another rebalance meanwhile
        for tp in assigned:
            position = known[_place(tp)]
            if firsts[tp] > position.next_offset > 0:
                lost = firsts[tp] - position.next_offset
                log.error(
                    "Kafka deleted records before they were projected",
                    topic=tp.topic,
                    partition=tp.partition,
                    lost=lost,
                )
            client.seek(tp, max(firsts[tp], position.next_offset))
        placed.update(known)
        self.trouble = None

    async def _topic_ids(self) -> dict[str, str]:
        ids = await topic_ids(self._settings.kafka_bootstrap_servers, self._names)
        missing = [name for name in self._names if name not in ids]
        if missing:
            raise RetryLater(f"there is no topic {', '.join(missing)}: run `kesher topics`", PAUSE)
        return ids

    async def _check(self, client: AIOKafkaConsumer, placed: Mapping[Place, Position]) -> None:
        """Once in a while: whether these are still the same topics, and how many records wait."""
        self._checked = monotonic()
        refuse_other_topics(placed, await self._topic_ids())
        lag = dict.fromkeys(self._names, 0)
        for topic, partition in placed:
            end = client.highwater(TopicPartition(topic, partition))
            lag[topic] += max(0, (end or 0) - placed[topic, partition].next_offset)
        for topic, records in lag.items():
            self._meters.lag.labels(topic).set(records)

    async def _write(self, records: Sequence[Record], placed: dict[Place, Position]) -> None:
        """All in one transaction; when Postgres cannot hold one of them, all but that one."""
        began = monotonic()
        try:
            await self._commit(records, records, placed)
        except UNSTORABLE as error:
            if len(records) == 1:
                self._skip([(records[0], f"Postgres cannot hold it: {error}")])
                await self._commit(records, (), placed)
                return
            middle = len(records) // 2
            await self._write(records[:middle], placed)
            await self._write(records[middle:], placed)
        else:
            self._meters.batch_seconds.observe(monotonic() - began)
            self._meters.delay_seconds.observe(max(0.0, self._now() - records[0].timestamp / 1000))

    async def _commit(self, passed: Sequence[Record], kept: Sequence[Record], placed: dict[Place, Position]) -> None:
        """Write the rows of `kept`, move the offsets beyond `passed`."""
        batch = fold(kept, self._settings.prefix, {place: at.generation for place, at in placed.items()})
        moves = moved(passed, placed, batch.generations)
        await apply(self._pool, batch, moves)
        for move in moves:
            place = (move.topic, move.partition)
            placed[place] = placed[place]._replace(next_offset=move.next, generation=move.generation)
            self._meters.records.labels(move.topic).inc(move.next - move.expected)
        self._meters.superseded.inc(batch.superseded)
        self._skip(batch.unreadable)

    def _skip(self, skipped: Sequence[tuple[Record, str]]) -> None:
        """Count them all, name the first: a flood must not fill the log."""
        for record, _ in skipped:
            self._meters.unreadable.labels(record.topic).inc()
        for record, why in skipped[:1]:
            place = f"{record.topic}[{record.partition}]@{record.offset}"
            log.warning("records were skipped", records=len(skipped), first=place, why=why)


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is published without types
    """Tells the projector that its partitions change."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Before they go."""
        await self._projector.pause()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """After they came; one member too many has none, and nothing to complain of."""
        await self._projector.pause()
        if not assigned:
            self._projector.trouble = None


def moved(records: Sequence[Record], placed: Mapping[Place, Position], generations: Mapping[Place, int]) -> list[Move]:
    """The offsets after these records, which are in the order of their partitions."""
    nexts = {(record.topic, record.partition): record.offset + 1 for record in records}
    return [
        Move(*place, placed[place].next_offset, after, generations[place]) for place, after in sorted(nexts.items())
    ]


def refuse_other_topics(known: Mapping[Place, Position], ids: Mapping[str, str]) -> None:
    """StateConflict when a topic is not the one whose offsets are stored."""
    others = sorted({topic for (topic, _), at in known.items() if at.topic_id not in (None, ids[topic])})
    if others:
        raise StateConflict(f"{', '.join(others)}: deleted and made again since it was projected. {_REBUILD}")


def refuse_lost_records(known: Mapping[Place, Position], ends: Mapping[Place, int]) -> None:
    """StateConflict when a log ends before what was projected of it."""
    for place, at in known.items():
        if at.next_offset > ends[place]:
            raise StateConflict(
                f"{place[0]}[{place[1]}] ends at {ends[place]} but was projected up to {at.next_offset}: "
                f"Kafka has lost records. {_REBUILD}"
            )


_REBUILD = "To build the read model again from what the topics hold now, run `kesher projector --rebuild`."


def _place(tp: TopicPartition) -> Place:
    return tp.topic, tp.partition
