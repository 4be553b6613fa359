# ruff: noqa: SLF001 (Faust's and aiokafka's internals; tests/contract/test_pinned_overrides.py pins what is used)
"""Faust's consumer thread, reading whole polls.

Stock Faust waits 1.5 s for a broker to have something, turns each record into an object of its own, and moves positions
from the wrong thread."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.structs import TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.lane.guard import Log
from streams.lane.records import Span, take

FETCH_WAIT_MS = 50
"""A broker answers at most this late: one request is under way per broker, idle topics must not hold up busy ones."""
BUSY = 1_000
"""A poll of so many records is part of a backlog: fetch on at once instead of lingering."""


class LaneThread(AIOKafkaConsumerThread):
    """Fetches spans; seeks, pauses and looks up offsets in the thread that owns the client."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(  # type: ignore[override]  # spans instead of lists of records
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[Any],
        timeout: float | None = None,  # noqa: ASYNC109 (Faust's)
        max_records: int | None = None,
    ) -> Mapping[TopicPartition, Span]:
        """Everything the fetcher holds, or the first that comes within `timeout` seconds."""
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        with fetcher._subscriptions.fetch_context():
            deadline = monotonic() + (timeout or 0.0)
            fetcher._notify(fetcher._wait_consume_future)
            while True:
                if fetcher._subscriptions.reassignment_in_progress:
                    await fetcher._subscriptions.wait_for_assignment()
                spans = _drain(fetcher, active_partitions, max_records or BUSY)
                if spans or monotonic() >= deadline:
                    return spans
                waiter = fetcher._create_fetch_waiter()
                done, _ = await asyncio.wait([waiter], timeout=deadline - monotonic())
                if not done or fetcher._closed:
                    waiter.cancel()
                    return {}
                waiter.result()

    async def logs(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, Log]:
        """First offset, end offset and committed offset of each."""
        found: dict[TopicPartition, Log] = await self.call_thread(self._logs, list(tps))
        return found

    async def _logs(self, tps: list[TopicPartition]) -> dict[TopicPartition, Log]:
        if not tps:
            return {}
        consumer = self._ensure_consumer()
        committed = await consumer._coordinator.fetch_committed_offsets(tps)
        first, end = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        return {tp: Log(first[tp], end[tp], committed[tp].offset if tp in committed else None) for tp in tps}

    async def move(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets."""
        await self.call_thread(self._move, dict(positions))

    async def _move(self, positions: Mapping[TopicPartition, int]) -> None:
        for tp, offset in positions.items():
            self._ensure_consumer().seek(tp, offset)

    async def hold(self, tps: Iterable[TopicPartition], still: Callable[[], bool] = lambda: True) -> None:
        """Fetch nothing more of these until the next assignment; nothing happens when they are not `still` meant."""
        await self.call_thread(self._hold, set(tps), still)

    async def _hold(self, tps: set[TopicPartition], still: Callable[[], bool]) -> None:
        consumer = self._ensure_consumer()
        if still():
            consumer.pause(*(tps & consumer.assignment()))

    @property
    def member(self) -> bool:
        """Whether the group still counts this worker as a member."""
        coordinator = self._ensure_consumer()._coordinator
        return bool(coordinator.generation != OffsetCommitRequest.DEFAULT_GENERATION_ID)

    def rejoin(self) -> None:
        """Ask the group for a new assignment."""
        self.thread_loop.call_soon_threadsafe(self._ensure_consumer()._coordinator.request_rejoin)


def _drain(fetcher: Any, active: set[Any], limit: int) -> dict[TopicPartition, Span]:
    """Spans the fetcher holds of active partitions.  The next fetch begins at once only when these were many: else the
    next call starts it, after the linger, and finds more."""
    spans: dict[TopicPartition, Span] = {}
    left = limit
    for tp in list(fetcher._records):
        if tp not in active:
            if not fetcher._subscriptions.is_assigned(tp):
                del fetcher._records[tp]
            continue
        found = fetcher._records[tp]
        if not isinstance(found, FetchResult):
            if spans:
                break
            del fetcher._records[tp]
            found.check_raise()
            continue
        span = take(found, left)
        if not found.has_more():
            del fetcher._records[tp]
        if span is not None:
            spans[tp] = span
            left -= len(span.records)
            if left <= 0:
                break
    if limit - left >= BUSY:
        fetcher._notify(fetcher._wait_consume_future)
    return spans
