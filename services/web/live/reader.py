"""Follows the fact topics with a consumer of its own, without a group: every web process reads every partition.

It begins a little before the end, so that clients of a restarted process continue without a read of their own."""

import asyncio
from datetime import timedelta
from typing import NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import RetryLater
from schemas.topics import FACTS
from services.adapters.topics import connected
from services.settings import Settings
from services.web.live.consuming import consuming
from services.web.live.cursor import Place
from services.web.live.feed import Feed

log = structlog.get_logger(__name__)

BATCH = 5_000
"""Records taken at once, so that streams get their turn."""
WAIT = timedelta(milliseconds=100)
RETRY = timedelta(seconds=1)
PULSE = timedelta(seconds=5)
"""How often the broker is asked where the topics end, which also tells whether it is there."""
ANSWER = timedelta(seconds=10)
FAILURES = (KafkaError, OSError, TimeoutError, RetryLater)


class Reader:
    """Feeds `feed` until cancelled.  `why_not` says in a sentence why it cannot just now; empty when it can."""

    def __init__(self, settings: Settings, feed: Feed) -> None:
        self.why_not = "the stream has not reached Kafka yet"
        self._settings = settings
        self._feed = feed
        self._consumer: AIOKafkaConsumer | None = None
        self._places: dict[TopicPartition, Place] = {}
        self._anew = False

    async def run(self) -> NoReturn:
        """Read for ever.  Outages are waited out; the ring keeps what it has and reading goes on where it stopped."""
        while True:
            try:
                await self._connected()
            except FAILURES as error:
                self._lost(error)
            await asyncio.sleep(RETRY.total_seconds())

    async def ends(self) -> dict[Place, int]:
        """Where each partition ends now.  RetryLater while Kafka is away."""
        if self._consumer is None or not self._places:
            raise RetryLater(self.why_not, RETRY)
        try:
            async with asyncio.timeout(ANSWER.total_seconds()):
                ends = await self._consumer.end_offsets(list(self._places))
        except (KafkaError, OSError, TimeoutError) as error:
            msg = f"Kafka does not say where the fact topics end: {error!r}"
            raise RetryLater(msg, RETRY) from error
        return {self._places[each]: end for each, end in ends.items()}

    async def _connected(self) -> None:
        self._places = await partitions(self._settings)
        try:
            async with consuming(self._settings, "web", WAIT) as reading:
                self._consumer = reading
                reading.assign(list(self._places))
                await self._begin(reading)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._read(reading))
                    both.create_task(self._pulse())
        except ExceptionGroup as failed:
            _, others = failed.split(FAILURES)
            if others is not None:
                raise
            raise RetryLater(str(failed.exceptions[0]), RETRY) from failed
        finally:
            self._consumer = None

    async def _begin(self, reading: AIOKafkaConsumer) -> None:
        """Go on where reading stopped; when there is no such place (any more), begin anew near the end."""
        first = await reading.beginning_offsets(list(self._places))
        beginnings = {self._places[each]: offset for each, offset in first.items()}
        ends, position = await self.ends(), self._feed.ring.position
        if (
            self._anew
            or position.keys() != ends.keys()
            or any(not beginnings[p] <= position[p] <= ends[p] for p in ends)
        ):
            back = self._feed.ring.capacity // max(1, len(ends))
            self._feed.ready = self._anew = False
            self._feed.begin({p: max(beginnings[p], ends[p] - back) for p in ends}, beginnings)
        for each, place in self._places.items():
            reading.seek(each, self._feed.ring.position[place])

    async def _read(self, reading: AIOKafkaConsumer) -> NoReturn:
        ends = await self.ends()
        most = min(BATCH, max(1, self._feed.ring.capacity // 4))
        while True:
            got = await reading.getmany(timeout_ms=200, max_records=most)
            for each, records in got.items():
                self._take(each, records)
            feed = self._feed
            if not feed.ready and await self._has_reached(ends, reading):
                feed.ready = True
                log.info("the stream follows the fact topics", partitions=len(ends))
                feed.ring_bell()
            if got:
                feed.ring_bell()
                await asyncio.sleep(0)

    async def _has_reached(self, ends: dict[Place, int], reading: AIOKafkaConsumer) -> bool:
        """By the consumer's own position: the last offset of a partition need not be a record."""
        return all([await reading.position(each) >= ends[place] for each, place in self._places.items()])

    def _take(self, each: TopicPartition, records: list[object]) -> None:
        place = self._places[each]
        for record in records:
            offset: int = record.offset  # type: ignore[attr-defined]
            if offset < self._feed.ring.position[place]:
                self._anew = True
                msg = f"{each.topic}[{each.partition}] begins again at {offset}: the topic was made anew"
                raise RetryLater(msg, RETRY)
            self._feed.take(place, offset, record.value)  # type: ignore[attr-defined]

    async def _pulse(self) -> NoReturn:
        while True:
            await self.ends()
            self.why_not = ""
            await asyncio.sleep(PULSE.total_seconds())

    def _lost(self, error: BaseException) -> None:
        sentence = str(error) if isinstance(error, RetryLater) else f"the stream has lost Kafka: {error!r}"
        if sentence != self.why_not:
            log.warning("the stream waits for Kafka", why=sentence)
        self.why_not = sentence


async def partitions(settings: Settings) -> dict[TopicPartition, Place]:
    """Every partition of the fact topics.  RetryLater when a topic is missing or Kafka is away."""
    names = {topic.full(settings.prefix): topic.name for topic in FACTS}
    async with connected(settings.kafka_bootstrap_servers) as admin:
        sizes = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics()}
    if missing := sorted(names.keys() - sizes.keys()):
        msg = f"Kafka has no topic {', '.join(missing)}: `kesher topics` creates them"
        raise RetryLater(msg, RETRY)
    return {
        TopicPartition(full, partition): (name, partition)
        for full, name in names.items()
        for partition in range(sizes[full])
    }
