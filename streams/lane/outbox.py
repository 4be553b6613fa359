"""What waits to leave: deciding rows with their facts, and dead letters.  Taken together, at one instant, in order."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.lane.changelog import header
from streams.lane.dead_letters import letter

Message = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""(key, value, headers)"""
Place = tuple[str, int]
"""(topic, partition)"""

CONTENT = ("content-type", b"application/cloudevents+json; charset=UTF-8")


@dataclass
class Outgoing:
    """Rows that must be durable first, by partition; then messages may leave, by topic and partition."""

    rows: dict[int, list[Message]] = field(default_factory=lambda: defaultdict(list))
    messages: dict[Place, list[Message]] = field(default_factory=lambda: defaultdict(list))

    @property
    def size(self) -> int:
        """How many facts and dead letters."""
        return sum(map(len, self.messages.values()))

    def __bool__(self) -> bool:
        return bool(self.rows or self.messages)


class Outbox:
    """The queue before Kafka; `unsent` counts what is queued or under way."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.unsent = 0
        self._queue = Outgoing()
        self._names: dict[str, str] = {}

    def decide(self, decisions: Iterable[Any]) -> None:
        """Queue each decision: its row, which carries its facts, and the facts behind it."""
        for partition, key, row, facts in decisions:
            told = []
            for topic, name, value in facts:
                full = self._full(topic)
                told.append(header(full, name, value))
                self.announce(partition, key, full, name, value)
            self._queue.rows[partition].append((key, row, told))

    def announce(self, partition: int, key: bytes, topic: str, name: str, value: bytes) -> None:
        """Queue one fact whose row is durable or queued before it."""
        self._put((topic, partition), (key, value, (("ce_id", name.encode()), CONTENT)))

    def reject(self, topic: str, partition: int, record: Any, reason: str) -> None:
        """Queue a dead letter."""
        self._put((self._full("dead-letters"), partition), letter(topic, partition, record, reason))

    def take(self) -> Outgoing:
        """Everything queued; it stays in `unsent` until `settle`."""
        taken, self._queue = self._queue, Outgoing()
        return taken

    def settle(self, outgoing: Outgoing) -> None:
        """It has left, or will never leave."""
        self.unsent -= outgoing.size

    def restore(self, outgoing: Outgoing) -> None:
        """Put back, before everything queued since: it was not sent for sure."""
        later, self._queue = self._queue, outgoing
        for partition, rows in later.rows.items():
            self._queue.rows[partition] += rows
        for place, messages in later.messages.items():
            self._queue.messages[place] += messages

    def discard(self, partitions: Iterable[int]) -> None:
        """Forget what is queued for partitions that are somebody else's now."""
        gone = set(partitions)
        self.unsent -= drop(self._queue, gone)

    def _put(self, place: Place, message: Message) -> None:
        self._queue.messages[place].append(message)
        self.unsent += 1

    def _full(self, topic: str) -> str:
        return self._names.get(topic) or self._names.setdefault(topic, f"{self.prefix}.{topic}")

    def __bool__(self) -> bool:
        return bool(self._queue)


def drop(outgoing: Outgoing, partitions: set[int]) -> int:
    """Remove everything of these partitions; returns how many messages that were."""
    before = outgoing.size
    for partition in partitions & outgoing.rows.keys():
        del outgoing.rows[partition]
    for place in [place for place in outgoing.messages if place[1] in partitions]:
        del outgoing.messages[place]
    return before - outgoing.size
