"""The way from the door to Kafka: sent, acknowledged or not, and a bound on what is under way."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from schemas.errors import RetryLater
from services.adapters import closing

log = structlog.get_logger(__name__)

RECONNECT = timedelta(seconds=1)


@dataclass(frozen=True)
class Record:
    """What goes to one topic (full name); the key decides the partition."""

    topic: str
    key: bytes
    value: bytes


class Publisher:
    """Sends records and says which of them Kafka has.

    `build` makes a producer; after a fatal error (a lost producer id) a new one takes over.  At most `limit` bytes wait
    for an acknowledgement; beyond, and while Kafka is away, requests are turned down at once instead of piling up."""

    def __init__(self, build: Callable[[], AIOKafkaProducer], wait: timedelta, limit: int, waiting: Gauge) -> None:
        self._build = build
        self._wait = wait.total_seconds()
        self._limit = limit
        self._gauge = waiting
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()
        self._waiting = 0
        self._away = False

    def trouble(self) -> str | None:
        """Why nothing can be published just now, None when it can."""
        if self._producer is None:
            return "Kafka has not been reached yet"
        return "Kafka does not acknowledge" if self._away else None

    async def run(self) -> None:
        """Connect, stay connected, and reconnect after a fatal error, until cancelled; then flush."""
        while True:
            producer = self._build()
            try:
                await producer.start()
                self._producer = producer
                await self._broken.wait()
            except (KafkaError, OSError) as error:
                log.warning("Kafka cannot be reached; trying again", error=str(error))
            finally:
                self._producer = None
                await self._close(producer)
            self._broken.clear()
            await asyncio.sleep(RECONNECT.total_seconds())

    async def _close(self, producer: AIOKafkaProducer) -> None:
        if not await closing.stop(producer, timedelta(seconds=self._wait)):
            log.warning("gave up on records that Kafka did not acknowledge; their senders were told so")

    async def publish(self, records: Sequence[Record]) -> list[str | None]:
        """For each record None once Kafka has it, else why not.  Raises RetryLater, with nothing sent, when the buffer
        is full or Kafka is away."""
        producer = self._admit(sum(len(record.value) for record in records))
        sent: list[asyncio.Future[object]] = []
        why = f"Kafka did not acknowledge within {self._wait:g} s"
        try:
            async with asyncio.timeout(self._wait):
                for record in records:
                    future = await producer.send(record.topic, record.value, record.key)
                    sent.append(self._watched(future, record))
                if sent:
                    await asyncio.wait(sent)
        except TimeoutError:
            self._away = True
        except KafkaError as error:
            why = self._failed(error)
        return [_outcome(future, why) for future in sent] + [why] * (len(records) - len(sent))

    def _admit(self, size: int) -> AIOKafkaProducer:
        trouble = self.trouble()
        if self._producer is None or (self._away and self._waiting):
            raise RetryLater(f"{trouble}; nothing was taken", timedelta(seconds=5))
        if self._waiting and self._waiting + size > self._limit:
            raise RetryLater(f"{self._waiting} bytes wait for Kafka already; nothing was taken", timedelta(seconds=1))
        return self._producer

    def _watched(self, future: asyncio.Future[object], record: Record) -> asyncio.Future[object]:
        """The future, counted as waiting until it ends, even after its request has been answered."""
        self._move(len(record.value))

        def ended(done: asyncio.Future[object]) -> None:
            self._move(-len(record.value))
            error = None if done.cancelled() else done.exception()
            if error is not None:
                self._failed(error)
            elif not done.cancelled():
                self._away = False

        future.add_done_callback(ended)
        return future

    def _move(self, size: int) -> None:
        self._waiting += size
        self._gauge.set(self._waiting)

    def _failed(self, error: BaseException) -> str:
        """What the error means for the client; a fatal one also asks for a new producer."""
        log.error("Kafka refused a record", error=repr(error))
        if not getattr(error, "retriable", False):
            self._broken.set()
        return f"Kafka refused it: {error or type(error).__name__}"


def _outcome(future: asyncio.Future[object], why: str) -> str | None:
    if not future.done():
        return why
    if future.cancelled():
        return "the connection to Kafka was closed before it acknowledged"
    error = future.exception()
    return None if error is None else f"Kafka refused it: {error or type(error).__name__}"
