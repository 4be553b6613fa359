"""Where the reader puts changes and the streams take them from: a ring, and a bell that wakes whoever waits."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from schemas.errors import InvalidEvent
from services.web.live.change import Change, News, change
from services.web.live.cursor import Place, written
from services.web.live.ring import Ring
from services.web.meters import Meters


class Feed:
    """One per process.  `ready`: the ring reaches to the end of the topics.  A new `epoch` begins when the log does."""

    def __init__(self, meters: Meters, capacity: int) -> None:
        self.ring = Ring(capacity)
        self.ready = False
        self.closed = False
        self.epoch = 0
        self.clients = 0
        self.beginnings: dict[Place, int] = {}
        """The first offset that each partition had when reading began."""
        self.meters = meters
        self._news = News()
        self._bell = asyncio.Event()

    def begin(self, offsets: Mapping[Place, int], beginnings: Mapping[Place, int]) -> None:
        """Read from here on; every stream is reset."""
        self.ring.begin(offsets)
        self.beginnings = dict(beginnings)
        self.epoch += 1
        self._news = News()
        self.ring_bell()

    def take(self, place: Place, offset: int, value: bytes | None) -> None:
        """The next record of a partition; what is unreadable or was told before is counted and passed over."""
        try:
            one = change(*place, offset, value)
        except InvalidEvent:
            self.meters.facts.labels("unreadable").inc()
            self.ring.pass_over(place, offset)
            return
        if not self._news.is_news(one):
            self.meters.facts.labels("repeated").inc()
            self.ring.pass_over(place, offset)
            return
        self.ring.add(one)
        self.meters.facts.labels("fresh").inc()
        if self.clients:
            one.frame = frame(one, written(self.ring.position))

    def ring_bell(self) -> None:
        """Wake every stream."""
        self._bell.set()
        self._bell = asyncio.Event()

    async def news(self, patience: timedelta) -> None:
        """Return when something came, or when patience ends."""
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await self._bell.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """End every stream; clients come back to another process, or to this one's successor."""
        self.closed = True
        self.ring_bell()


def frame(one: Change, cursor: str) -> bytes:
    """The change as a server-sent event."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (one.event.encode(), cursor.encode(), one.body)
