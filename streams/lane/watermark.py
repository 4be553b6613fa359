"""Whose clock it is: how far event time has come, and whether the backlog is behind us."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal

from schemas.events.fact import Cause

PATIENCE = timedelta(seconds=60)
"""A source that was caught up is behind again only when its records were stored this long ago."""

Place = tuple[int, int]
"""(source, partition)"""


class Watermark:
    """Per source: the greatest event time seen, and the end offsets that must be passed to be caught up."""

    def __init__(self, mode: Literal["wall", "event"], newest: Mapping[int, float] | None = None) -> None:
        self.mode = mode
        self.newest: dict[int, float] = dict(newest or {})
        self._ends: dict[Place, int] = {}

    def expect(self, ends: Mapping[Place, int]) -> None:
        """These places are behind until they pass these end offsets."""
        self._ends.update(ends)

    def forget(self, partitions: Iterable[int]) -> None:
        """Partitions that went away hold nothing back."""
        gone = set(partitions)
        self._ends = {place: end for place, end in self._ends.items() if place[1] not in gone}

    def passed(self, place: Place, position: int) -> None:
        """`position` is the next offset to read of a place."""
        if position >= self._ends.get(place, position + 1):
            del self._ends[place]

    def saw(self, newest: Mapping[int, float]) -> None:
        """Greatest event time (epoch seconds) of each source in a batch."""
        for source, instant in newest.items():
            self.newest[source] = max(instant, self.newest.get(source, instant))

    def fell_behind(self, place: Place, stored: float, wall: float, end: int) -> None:
        """A record of `place` was stored at `stored`: when that is too long ago, the place is behind until `end`."""
        if place not in self._ends and wall - stored > PATIENCE.total_seconds():
            self._ends[place] = end

    @property
    def behind(self) -> set[int]:
        """Sources that are not caught up."""
        return {source for source, _ in self._ends}

    @property
    def caught_up(self) -> bool:
        """Whether every source has passed the ends it was given."""
        return not self._ends

    @property
    def cause(self) -> Cause:
        """Why facts decided now are decided."""
        return "event" if self.caught_up else "catch_up"

    @property
    def instant(self) -> float | None:
        """The least, over sources still behind, of the greatest event time; the greatest of all when none is behind.
        None while that is not known: a source that is behind has shown nothing yet."""
        if self.caught_up:
            return max(self.newest.values(), default=None)
        if self.behind - self.newest.keys():
            return None
        return min(self.newest[source] for source in self.behind)

    def now(self, wall: float) -> float | None:
        """The instant at which silence is judged; None when nothing may be judged yet."""
        return wall if self.mode == "wall" and self.caught_up else self.instant
