"""One client's stream, from its cursor to now and on.  Nothing is left out, nothing comes twice; else it is `reset`.

A client is in step once it has told everything in the ring; from then on it shares the frames that all clients get."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from aiokafka.errors import KafkaError

from schemas.errors import Refused, RetryLater
from services.settings import Settings
from services.web.live.change import Change
from services.web.live.cursor import Offsets, written
from services.web.live.feed import Feed, frame
from services.web.live.reader import Reader
from services.web.live.replay import replayed

LIFETIME = timedelta(minutes=30)
"""A stream ends then and the client comes back where it was: so a key that was revoked is asked for again."""
COME_BACK = timedelta(seconds=3)
CHUNK = 256
REPLAYS = 4
"""Clients that read from Kafka at the same time."""
ROUNDS = 5
"""Reads from Kafka for one client whose ring runs away, before it is too old."""


class Reset(Exception):
    """The client must load its page anew; `why` is slow, too_old, too_new or restarted."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


@dataclass(frozen=True)
class Wanted:
    """What a client asks for; empty: everything."""

    owners: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()

    def takes(self, one: Change) -> bool:
        """Whether the change is wanted."""
        return (
            (not self.owners or (one.owner or "") in self.owners)
            and (not self.accounts or one.account in self.accounts)
            and (not self.events or one.event in self.events)
        )


class Streams:
    """Opens streams on a feed.  `monotonic` gives seconds."""

    def __init__(self, settings: Settings, feed: Feed, reader: Reader, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._feed = feed
        self._reader = reader
        self._monotonic = monotonic
        self._beat = timedelta(seconds=settings.stream_beat_seconds)
        self._replays = asyncio.Semaphore(REPLAYS)

    async def tell(self, start: Offsets | None, wanted: Wanted, ended: Callable[[str], None]) -> AsyncGenerator[bytes]:
        """Server-sent events after `start`, or from now on.  `ended` hears why it ended, when it does by itself."""
        self._feed.clients += 1
        try:
            yield f"retry: {round(COME_BACK / timedelta(milliseconds=1))}\n\n".encode()
            async with aclosing(self._told(start, wanted, self._monotonic() + LIFETIME.total_seconds())) as told:
                async for chunk in told:
                    yield chunk
            ended("stopped" if self._feed.closed else "renewed")
        except Reset as reset:
            ended(reset.why)
            yield _reset(reset)
        finally:
            self._feed.clients -= 1

    async def _told(self, start: Offsets | None, wanted: Wanted, until: float) -> AsyncGenerator[bytes]:
        feed = self._feed
        while not feed.ready:
            if feed.closed:
                return
            await feed.news(self._beat)
            yield b": waiting for Kafka\n\n"
        epoch, number, mine = feed.epoch, feed.ring.next, dict(feed.ring.position)
        yield _place(start or mine)
        if start is not None:
            mine = await self._begin(start)
            async with aclosing(self._missed(mine, wanted)) as missed:
                async for chunk in missed:
                    yield chunk
            number = feed.ring.first
        client = _Client(feed, wanted, number, mine, in_step=start is None)
        told_at = self._monotonic()
        while not feed.closed and (at := self._monotonic()) < until:
            if feed.epoch != epoch:
                raise Reset("restarted", "the fact topics were made anew")
            behind, chunk = client.more()
            if not chunk and not behind and at - told_at >= self._beat.total_seconds():
                chunk = b": alive\n" + client.place()
            if chunk:
                told_at = at
                yield chunk
            if behind:
                await asyncio.sleep(0)
            else:
                await feed.news(self._beat)

    async def _begin(self, start: Offsets) -> Offsets:
        """The client's offsets with every place named, after a look whether they can be continued."""
        feed = self._feed
        if start.keys() - feed.ring.position.keys():
            raise Reset("too_new", "the cursor names partitions that the fact topics do not have")
        mine = {place: start.get(place, feed.beginnings[place]) for place in feed.ring.position}
        if any(offset > feed.ring.position[place] for place, offset in mine.items()):
            await self._check_ends(mine)
        return mine

    async def _check_ends(self, mine: Offsets) -> None:
        """A page may be ahead of this process, not of Kafka; while Kafka is away nobody can tell."""
        try:
            ends = await self._reader.ends()
        except RetryLater:
            return
        if any(offset > ends[place] for place, offset in mine.items()):
            raise Reset("too_new", "the cursor is beyond the end of the fact topics: they are others now")

    async def _missed(self, mine: Offsets, wanted: Wanted) -> AsyncGenerator[bytes]:
        """Read what the ring has let go, until the ring continues it; moves `mine`."""
        ring = self._feed.ring
        for _ in range(ROUNDS):
            if ring.covers(mine):
                return
            until = {place: floor for place, floor in ring.floor.items() if mine[place] < floor}
            start = {place: mine[place] for place in until}
            if sum(until.values()) - sum(start.values()) > self._settings.stream_farthest:
                break
            async with self._replays, aclosing(self._replayed(start, until)) as changes:
                async for one in changes:
                    mine[one.topic, one.partition] = one.offset + 1
                    if wanted.takes(one):
                        yield frame(one, written(mine))
            mine.update(until)
        if not ring.covers(mine):
            raise Reset("too_old", f"the cursor is more than {self._settings.stream_farthest:,} records behind")

    async def _replayed(self, start: Offsets, until: Offsets) -> AsyncGenerator[Change]:
        self._feed.meters.replays.inc()
        try:
            async with aclosing(replayed(self._settings, start, until)) as changes:
                async for one in changes:
                    yield one
        except Refused as error:
            raise Reset("too_old", str(error)) from error
        except KafkaError as error:
            raise Reset("too_old", f"what was missed cannot be read from Kafka now: {error!r}") from error


class _Client:
    """Where one client is in the ring.  `mine` are its offsets, kept only until it is in step."""

    def __init__(self, feed: Feed, wanted: Wanted, number: int, mine: Offsets, *, in_step: bool) -> None:
        self._feed = feed
        self._wanted = wanted
        self._number = number
        self._mine = mine
        self._in_step = in_step

    def more(self) -> tuple[bool, bytes]:
        """Whether more is to be told after this, and the frames until then.  Raises Reset when it was too slow."""
        ring = self._feed.ring
        if self._number < ring.first:
            raise Reset("slow", "this client reads too slowly: the changes it has not read are gone")
        changes = list(ring.since(self._number, CHUNK))
        self._number += len(changes)
        frames = self._shared(changes) if self._in_step else self._own(changes)
        chunk = b"".join(frames)
        if self._number == ring.next and not self._in_step:
            self._in_step = all(ring.position[place] >= offset for place, offset in self._mine.items())
        return self._number < ring.next, chunk

    def place(self) -> bytes:
        """The client's cursor without an event."""
        current = self._in_step and self._number == self._feed.ring.next
        return _place(self._feed.ring.position if current else self._mine)

    def _shared(self, changes: Iterable[Change]) -> Iterable[bytes]:
        return (one.frame for one in changes if self._wanted.takes(one))

    def _own(self, changes: Iterable[Change]) -> Iterable[bytes]:
        for one in changes:
            place = (one.topic, one.partition)
            if one.offset >= self._mine[place]:
                self._mine[place] = one.offset + 1
                if self._wanted.takes(one):
                    yield frame(one, written(self._mine))


def _place(offsets: Offsets) -> bytes:
    """An id without data moves the client's last event id and calls no handler."""
    return f"id: {written(offsets)}\n\n".encode()


def _reset(reset: Reset) -> bytes:
    body = msgspec.json.encode({"why": reset.why, "detail": str(reset)})
    return b"event: reset\nid:\ndata: %b\n\n" % body
