"""The changelog's own records, and what one partition's log has told so far.

Keys that begin with 0x00 are Kesher's; all others are account rows.  One worker writes a partition: an owner record
opens its reign, and that record's offset, the generation, is stamped into everything it writes."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from streams.lane.dead_letters import Window
from streams.scoring.columns import Accounts

OWNER = b"\x00owner"
CHECKPOINT = b"\x00told"
SOURCES = b"\x00sources"
ADOPTED = b"\x00adopted"
REJECTS = b"\x00rejects"
LAYOUT = b"\x00layout:"

UNSET = -1


class Checkpoint(Struct, kw_only=True):
    """What a flush found settled: facts of rows up to changelog offset `told` are acknowledged, records below
    `positions` (next offset per source) are absorbed, events up to `newest` (epoch seconds per source) were seen."""

    told: int = UNSET
    positions: dict[int, int] = field(default_factory=dict)
    newest: dict[int, float] = field(default_factory=dict)


_checkpoint = msgspec.json.Decoder(Checkpoint).decode
_ids = msgspec.json.Decoder(dict[str, str]).decode
packed = msgspec.json.encode


class Ledger:
    """One partition of the changelog: whose it is, how far it is applied, and what it still owes.

    Offsets are UNSET until known."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.applied = UNSET
        self.generation = UNSET
        self.owner = UNSET
        """The newest owner record seen; rows of lower generations written after it do not count."""
        self.checkpoint = Checkpoint()
        self.told = UNSET
        self.deciding = array("q")
        """Offsets of rows that were accepted and carry facts, beyond `told`."""
        self.sources: dict[str, str] = {}
        self.sources_at = UNSET
        self.adopted: dict[str, str] = {}
        self.adopted_at = UNSET
        self.window = Window()
        self.layouts: set[bytes] = set()
        self.gaps: list[tuple[int, int]] = []
        """Offset ranges [start, stop) between own writes: somebody else's records."""

    @property
    def superseded(self) -> bool:
        """Whether a newer owner has shown itself."""
        return self.owner > self.generation > UNSET

    def follow(self, records: Sequence[Any], accounts: Accounts) -> None:
        """Take in changelog records in log order; those already applied are skipped."""
        if records and records[0].offset <= self.applied:
            records = [record for record in records if record.offset > self.applied]
        for rows, own in _runs(records):
            self._rows(rows, accounts)
            if own is not None:
                self._own(own, accounts)
        if records:
            self.applied = records[-1].offset

    def _rows(self, rows: Sequence[Any], accounts: Accounts) -> None:
        if not rows:
            return
        accepted = accounts.apply(self.number, [r.key for r in rows], [r.value for r in rows], max(self.owner, 0))
        self.deciding.extend(r.offset for r, ok in zip(rows, accepted, strict=True) if ok and r.headers)

    def _own(self, record: Any, accounts: Accounts) -> None:
        if record.key == OWNER:
            self.owner = max(self.owner, record.offset)
        elif record.key == CHECKPOINT and record.value is not None:
            self.checkpoint = _checkpoint(record.value)
            self.settle(self.checkpoint.told)
        elif record.key == SOURCES and record.value is not None:
            self.sources, self.sources_at = _ids(record.value), record.offset
        elif record.key == ADOPTED and record.value is not None:
            self.adopted, self.adopted_at = _ids(record.value), record.offset
        elif record.key == REJECTS:
            self.window = Window() if record.value is None else Window.restored(record.value)
        elif record.key.startswith(LAYOUT) and record.value is not None:
            self.layouts.add(record.key)
            accounts.learn(record.key, record.value)

    def settle(self, told: int) -> None:
        """Facts of rows up to changelog offset `told` are acknowledged."""
        if told > self.told:
            self.told = told
            self.deciding = array("q", (offset for offset in self.deciding if offset > told))

    def wrote(self, base: int, count: int) -> None:
        """Own records were stored at [base, base + count); whatever lies before them and is not own is a gap."""
        if base != self.applied + 1:
            self.gaps.append((self.applied + 1, base))
        self.applied = base + count - 1

    def fill(self, start: int, records: Sequence[Any], accounts: Accounts) -> None:
        """Take in what somebody else wrote into the first gap, which begins at `start`."""
        applied, self.applied = self.applied, start - 1
        self.follow(records, accounts)
        self.applied = applied
        self.gaps.pop(0)


def _runs(records: Sequence[Any]) -> Iterator[tuple[Sequence[Any], Any | None]]:
    """Account rows between Kesher's own records, each run with the own record that ends it."""
    start = 0
    for index in [index for index, record in enumerate(records) if record.key is None or record.key[:1] == b"\0"]:
        yield records[start:index], records[index] if records[index].key is not None else None
        start = index + 1
    yield records[start:], None


def owed(record: Any) -> Iterator[tuple[str, str, bytes]]:
    """(topic, id, value) of each fact in a deciding row's headers."""
    for topic, content in record.headers:
        name, _, value = content.partition(b"\n")
        yield topic, name.decode(), value


def header(topic: str, name: str, value: bytes) -> tuple[str, bytes]:
    """A fact as a header of its deciding row."""
    return topic, name.encode() + b"\n" + value
