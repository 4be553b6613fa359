"""Sends records to Kafka in their order and knows the place up to which Kafka has them."""

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from services.adapters.kafka import producer
from services.cli.course import Place
from services.settings import Settings
from streams.simulation.spell import Record

BATCH = 2_000


class Sender:
    """`kept(place)` is told whenever Kafka has acknowledged everything up to a place."""

    def __init__(self, settings: Settings, place: Place | None, kept: Callable[[Place], None]) -> None:
        self.sent = 0
        self._prefix = settings.prefix
        self._producer = producer(settings, "demo")
        self._pending: deque[tuple[float, Any]] = deque()
        self._place = place or Place(float("-inf"), 0)
        self._kept = kept

    async def send(self, record: Record) -> bool:
        """Queue one record; True when it filled a batch and Kafka now has it.  KafkaError when Kafka refuses it."""
        at, topic, key, value = record
        acknowledged = await self._producer.send(f"{self._prefix}.{topic}", value, key=key)
        self._pending.append((at, acknowledged))
        if len(self._pending) < BATCH:
            return False
        await self.settle()
        return True

    async def settle(self) -> None:
        """Return once Kafka has all that was queued.  KafkaError when it has not."""
        if not self._pending:
            return
        await self._producer.flush()
        while self._pending:
            at, acknowledged = self._pending[0]
            acknowledged.result()
            self._pending.popleft()
            self._place = self._place.moved(at)
            self.sent += 1
        self._kept(self._place)

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        try:
            await self.settle()
        finally:
            await self._producer.stop()
