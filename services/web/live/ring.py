"""The latest changes in memory, numbered as they came, and how far each partition had been read before and after them.

A client is only a number and its offsets: it costs nothing to be slow, and the slow one alone pays for it."""

from collections.abc import Iterator, Mapping
from typing import cast

from services.web.live.change import Change
from services.web.live.cursor import Offsets


class Ring:
    """Holds the last `capacity` changes.  The first one kept has the number `first`, the next one gets `next`."""

    def __init__(self, capacity: int) -> None:
        self.first = 0
        self.next = 0
        self.floor: Offsets = {}
        """How far each partition was read before the first change kept."""
        self.position: Offsets = {}
        """How far each partition is read."""
        self.capacity = capacity
        self._changes: list[Change | None] = [None] * capacity

    def begin(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Forget all and begin to read here; numbers go on, so that nobody mistakes new changes for old ones."""
        self.first = self.next
        self._changes = [None] * self.capacity
        self.floor, self.position = dict(offsets), dict(offsets)

    def add(self, one: Change) -> None:
        """Keep the change; the oldest goes when there are too many."""
        if self.next - self.first == self.capacity:
            oldest = self.at(self.first)
            self.floor[oldest.topic, oldest.partition] = oldest.offset + 1
            self.first += 1
        self._changes[self.next % self.capacity] = one
        self.next += 1
        self.pass_over((one.topic, one.partition), one.offset)

    def pass_over(self, place: tuple[str, int], offset: int) -> None:
        """Count a record as read that tells nothing new."""
        self.position[place] = offset + 1

    def at(self, number: int) -> Change:
        """The change of that number, first <= number < next."""
        return cast("Change", self._changes[number % self.capacity])

    def since(self, number: int, most: int) -> Iterator[Change]:
        """At most so many changes from that number on."""
        return (self.at(each) for each in range(number, min(self.next, number + most)))

    def covers(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        """Whether every change at or after these offsets is here or yet to come."""
        return all(offsets.get(place, 0) >= floor for place, floor in self.floor.items())
