"""What travels between the steps of scoring: slices of records in, a batch of readable events on."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Record(Protocol):
    """What is needed of a Kafka record; the timestamp is in milliseconds."""

    @property
    def key(self) -> bytes | None:
        """Account id."""

    @property
    def offset(self) -> int:
        """Place in the partition."""

    @property
    def timestamp(self) -> int:
        """When it was appended, in milliseconds."""

    @property
    def value(self) -> bytes | None:
        """A CloudEvent as JSON."""


class Slice(NamedTuple):
    """Consecutive records of one partition of the source at `source` in `schemas.topics.SOURCES`."""

    source: int
    partition: int
    records: Sequence[Record]


class Reject(NamedTuple):
    """A record nobody can read, and why."""

    source: int
    partition: int
    record: Record
    reason: str


class Misplacement(NamedTuple):
    """From `offset` on this partition holds records of accounts that belong elsewhere; none of them is in the batch."""

    source: int
    partition: int
    offset: int
    reason: str


class Sets(NamedTuple):
    """Values written by some events of a batch: which event, which place, what.  Three arrays of equal length."""

    event: Ints
    place: Ints
    value: NDArray[Any]


class Entries(NamedTuple):
    """Entries written into one sidecar: which event, the entry's hash, its value (slots only)."""

    event: Ints
    hash: NDArray[np.uint64]
    value: Floats


class Said(NamedTuple):
    """What the events of a batch say, beside what they add: (events,) kinds and amounts, and sparse values."""

    kinds: Ints
    amounts: Floats
    gauges: Sets
    categories: Sets
    slots: dict[int, Entries]
    distinct: dict[int, Entries]
    days: dict[int, Ints]
    texts: list[tuple[int, dict[str, str]]]
    unpriced: int
    """Amounts in a currency of unknown worth: counted here, not summed."""


class Batch(NamedTuple):
    """The readable events of a poll as columns; n events, in order within each partition of a source."""

    keys: list[bytes]
    rows: Ints
    """Rows of the accounts as the reader found them, -1 for new ones."""
    source: Ints
    partition: Ints
    offsets: Ints
    times: Floats
    ids: NDArray[np.uint32]
    backfill: Flags
    said: Said
    newest: dict[int, float]
    """Source -> greatest event time."""


class Reading(NamedTuple):
    """What became of the records of a poll."""

    batch: Batch | None
    rejects: list[Reject]
    misplaced: list[Misplacement]
