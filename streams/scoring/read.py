"""Records of a poll, over all topics and partitions at once, to the columns that `fold` wants.

Keeps the rules of `schemas.envelope` for thousands of records at a time.  Unreadable records come back beside the
batch, for the dead-letter topic; unknown event types are seen and add nothing."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, cast

import numpy as np

from schemas.envelope import SKEW_SECONDS, check_account, instant
from schemas.errors import InvalidEvent
from schemas.events.reading import DecodeFault, EventDecoder
from streams.scoring.batch import Batch, Flags, Floats, Ints, Misplacement, Reading, Record, Reject, Slice
from streams.scoring.columns import Accounts
from streams.scoring.compile import Model
from streams.scoring.extract import Extracted, Extractor
from streams.scoring.hashes import identities, partitions_of
from streams.scoring.instants import instants

_key, _value, _offset, _timestamp = map(attrgetter, ("key", "value", "offset", "timestamp"))
_time, _subject, _backfill, _source, _id = map(attrgetter, ("time", "subject", "backfill", "source", "id"))


class _Flat(NamedTuple):
    """Records of all slices one after the other, with their keys and where those were found."""

    records: list[Record]
    source: Ints
    partition: Ints
    keys: list[bytes | None]
    rows: Ints

    def only(self, keep: Flags) -> "_Flat":
        """Some of them."""
        at = np.flatnonzero(keep).tolist()
        columns = (self.source[keep], self.partition[keep])
        return _Flat([self.records[i] for i in at], *columns, [self.keys[i] for i in at], self.rows[keep])


class Reader:
    """Reads for one model.  `rates` gives the worth of other currencies in the base currency; `clamp` holds event
    times to the append time plus five minutes."""

    def __init__(
        self,
        model: Model,
        accounts: Accounts,
        *,
        base_currency: str = "USD",
        rates: Mapping[str, float] | None = None,
        clamp: bool = True,
    ) -> None:
        self._accounts, self._clamp = accounts, clamp
        worth: dict[str | None, float] = {None: 1.0, base_currency: 1.0}
        worth.update(rates or {})
        self._extract = Extractor(model, worth)
        self._decoder = EventDecoder({f for recipe in model.recipes.values() for f in recipe.fields})

    def read(self, slices: Sequence[Slice]) -> Reading:
        """Decode and check; never raises on what a topic may hold."""
        flat = self._flatten(slices)
        bad: dict[int, str] = {}
        events = self._decoded(flat.records, bad)
        misplaced = self._check_keys(flat, events, bad)
        times = self._times(flat.records, events, bad)
        extracted = self._extract(events, bad)
        keep = np.ones(len(events), bool)
        keep[list(bad)] = False
        for m in misplaced:
            keep &= ~_beyond(m, flat)
        rejects = [
            Reject(int(flat.source[i]), int(flat.partition[i]), flat.records[i], why)
            for i, why in sorted(bad.items())
            if not any(_beyond(m, flat)[i] for m in misplaced)
        ]
        batch = self._batch(flat, events, times, extracted, keep) if keep.any() else None
        return Reading(batch, rejects, misplaced)

    def _flatten(self, slices: Sequence[Slice]) -> _Flat:
        counts = [len(s.records) for s in slices]
        records = [r for s in slices for r in s.records]
        keys = list(map(_key, records))
        return _Flat(
            records,
            np.repeat(np.array([s.source for s in slices], np.int64), counts),
            np.repeat(np.array([s.partition for s in slices], np.int64), counts),
            keys,
            self._accounts.find(keys),
        )

    def _decoded(self, records: Sequence[Record], bad: dict[int, str]) -> Sequence[Any]:
        values = list(map(_value, records))
        found = self._decoder.all(values)
        if found is not None:
            return found
        events = []
        for i, value in enumerate(values):
            try:
                events.append(self._decoder.one(value))
            except DecodeFault as error:
                events.append(self._decoder.blank)
                bad[i] = str(error)
        return events

    def _check_keys(self, flat: _Flat, events: Sequence[Any], bad: dict[int, str]) -> list[Misplacement]:
        """Key = subject = account id, in the partition that murmur2 gives it."""
        if flat.keys != [subject.encode() for subject in map(_subject, events)]:
            for i, (key, event) in enumerate(zip(flat.keys, events, strict=True)):
                if i not in bad and key != event.subject.encode():
                    bad[i] = (
                        f"the Kafka key {_shown(key)} is not the subject {event.subject[:60]!r}: both are the account"
                    )
        strangers = []
        for i in np.flatnonzero(flat.rows < 0).tolist():
            try:
                check_account(flat.keys[i])
                strangers.append(i)
            except InvalidEvent as error:
                bad.setdefault(i, str(error))
        right = self._accounts.rows["partition"][np.maximum(flat.rows, 0)].astype(np.int64)
        right[strangers] = partitions_of([flat.keys[i] or b"" for i in strangers], self._accounts.partitions)
        first: dict[tuple[int, int], Misplacement] = {}
        for i in np.flatnonzero(right != flat.partition).tolist():
            place = int(flat.source[i]), int(flat.partition[i])
            if i not in bad and place not in first:
                reason = _wrong_partition(flat.keys[i], place[1], int(right[i]))
                first[place] = Misplacement(*place, flat.records[i].offset, reason)
        return list(first.values())

    def _times(self, records: Sequence[Record], events: Sequence[Any], bad: dict[int, str]) -> Floats:
        """Event times; where none is stated, the Kafka timestamp."""
        stamps = np.array(list(map(_timestamp, records)), np.float64) / 1000.0
        texts = list(map(_time, events))
        found = instants(texts) if None not in texts and not bad else None
        times = stamps.copy() if found is None else found
        if found is None:
            for i, text in enumerate(texts):
                try:
                    times[i] = stamps[i] if text is None or i in bad else instant(text)
                except InvalidEvent as error:
                    bad[i] = str(error)
        return np.minimum(times, stamps + SKEW_SECONDS) if self._clamp else times

    def _batch(self, flat: _Flat, events: Sequence[Any], times: Floats, extracted: Extracted, keep: Flags) -> Batch:
        said = extracted.said(None if keep.all() else keep)
        if not keep.all():
            at = np.flatnonzero(keep).tolist()
            flat, times = flat.only(keep), times[keep]
            events = [events[i] for i in at]
        return Batch(
            keys=cast("list[bytes]", flat.keys),  # every key has been checked
            rows=flat.rows,
            source=flat.source,
            partition=flat.partition,
            offsets=np.array(list(map(_offset, flat.records)), np.int64),
            times=times,
            ids=identities(list(map(_source, events)), list(map(_id, events))),
            backfill=np.array(list(map(_backfill, events)), bool),
            said=said,
            newest={int(s): float(times[flat.source == s].max()) for s in np.unique(flat.source)},
        )


def _beyond(m: Misplacement, flat: _Flat) -> Flags:
    offsets = np.array(list(map(_offset, flat.records)), np.int64)
    beyond: Flags = (flat.source == m.source) & (flat.partition == m.partition) & (offsets >= m.offset)
    return beyond


def _shown(key: bytes | None) -> str:
    return repr(key[:60].decode(errors="replace")) if key else "(none)"


def _wrong_partition(key: bytes | None, found: int, right: int) -> str:
    return (
        f"account {_shown(key)} arrived in partition {found}, but murmur2 puts it in {right}: its producer has another "
        f"partitioner and would split accounts in two. Set partitioner=murmur2_random in that producer (librdkafka's "
        f"default is CRC32), then restart the scorer"
    )
