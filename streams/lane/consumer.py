"""Faust's consumer, one message per poll, whose commits wait for the lane."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from aiokafka.structs import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.lane.records import Parcel, Span
from streams.lane.thread import BUSY, LaneThread

if TYPE_CHECKING:
    from streams.lane.app import LaneApp

LOST = 5.0
"""Seconds after which a poll that was not scored is taken for dropped."""


class LaneConsumer(driver.Consumer):
    """One poll is out at a time: it is scored before the next is taken, so nothing of it can grow stale in a queue."""

    app: "LaneApp"
    _thread: LaneThread

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.idle = asyncio.Event()
        """Set while no poll is out."""
        self.idle.set()
        self._generation = 0
        self._next_poll = 0.0

    def _new_consumer_thread(self) -> LaneThread:
        return LaneThread(self, loop=self.loop, beacon=self.beacon)

    # ---------------------------------------------------------------- reading

    async def _wait_next_records(
        self,
        timeout: float,  # noqa: ASYNC109 (Faust's)
    ) -> tuple[Mapping[Any, Any] | None, set[TP] | None]:
        """Everything that is there: the sources as one parcel, each changelog partition as one of its own."""
        if self._generation != self.app.consumer_generation_id:
            self.idle.set()  # what was out then was dropped by the rebalance
        if not self.idle.is_set():
            await self._scored()
        await self.room()
        if (pause := self._next_poll - monotonic()) > 0:
            await asyncio.sleep(pause)
        found, active = await super()._wait_next_records(timeout)
        if not found:
            return found, active
        spans = cast("list[Span]", list(found.values()))
        sources = [span for span in spans if span.topic in self.app.lane.source]
        if sum(len(span.records) for span in spans) < BUSY:
            self._next_poll = monotonic() + self.app.linger
        parcels = {TP(span.topic, span.partition): [Parcel([span])] for span in spans if span not in sources}
        if sources:
            self.idle.clear()
            self._generation = self.app.consumer_generation_id
            parcels[TP(sources[0].topic, sources[0].partition)] = [Parcel(sources)]
        return parcels, active

    async def _scored(self) -> None:
        """Wait until the poll that is out is scored.  Faust drops polls when it suspends the flow."""
        try:
            await asyncio.wait_for(self.idle.wait(), LOST)
        except TimeoutError:
            self.log.warning("a poll was dropped on its way; reading it again")
            self.idle.set()
            if self.app.lane.scoring:
                await self.perform_seek()

    async def room(self) -> None:
        """Scoring waits when too many facts are unsent."""
        lane, settled = self.app.lane, self.app.lane.dispatch.settled
        while lane.scoring and lane.full:
            settled.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(settled.wait(), 1.0)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Parcels are not numbered without gaps, and the lane keeps its own places."""

    # ---------------------------------------------------------------- places

    @property
    def thread(self) -> LaneThread:
        """The thread that owns the client."""
        return self._thread

    async def perform_seek(self) -> None:
        """Read on where the lane stands, not where the group has committed; what is not scored is not fetched."""
        lane = self.app.lane
        mine = {tp for tp in self.assignment() if tp.topic in lane.source}
        starts = {
            tp: lane.positions[place]
            for tp in mine
            if (place := (lane.source[tp.topic], tp.partition)) in lane.positions and tp.partition not in lane.stopped
        }
        await self.thread.move({TopicPartition(*tp): at for tp, at in starts.items()})
        self._read_offset.update(dict.fromkeys(mine))
        await self.skip(mine - starts.keys())
        self.idle.set()

    async def skip(self, tps: Iterable[TP]) -> None:
        """Fetch nothing of these until the next assignment."""
        gone = set(tps) - self._paused_partitions
        if gone:
            self.pause_partitions(gone)
            await self.thread.hold(TopicPartition(*tp) for tp in gone)

    # ---------------------------------------------------------------- committing

    async def _commit_tps(self, tps: Iterable[TP], start_new_transaction: bool) -> bool:  # noqa: FBT001 (Faust's)
        """Flush, then commit what the flush has covered.  It serves as the flush timer, too: there is no other."""
        lane = self.app.lane
        if lane.dispatch.failure is not None or not lane.due:
            return False
        stopped = set(lane.stopped)
        try:
            places = await lane.flush()
        except Exception as error:
            await self.app.fail(error)
            raise
        done = await self.settle(places)
        lane.retire(stopped)
        return done

    async def settle(self, places: Mapping[tuple[int, int], int]) -> bool:
        """Commit these places; a worker that lost its membership is refused by the broker, and that is all right."""
        topics = self.app.lane.terms.topics
        offsets = {TP(topics[source], number): at for (source, number), at in places.items()}
        if not offsets or not await self._commit_offsets(offsets):
            return False
        self.app.lane.committed(places)
        return True


class LaneProducer(driver.Producer):
    """Idempotent: a retried batch is stored once and in order, so that own changelog records lie side by side."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class LaneTransport(driver.Transport):
    """Hands Faust the lane's consumer and producer."""

    Consumer = LaneConsumer
    Producer = LaneProducer
