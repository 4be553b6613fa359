"""The Faust app of the lane: what runs beside it, and how it ends."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic, time
from typing import Any, cast

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.exceptions import NotReady
from faust.types import TP
from faust.worker import Worker

from schemas.errors import RetryLater, StateConflict
from streams.lane import guard
from streams.lane.consumer import LaneConsumer, LaneProducer, LaneTransport
from streams.lane.lane import Lane, Terms
from streams.lane.liveness import Liveness
from streams.lane.meter import Meter
from streams.lane.records import ParcelSchema, Span
from streams.lane.sweep import Sweep
from streams.lane.table import ChangelogTable
from streams.lane.writer import Changelog
from streams.scoring.engine import Engine

TopicIds = Callable[[], Awaitable[Mapping[str, str]]]
"""The Kafka topic id of every topic, by full name."""

POLL_RECORDS = 10_000
PARTITION_FETCH_BYTES = 1 << 20
BATCH_BYTES = 512 << 10
LOOK = 5.0
"""Seconds between looks at the lag."""
DEFERRAL = 30.0
"""Seconds that an account may wait to be judged in a backlog, once its time has come."""
FAREWELL = 10.0
"""Seconds in which a worker that is told to end settles what it has decided; its next owner settles the rest."""
LOOKS_PER_ID = 6
"""Every so many looks the topics' ids are compared, too."""


@dataclass(frozen=True)
class Wiring:
    """How the lane reaches Kafka, and its rhythm."""

    bootstrap: str
    partitions: int
    topic_ids: TopicIds
    linger: timedelta = timedelta(milliseconds=30)
    commit: timedelta = timedelta(seconds=2)
    session: timedelta = timedelta(seconds=10)


class LaneApp(faust.App):
    """One scorer worker."""

    consumer: LaneConsumer

    def __init__(self, engine: Engine, terms: Terms, wiring: Wiring, meter: Meter | None = None) -> None:
        gc.set_threshold(100_000, 20, 100)  # thousands of records are alive by design; stock walks them all the time
        self.linger = wiring.linger.total_seconds()
        self.topic_ids, self.wiring = wiring.topic_ids, wiring
        self._beside: list[AbstractAsyncContextManager[Any]] = []
        self.reachable = True
        """Whether the brokers answered when last asked."""
        log = Changelog(terms.changelog, self._started_producer, wiring.bootstrap, engine.accounts)
        self.lane = Lane(engine, terms, log, time, meter)
        super().__init__(f"{terms.prefix}.scorer", **_options(wiring))
        self._attach(terms)

    def _attach(self, terms: Terms) -> None:
        sources = self.topic(*terms.topics, schema=ParcelSchema(), partitions=self.wiring.partitions)
        self.tables.add(
            ChangelogTable(self, topic=terms.changelog, partitions=self.wiring.partitions, beacon=self.tables.beacon)
        )
        self.agent(sources, name="score")(self._score)
        self.on_partitions_revoked.connect(self._revoked, weak=False)  # type: ignore[arg-type]  # called by keyword
        for task in (self._deliver, self._sweep, self._rejoin, self._watch):
            self.task(task)

    # ---------------------------------------------------------------- the flow

    async def _score(self, stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                stray = self.lane.absorb(event.value.spans)
                if stray or self.lane.stopped:
                    await self._set_right(stray)
            except Exception as error:  # stock Faust would acknowledge the records and lose them
                await self.fail(error)
                raise
            finally:
                self.consumer.idle.set()

    async def _set_right(self, stray: list[Span]) -> None:
        """Read again what did not continue; read nothing more of partitions that stopped."""
        lane = self.lane
        for span in stray:
            tp = TP(span.topic, span.partition)
            (log,) = (await self.consumer.thread.logs([tp])).values()
            place = lane.source[tp.topic], tp.partition
            if place in lane.positions:
                lane.positions[place] = guard.resume(tp.topic, tp.partition, lane.positions[place], log)
                await self.consumer.thread.move({tp: lane.positions[place]})
        await self.consumer.skip(TP(topic, number) for topic in lane.terms.topics for number in lane.stopped)

    async def _revoked(self, _app: Any, revoked: set[TP], **_signal: Any) -> None:
        """Stop, store, commit: all before the group hands the partitions on."""
        if self.lane.dispatch.failure is None:
            member = self.consumer.thread.member
            self.consumer.idle.set()
            places = await self.lane.revoked(member=member)
            await self.consumer.settle(places)

    # ---------------------------------------------------------------- beside it

    async def _deliver(self) -> None:
        """Facts leave at once, not at the next commit."""
        dispatch = self.lane.dispatch
        while not self.should_stop:
            await dispatch.waiting.wait()
            try:
                await dispatch.deliver()
            except Exception as error:
                if isinstance(error, NotReady) and self.should_stop:
                    return  # Faust ends the producer first; what is stored and not told yet is the next owner's to tell
                await self.fail(error)
                raise

    async def _sweep(self) -> None:
        """Silence, and what a backlog left unjudged, are judged a slice at a time, and never while facts pile up."""
        sweep, lane, settled = Sweep(monotonic()), self.lane, monotonic()
        while not self.should_stop:
            await asyncio.sleep(1.0)
            if lane.scoring and (lane.watermark.caught_up or monotonic() - settled >= DEFERRAL):
                await self._settle()
                settled = monotonic()
            now = lane.watermark.now(lane.clock())
            if now is None or not lane.scoring:
                continue
            try:
                for start, stop in sweep.due(monotonic(), lane.engine.accounts.size):
                    for rows in lane.silent(now, start, stop):
                        await self.consumer.room()
                        if lane.scoring:
                            lane.sweep(now, rows)
                        await asyncio.sleep(0)
            except Exception as error:
                await self.fail(error)
                raise

    async def _settle(self) -> None:
        try:
            for rows in self.lane.unsettled():
                await self.consumer.room()
                if not self.lane.scoring:
                    self.lane.backlog = True
                    break
                self.lane.settle(rows)
                await asyncio.sleep(0)
        except Exception as error:
            await self.fail(error)
            raise

    async def _rejoin(self) -> None:
        """A partition that turned out to be another worker's needs a new assignment."""
        while not self.should_stop:
            await self.lane.lost.wait()
            self.lane.lost.clear()
            self.consumer.thread.rejoin()
            await asyncio.sleep(1.0)

    async def _watch(self) -> None:
        """Leave for the supervisor when nothing moves though it could; stop when a topic is not what was counted."""
        liveness, looks = Liveness(), 0
        while not self.should_stop:
            await asyncio.sleep(LOOK)
            looks += 1
            lag = await self._lag()
            self.reachable = lag is not None
            self.lane.meter.lagging(lag or 0)
            progress = self.lane.absorbed + sum(ledger.applied for ledger in self.lane.ledgers.values())
            held = self.lane.scoring and self.lane.dispatch.under_way > 0
            sentence = liveness.observe(monotonic(), progress, lag, held=held)
            if sentence is None and self.reachable and looks % LOOKS_PER_ID == 0:
                sentence = guard.changed(self.lane.ledgers.values(), await self.ids())
            if sentence is not None:
                await self.fail(StateConflict(sentence))

    async def _lag(self) -> int | None:
        """Records that are stored but not scored, at least one while partitions are recovered; None when the brokers
        do not answer."""
        lane = self.lane
        places = {place: at for place, at in lane.positions.items() if place[1] not in lane.stopped}
        tps = {place: TP(lane.terms.topics[place[0]], place[1]) for place in places}
        try:
            ends = await asyncio.wait_for(self.consumer.highwaters(*tps.values()), LOOK)
        except (TimeoutError, KafkaError):
            return None
        waiting = sum(max(ends[tps[place]] - at, 0) for place, at in places.items())
        return max(waiting, int(bool(lane.ledgers) and not lane.scoring))

    async def ids(self) -> Mapping[str, str]:
        """The topics' ids, as soon as the brokers tell them."""
        while True:
            try:
                return await self.topic_ids()
            except RetryLater as error:
                self.log.warning("%s", error)
                await asyncio.sleep(error.wait.total_seconds())

    # ---------------------------------------------------------------- state and end

    def beside(self, context: AbstractAsyncContextManager[Any]) -> None:
        """Keep this open from before the worker starts until after it has stopped."""
        self._beside.append(context)

    def run(self) -> None:
        """Work until SIGINT or SIGTERM, which ends it cleanly.  Raises what stopped it otherwise."""
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        worker = Worker(self, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True)
        worker.spinner = None
        try:
            worker.execute_from_commandline()
        except SystemExit:
            if self.lane.dispatch.failure is not None:
                raise self.lane.dispatch.failure from None
            if self.crashed:
                raise

    async def on_first_start(self) -> None:
        """Open what was put beside the worker."""
        await super().on_first_start()
        for context in self._beside:
            await self.add_async_context(context)

    async def on_stop(self) -> None:
        """Store, tell and commit what is decided while there is a producer; absent brokers are not waited for."""
        if self.lane.open:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._revoked(self, set()), FAREWELL)
        await super().on_stop()

    def trouble(self) -> str | None:
        """Why this worker is not ready, in sentences; None when it is."""
        return "; ".join(self.unready()) or None

    def unready(self) -> list[str]:
        """Why this worker is not ready, in sentences; empty when it is."""
        reasons = [str(self.lane.dispatch.failure)] if self.lane.dispatch.failure is not None else []
        if not self.reachable:
            reasons.append("Kafka does not answer; waiting for it")
        if not self.lane.scoring:
            reasons.append("partitions are being assigned or recovered")
        return reasons + list(self.lane.stopped.values())

    async def fail(self, error: BaseException) -> None:
        """Stop the worker; nothing is stored or committed from here on."""
        if self.lane.dispatch.failure is None:
            self.lane.dispatch.failure = error
            self.log.error("%s", error)
        await self.crash(error)

    def _started_producer(self) -> AIOKafkaProducer:
        return cast("LaneProducer", self.producer)._ensure_producer()  # noqa: SLF001 (Faust has no other way to batches)

    def _new_transport(self) -> LaneTransport:
        return LaneTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """No state on disk."""


def _options(wiring: Wiring) -> dict[str, Any]:
    """Faust's settings."""
    session = wiring.session.total_seconds()
    return {
        "broker": [f"kafka://{server}" for server in wiring.bootstrap.split(",")],
        "store": "memory://",
        "web_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "topic_partitions": wiring.partitions,
        "table_standby_replicas": 0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": PARTITION_FETCH_BYTES,
        "broker_max_poll_records": POLL_RECORDS,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 3,
        "broker_commit_interval": wiring.commit.total_seconds(),
        "broker_request_timeout": max(90.0, session),
        "stream_wait_empty": False,
        "stream_recovery_delay": 0.0,
        "producer_max_batch_size": BATCH_BYTES,
        "producer_linger": 0.0,
    }
