"""The lane without Faust: whose partitions these are, what was read of them, and what is decided about them.

All of it runs on the worker's one event loop; what does not await cannot be interleaved with a rebalance."""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.errors import StateConflict, Superseded
from schemas.events.fact import Cause
from schemas.topics import CHANGELOG, SOURCES
from streams.lane import changelog, dead_letters, guard
from streams.lane.changelog import Ledger, owed
from streams.lane.dispatch import Dispatch
from streams.lane.guard import Log
from streams.lane.meter import Meter
from streams.lane.outbox import Message, Outbox
from streams.lane.records import Span
from streams.lane.watermark import Watermark
from streams.lane.writer import Changelog
from streams.scoring.engine import Decision, Engine, Misplacement, Reject, Slice
from streams.scoring.store import Positions

log = logging.getLogger(__name__)

Place = tuple[int, int]
"""(source, partition)"""
SETTLED = 4_000
"""Rows judged without letting anything else run."""
RESTED = 30.0
"""In a backlog rows are stored every so many seconds: by then most are judged and leave with what that decided."""


@dataclass(frozen=True)
class Terms:
    """What the settings say; `about` is what owner records tell of this worker."""

    prefix: str
    time: Literal["wall", "event"] = "wall"
    max_unsent: int = 20_000
    share: float = 0.2
    least: int = 100
    about: bytes = b"{}"

    @property
    def topics(self) -> list[str]:
        """Full names of the sources, by position."""
        return [source.full(self.prefix) for source in SOURCES]

    @property
    def changelog(self) -> str:
        """Full name of the changelog."""
        return CHANGELOG.full(self.prefix)


class Lane:
    """One worker's partitions, rows and queues."""

    def __init__(
        self, engine: Engine, terms: Terms, log: Changelog, clock: Callable[[], float], meter: Meter | None = None
    ) -> None:
        self.engine, self.terms, self.log, self.clock = engine, terms, log, clock
        self.meter = meter or Meter()
        self.source = {topic: source for source, topic in enumerate(terms.topics)}
        self.watermark = Watermark(terms.time)
        self.outbox = Outbox(terms.prefix)
        self.dispatch = Dispatch(self.outbox, log, engine.accounts, self.meter, clock)
        self.dispatch.superseded = self._supersede
        self.ledgers = self.dispatch.ledgers
        self.open = False
        """Whether the changelog may be written: from recovery to the end of the revocation."""
        self.scoring = False
        """Whether records are taken in: not while anything is rebalanced."""
        self.stopped: dict[int, str] = {}
        """Partitions that are ours but not scored, and why."""
        self.positions: dict[Place, int] = {}
        """Next offset to read."""
        self.backlog = True
        """Whether there may be rows that were folded and not judged: after a recovery, and while catching up."""
        self.absorbed = 0
        """Records scored so far."""
        self.lost = asyncio.Event()
        """Set when a partition turned out to be another worker's: this one must rejoin its group."""
        self.epoch = 0
        """Grows with every assignment and revocation; what was begun in an older one must not end in this."""
        self._changing = asyncio.Lock()
        self._committed: dict[Place, int] = {}
        self._flushed = 0.0

    # ---------------------------------------------------------------- whose partitions

    async def assigned(self, partitions: Iterable[int]) -> None:
        """These partitions are ours: open a reign in each.  They are scored only after `recovered`."""
        mine = set(partitions)
        async with self._changing:
            self.epoch += 1
            self.open = self.scoring = False
            self.abandon(self.ledgers.keys() - mine)
            self.stopped.clear()
            for number in mine:
                self.ledgers.setdefault(number, Ledger(number)).generation = changelog.UNSET
            await asyncio.gather(*(self.log.own(self.ledgers[number], self.terms.about) for number in mine))

    async def revoked(self, *, member: bool) -> dict[Place, int]:
        """A rebalance begins: settle what can be settled -> the places that may be committed.

        Who is no longer a member of the group has nothing left to say."""
        self.scoring = False
        async with self._changing:
            self.epoch += 1
            self.scoring = False
            if not member:
                self.abandon(set(self.ledgers))
            places = await self.flush()
            self.open = False
            return places

    def abandon(self, partitions: Iterable[int]) -> None:
        """Forget partitions: rows, queues and places."""
        gone = set(partitions)
        self.outbox.discard(gone)
        self.watermark.forget(gone)
        self.positions = {place: at for place, at in self.positions.items() if place[1] not in gone}
        for number in gone & self.ledgers.keys():
            del self.ledgers[number]
            self.engine.accounts.discard(number)

    def _supersede(self, partition: int, error: Superseded) -> None:
        self.abandon([partition])
        self.stopped[partition] = str(error)
        log.warning("%s", error)
        self.lost.set()

    # ---------------------------------------------------------------- recovery

    def applied(self, partition: int) -> int | None:
        """Changelog offset up to which a partition is known; None when nothing is."""
        ledger = self.ledgers.get(partition)
        return None if ledger is None or ledger.applied == changelog.UNSET else ledger.applied

    def restore(self, partition: int, records: Sequence[Any]) -> None:
        """Changelog records, in log order."""
        if partition in self.ledgers:
            self.ledgers[partition].follow(records, self.engine.accounts)

    @property
    def followed(self) -> bool:
        """Whether the changelog was read up to the owner records of this assignment."""
        return all(ledger.applied >= ledger.generation > changelog.UNSET for ledger in self.ledgers.values())

    async def recovered(self, ids: Mapping[str, str], logs: Mapping[Place, Log], epoch: int) -> None:
        """The changelog is read up to the owner records: settle what the last owner owed, then score; unless the
        partitions were dealt again since `epoch`.

        `ids` are the source topics' Kafka ids by name.  Raises StateConflict when counting on would be wrong."""
        async with self._changing:
            if epoch == self.epoch:
                await self._recovered(ids, logs)

    async def _recovered(self, ids: Mapping[str, str], logs: Mapping[Place, Log]) -> None:
        self._committed = {place: log.committed for place, log in logs.items() if log.committed is not None}
        self.watermark.forget(set(self.ledgers))
        for number, ledger in sorted(self.ledgers.items()):
            if ledger.superseded:
                self._supersede(number, Superseded(f"another worker has taken over partition {number}"))
            else:
                await self._resume(ledger, ids, {s: log for (s, p), log in logs.items() if p == number})
        self.watermark.expect({place: logs[place].end for place, at in self.positions.items() if at < logs[place].end})
        self.open = self.scoring = self.backlog = True
        self._flushed = self.clock()

    async def _resume(self, ledger: Ledger, ids: Mapping[str, str], logs: Mapping[int, Log]) -> None:
        number = ledger.number
        verdict = guard.judge(ledger, self.terms.topics, ids, logs)
        if verdict.conflict is not None:
            raise StateConflict(verdict.conflict)
        self.engine.accounts.generation[number] = ledger.generation
        self.watermark.saw(ledger.checkpoint.newest)
        for record in await self.log.tail(ledger):
            for topic, name, value in owed(record):
                self.outbox.announce(number, record.key, topic, name, value)
        await self.dispatch.deliver()
        ledger.settle(ledger.applied)
        await self._open(ledger, {topic: ids[topic] for topic in self.terms.topics}, verdict.restart)
        for source, place in logs.items():
            self.positions[source, number] = place.first if source in verdict.restart else guard.start(place)
            if place.committed is not None and place.committed < place.first and source not in verdict.restart:
                name, lost = self.terms.topics[source], place.first - place.committed
                log.warning("%d records of partition %d of %s expired before they were scored", lost, number, name)
        self._pause_if_flooded(number)

    async def _open(self, ledger: Ledger, ids: dict[str, str], restart: Sequence[int]) -> None:
        """Write what must stand in the changelog before the first row of this reign."""
        first: list[Message] = []
        key, value = self.engine.accounts.layout_record()
        if key not in ledger.layouts:
            first.append((key, value, ()))
            ledger.layouts.add(key)
        for source in restart:
            guard.forget(self.engine.accounts, ledger.number, source)
            ledger.checkpoint.positions.pop(source, None)
        if restart:
            first += [(key, row, ()) for key, row in self.engine.accounts.take_dirty().get(ledger.number, [])]
            first.append((changelog.CHECKPOINT, changelog.packed(ledger.checkpoint), ()))
        if restart or ledger.sources != ids:
            first.append((changelog.SOURCES, changelog.packed(ids), ()))
            ledger.sources = ids
        if first:
            await self.log.write(ledger, first)

    # ---------------------------------------------------------------- scoring

    def absorb(self, spans: Sequence[Span]) -> list[Span]:
        """One poll in one pass: read, fold, judge; what was decided is queued.

        Returns the spans that do not continue what was read before: they must be read again from `positions`."""
        if not self.scoring:
            return []
        wall = self.clock()
        mine = [span for span in spans if span.partition in self.ledgers and span.partition not in self.stopped]
        fresh = [span for span in mine if self.positions[self.source[span.topic], span.partition] == span.start]
        reading = self.engine.read([Slice(self.source[s.topic], s.partition, s.records) for s in fresh if s.records])
        if reading.batch is not None:
            self.watermark.saw(reading.batch.newest)
            self.backlog |= not self.watermark.caught_up
            self._queue(self.engine.absorb(reading.batch, defer=not self.watermark.caught_up))
        self._advance(fresh, wall)
        self._reject(fresh, reading.rejects)
        for found in reading.misplaced:
            self._misplaced(found)
        self.dispatch.wake()
        self.meter.polled(sum(len(span.records) for span in fresh), self.clock() - wall)
        return [] if len(fresh) == len(mine) else [span for span in mine if span not in fresh]

    def silent(self, now: float, start: int, stop: int) -> Iterator[Positions]:
        """Rows of [start, stop) that may have something to tell without any event, some at a time."""
        found = self.engine.restless(now, start, stop)
        for first in range(0, len(found), SETTLED):
            yield found[first : first + SETTLED]

    def sweep(self, now: float, rows: Positions) -> None:
        """Judge rows that `silent` found."""
        began = self.clock()
        cause: Cause = "inactivity" if self.watermark.caught_up else "catch_up"
        self._queue(self.engine.look(now, rows, cause))
        self.dispatch.wake()
        self.meter.swept(len(rows), self.clock() - began)

    def unsettled(self) -> Iterator[Positions]:
        """Rows that a backlog left unjudged, some at a time: all of them once it is behind us, before that those whose
        time has come."""
        horizon = math.inf if self.watermark.caught_up else self.watermark.instant
        if not self.backlog or horizon is None:
            return
        self.backlog = not self.watermark.caught_up
        found = self.engine.unsettled(horizon)
        for start in range(0, len(found), SETTLED):
            yield found[start : start + SETTLED]

    def settle(self, rows: Positions) -> None:
        """Judge rows that `unsettled` found."""
        self._queue(self.engine.settle(rows))
        self.dispatch.wake()

    def _queue(self, decisions: Sequence[Decision]) -> None:
        self.outbox.decide(decisions)
        if decisions:
            self.meter.decided(Counter(fact.topic for decision in decisions for fact in decision.facts))

    def _advance(self, spans: Sequence[Span], wall: float) -> None:
        for span in spans:
            place = self.source[span.topic], span.partition
            self.absorbed += len(span.records)
            self.positions[place] = span.stop
            self.watermark.passed(place, span.stop)
            if span.records:
                self.watermark.fell_behind(place, span.records[-1].timestamp / 1000, wall, span.end)

    def _reject(self, spans: Sequence[Span], rejects: Sequence[Reject]) -> None:
        bad: Counter[int] = Counter()
        for reject in rejects:
            settled = self.ledgers[reject.partition].checkpoint.positions.get(reject.source, 0)
            if reject.record.offset >= settled:
                self.outbox.reject(self.terms.topics[reject.source], reject.partition, reject.record, reject.reason)
                bad[reject.partition] += 1
        seen: Counter[int] = Counter()
        for span in spans:
            seen[span.partition] += len(span.records)
        for number, records in seen.items():
            self.ledgers[number].window.add(records, bad[number])
        if bad:
            self.meter.rejected(bad.total())
            for number in bad:
                self._pause_if_flooded(number)

    def _pause_if_flooded(self, number: int) -> None:
        window = self.ledgers[number].window
        if window.flooded(self.terms.share, self.terms.least):
            self._stop(number, dead_letters.flood(number, window, self.terms.prefix))

    def _misplaced(self, found: Misplacement) -> None:
        self.positions[found.source, found.partition] = found.offset
        topic = self.terms.topics[found.source]
        self._stop(found.partition, dead_letters.misplacement(found.partition, topic, found.offset, found.reason))

    def _stop(self, partition: int, sentence: str) -> None:
        self.stopped[partition] = sentence
        log.error("%s", sentence)

    # ---------------------------------------------------------------- what is settled

    @property
    def full(self) -> bool:
        """Whether scoring must wait until facts have left."""
        return self.outbox.unsent >= self.terms.max_unsent

    @property
    def due(self) -> bool:
        """Whether a flush is worth it: at every commit, but in a backlog, where the same rows change again and again,
        only now and then."""
        return self.watermark.caught_up or self.clock() - self._flushed >= RESTED

    async def flush(self) -> dict[Place, int]:
        """Store everything up to this instant -> the places that may be committed now."""
        if not self.open:
            return {}
        positions = dict(self.positions)
        by_partition: dict[int, dict[int, int]] = {}
        for (source, number), at in positions.items():
            by_partition.setdefault(number, {})[source] = at
        before, self._flushed = dict(self.ledgers), self.clock()
        await self.dispatch.flush(by_partition, self.watermark.newest)
        kept = {number for number, ledger in self.ledgers.items() if before.get(number) is ledger}
        return {place: at for place, at in positions.items() if place[1] in kept and self._committed.get(place) != at}

    def committed(self, places: Mapping[Place, int]) -> None:
        """These next offsets are committed."""
        self._committed.update(places)

    def retire(self, partitions: Iterable[int]) -> None:
        """Stopped partitions are flushed: their rows need no memory, and must not be found silent."""
        self.abandon(number for number in partitions if number in self.stopped)
