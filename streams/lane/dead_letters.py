"""Records that cannot be read: where they go, and when there are too many of them."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

WINDOW = 10_000
"""Records of a partition that the share of bad ones is taken of."""
BUCKET = 100


class Window:
    """How many of the last 10,000 records of a partition were bad, in steps of a hundred; it survives a restart."""

    def __init__(self, buckets: Iterable[tuple[int, int]] = ()) -> None:
        self._buckets = deque(buckets, maxlen=WINDOW // BUCKET)
        self._stored = list(self._buckets)

    @classmethod
    def restored(cls, value: bytes) -> "Window":
        """From the value of its changelog record."""
        return cls(msgspec.json.decode(value, type=list[tuple[int, int]]))

    def packed(self) -> bytes:
        """The value of its changelog record, about to be stored."""
        self._stored = list(self._buckets)
        return msgspec.json.encode(list(self._buckets))

    @property
    def changed(self) -> bool:
        """Whether bad records came or went since it was stored; good ones alone are not worth a record."""
        return self.bad != sum(wrong for _, wrong in self._stored)

    def add(self, records: int, bad: int) -> None:
        """A poll of `records`, `bad` of them unreadable, evenly spread as far as the window knows."""
        while records > 0:
            if not self._buckets or self._buckets[-1][0] >= BUCKET:
                self._buckets.append((0, 0))
            total, wrong = self._buckets[-1]
            step = min(BUCKET - total, records)
            share = round(bad * step / records)
            self._buckets[-1] = (total + step, wrong + share)
            records, bad = records - step, bad - share

    @property
    def records(self) -> int:
        """Records in the window."""
        return sum(total for total, _ in self._buckets)

    @property
    def bad(self) -> int:
        """Bad records in the window."""
        return sum(wrong for _, wrong in self._buckets)

    def flooded(self, share: float, least: int) -> bool:
        """Whether more than `share` and at least `least` of the records are bad."""
        return self.bad >= least and self.bad > share * self.records


Header = tuple[str, bytes]


def letter(topic: str, partition: int, record: Any, reason: str) -> tuple[bytes | None, bytes | None, Sequence[Header]]:
    """A dead letter: (key, value, headers), the record as it came and where it came from."""
    headers = (
        ("reason", reason.encode()),
        ("topic", topic.encode()),
        ("partition", str(partition).encode()),
        ("offset", str(record.offset).encode()),
    )
    return record.key, record.value, headers


def flood(partition: int, window: Window, prefix: str) -> str:
    """The sentence that tells why a partition pauses."""
    return (
        f"partition {partition} is paused: {window.bad} of its last {window.records} records could not be read. "
        f"Their reasons are in the topic {prefix}.dead-letters. Stop the producer that sends them; then stop the "
        f"scorer, run `kesher dead-letters resume --partition {partition}`, and start it again (with a larger "
        f"KESHER_DEAD_LETTER_SHARE if many more bad records wait)"
    )


def misplacement(partition: int, topic: str, offset: int, reason: str) -> str:
    """The sentence that tells why a partition stopped at a record of a wrong partition."""
    return (
        f"partition {partition} is stopped at {topic} offset {offset}: {reason}. Its producer does not place keys as "
        f"Kafka's own does, which would split an account in two; set partitioner=murmur2_random in that producer "
        f"(librdkafka's clients need it), send its events again and move the scorer's group past this offset"
    )
