"""Records of a poll, over all topics and partitions at once, to the columns that `fold` wants.

Keeps the rules of `schemas.envelope` for thousands of records at a time.  Unreadable records come back beside the
batch, for the dead-letter topic; unknown event types are counted as seen and add nothing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import EARLIEST, SKEW_SECONDS, check_account, instant
from schemas.errors import InvalidEvent
from schemas.events.reading import Decode, DecodeFault, default_of, event_decoder, required_in
from schemas.scorecard import SlotValue
from streams.scoring.columns import Accounts
from streams.scoring.compile import DATE, MONEY, MONIES, OTHER, Model, Recipe
from streams.scoring.hashes import hashed, partitions_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_EARLIEST = EARLIEST.timestamp()
SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0)}
"""Least and greatest answer of each survey metric."""


class Record(Protocol):
    """What is needed of a Kafka record; the timestamp is in milliseconds."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...


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


class SlotSets(NamedTuple):
    """Entries written into slots: which event, the entry's hash, its value."""

    event: Ints
    hash: NDArray[np.uint32]
    value: Floats


class Batch(NamedTuple):
    """The readable events of a poll as columns; n events, in order within each partition of a source."""

    keys: list[bytes]
    source: Ints
    partition: Ints
    offsets: Ints
    times: Floats
    kinds: Ints
    amounts: Floats
    ids: NDArray[np.uint32]
    backfill: NDArray[np.bool_]
    gauges: Sets
    categories: Sets
    slots: dict[int, SlotSets]
    distinct: dict[int, Sets]
    days: dict[int, Ints]
    texts: list[tuple[int, dict[str, str]]]
    newest: dict[int, float]


class Reading(NamedTuple):
    """What became of the records of a poll."""

    batch: Batch | None
    rejects: list[Reject]
    misplaced: list[Misplacement]


class _Flat(NamedTuple):
    """Records of all slices one after the other."""

    records: list[Record]
    source: Ints
    partition: Ints


class Reader:
    """Reads for one model.  `rates` gives the worth of other currencies in the base currency; `clamp` holds event
    times to the append time plus five minutes."""

    def __init__(self, model: Model, accounts: Accounts, *, base_currency: str = "USD",
                 rates: Mapping[str, float] | None = None, clamp: bool = True) -> None:
        self._model, self._accounts, self._clamp = model, accounts, clamp
        self._rates: dict[str | None, float] = {None: 1.0, base_currency: 1.0, **(rates or {})}
        self._recipes = model.recipes
        self._numbers = {name: i for i, name in enumerate(self._recipes)}
        self._by_number = list(self._recipes.items())
        self._required = {name: required_in(name, recipe.fields) for name, recipe in self._by_number}
        self._decode: Decode = event_decoder({f for _, recipe in self._by_number for f in recipe.fields})

    def read(self, slices: Sequence[Slice]) -> Reading:
        """Decode and check; never raises on what a topic may hold."""
        flat = _flatten(slices)
        events, bad = self._decoded(flat.records)
        misplaced = self._check_keys(flat, events, bad)
        times = self._times(flat.records, events, bad)
        columns = _Columns(events, bad, len(flat.records))
        for name, at in self._present(events).items():
            self._read_type(columns, name, self._recipes[name], at)
        rejects = [Reject(int(flat.source[i]), int(flat.partition[i]), flat.records[i], why) for i, why in sorted(bad.items())
                   if not _beyond(misplaced, flat, i)]
        keep = np.array([i not in bad for i in range(len(events))], bool) if bad else np.ones(len(events), bool)
        for m in misplaced:
            keep &= ~((flat.source == m.source) & (flat.partition == m.partition) & (_offsets(flat.records) >= m.offset))
        return Reading(self._batch(flat, events, times, columns, keep) if keep.any() else None, rejects, misplaced)

    def _decoded(self, records: Sequence[Record]) -> tuple[list[Any], dict[int, str]]:
        decode = self._decode
        try:
            return [decode(r.value) for r in records], {}
        except (*DecodeFault, TypeError):
            pass
        events, bad = [], {}
        for i, record in enumerate(records):
            try:
                events.append(decode(record.value if record.value is not None else b""))
            except DecodeFault as error:
                events.append(decode.blank)
                bad[i] = "the record has no value" if record.value is None else str(error)
        return events, bad

    def _check_keys(self, flat: _Flat, events: Sequence[Any], bad: dict[int, str]) -> list[Misplacement]:
        """Key = subject = account id, in the partition that murmur2 gives it."""
        keys = [r.key for r in flat.records]
        if keys != [e.subject.encode() for e in events]:
            for i, (key, event) in enumerate(zip(keys, events, strict=True)):
                if i not in bad and key != event.subject.encode():
                    bad[i] = f"the Kafka key {_shown(key)} is not the subject {event.subject[:60]!r}; both are the account id"
        at = self._accounts.find([key or b"" for key in keys])
        for i in np.flatnonzero(at < 0).tolist():
            if i not in bad:
                try:
                    check_account(keys[i])
                except InvalidEvent as error:
                    bad[i] = str(error)
        strange = [i for i in np.flatnonzero(at < 0).tolist() if i not in bad]
        right = self._accounts.rows["partition"][np.maximum(at, 0)].astype(np.int64)
        right[strange] = partitions_of([keys[i] or b"" for i in strange], self._accounts.partitions)
        wrong = [i for i in np.flatnonzero(right != flat.partition).tolist() if i not in bad]
        first: dict[tuple[int, int], Misplacement] = {}
        for i in wrong:
            place = int(flat.source[i]), int(flat.partition[i])
            first.setdefault(place, Misplacement(*place, flat.records[i].offset, _wrong_partition(keys[i], place[1], int(right[i]))))
        return list(first.values())

    def _times(self, records: Sequence[Record], events: Sequence[Any], bad: dict[int, str]) -> Floats:
        stamps = np.array([r.timestamp for r in records], np.float64) / 1000.0
        times, texts = stamps.copy(), [e.time for e in events]
        stated = [i for i, text in enumerate(texts) if text is not None and i not in bad]
        found = instants([texts[i] for i in stated])
        if found is not None:
            times[stated] = found
        else:
            for i in stated:
                try:
                    times[i] = instant(texts[i])
                except InvalidEvent as error:
                    bad[i] = str(error)
        return np.minimum(times, stamps + SKEW_SECONDS) if self._clamp else times

    def _present(self, events: Sequence[Any]) -> dict[str, Ints]:
        """Known type -> positions of its events."""
        numbers = np.fromiter((self._numbers.get(e.type, -1) for e in events), np.int64, len(events))
        return {self._by_number[n][0]: np.flatnonzero(numbers == n) for n in np.unique(numbers).tolist() if n >= 0}

    def _read_type(self, out: "_Columns", name: str, recipe: Recipe, at: Ints) -> None:
        if self._required[name]:
            at = out.complete(name, self._required[name], at)
        positions = at.tolist()
        data = [out.events[i].data for i in positions]
        out.kinds[at] = _kinds(name, recipe, data)
        kinds = out.kinds[at].tolist()
        rates = [self._rates.get(d.currency) for d in data] if "currency" in recipe.fields else None
        if recipe.amount:
            amounts = [_number(getattr(d, recipe.amount)) for d in data]
            missing = 1.0 if recipe.amount == "count" else 0.0
            money = rates if recipe.amount in MONIES and rates is not None else [1.0] * len(data)
            out.amounts[at] = [missing if a is None else a * (r or 0.0) for a, r in zip(amounts, money, strict=True)]
        for write in recipe.gauges:
            for i, kind, d, rate in zip(positions, kinds, data, rates or [1.0] * len(data), strict=True):
                value = getattr(d, write.field)
                if value is not None and (write.kinds is None or kind in write.kinds):
                    out.gauge(i, write.place, write.how, value, rate)
        for write in recipe.categories:
            out.categories += [(i, write.place, v) for i, kind, d in zip(positions, kinds, data, strict=True)
                               if (v := getattr(d, write.field)) is not None and (write.kinds is None or kind in write.kinds)]
        for write in recipe.slots:
            found = out.slots.setdefault(write.place, [])
            for i, kind, d in zip(positions, kinds, data, strict=True):
                if write.kinds is None or kind in write.kinds:
                    out.slot(found, i, name, write, d)
        for write in recipe.distinct:
            out.distinct.setdefault(write.place, []).extend(
                (i, v) for i, kind, d in zip(positions, kinds, data, strict=True)
                if (v := getattr(d, write.field)) is not None and (write.kinds is None or kind in write.kinds))
        for write in recipe.days:
            out.days.setdefault(write.place, []).append(
                at if write.kinds is None else at[np.isin(out.kinds[at], list(write.kinds))])
        if recipe.texts:
            out.texts += [(i, found) for i, d in zip(positions, data, strict=True) if (found := _texts(d, recipe.texts))]

    def _batch(self, flat: _Flat, events: Sequence[Any], times: Floats, columns: "_Columns", keep: NDArray[np.bool_]) -> Batch:
        whole = bool(keep.all())
        renumber = np.cumsum(keep) - 1
        at = np.flatnonzero(keep).tolist()
        records = flat.records if whole else [flat.records[i] for i in at]
        kept = events if whole else [events[i] for i in at]
        source, when = flat.source[keep], times[keep]
        return Batch(
            [r.key or b"" for r in records], source, flat.partition[keep], _offsets(records), when,
            columns.kinds[keep], columns.amounts[keep], hashed([e.source + "\0" + e.id for e in kept]).astype(np.uint32),
            np.fromiter((e.backfill for e in kept), bool, len(kept)),
            *columns.finished(keep, renumber),
            {int(s): float(when[source == s].max()) for s in np.unique(source)})


class _Columns:
    """What the events of a poll say, gathered type by type."""

    def __init__(self, events: Sequence[Any], bad: dict[int, str], n: int) -> None:
        self.events, self._bad = events, bad
        self.kinds, self.amounts = np.zeros(n, np.int64), np.ones(n)
        self.gauges: list[tuple[int, int, float]] = []
        self.categories: list[tuple[int, int, str]] = []
        self.slots: dict[int, list[tuple[int, str, float]]] = {}
        self.distinct: dict[int, list[tuple[int, str]]] = {}
        self.days: dict[int, list[Ints]] = {}
        self.texts: list[tuple[int, dict[str, str]]] = []

    def complete(self, name: str, required: Sequence[str], at: Ints) -> Ints:
        """Positions of the events that have every required field; the others are rejected."""
        for i in at.tolist():
            for field in required:
                if getattr(self.events[i].data, field) is None:
                    self._bad.setdefault(i, f"{name}: `data.{field}` is missing")
        return at[np.fromiter((i not in self._bad for i in at.tolist()), bool, len(at))]

    def gauge(self, i: int, place: int, how: Any, value: Any, rate: float | None) -> None:
        """A number, money in a known currency, or a date."""
        if how == DATE:
            try:
                self.gauges.append((i, place, instant(value)))
            except InvalidEvent as error:
                self._bad.setdefault(i, str(error).replace("time", "date", 1))
        elif how != MONEY:
            self.gauges.append((i, place, _number(value) or 0.0))
        elif rate is not None:
            self.gauges.append((i, place, (_number(value) or 0.0) * rate))

    def slot(self, found: list[tuple[int, str, float]], i: int, name: str, write: Any, data: Any) -> None:
        """An entry of a slot: its key, and the value the scorecard gives it."""
        how: SlotValue = write.how
        if how.value == "answer":
            value = answer(data.metric, data.score, data.direction)
            if value is None:
                self._bad.setdefault(i, f"{name}: {data.score} is not on the scale of {data.metric}")
                return
        else:
            value = how.values.get(getattr(data, how.by) or "", float(how.value)) if how.by else float(how.value)
        found.append((i, getattr(data, write.field) or "", value))

    def finished(self, keep: NDArray[np.bool_], renumber: Ints) -> tuple[
            Sets, Sets, dict[int, SlotSets], dict[int, Sets], dict[int, Ints], list[tuple[int, dict[str, str]]]]:
        """As arrays, without the rejected events and with the rest renumbered."""
        def events(pairs: Sequence[tuple[Any, ...]]) -> tuple[list[tuple[Any, ...]], Ints]:
            good = [p for p in pairs if keep[p[0]]]
            return good, renumber[np.fromiter((p[0] for p in good), np.int64, len(good))]

        gauges, gauge_at = events(self.gauges)
        categories, category_at = events(self.categories)
        slots, distinct = {}, {}
        for place, pairs in self.slots.items():
            good, at = events(pairs)
            slots[place] = SlotSets(at, hashed([p[1] for p in good]).astype(np.uint32), np.array([p[2] for p in good]))
        for place, seen in self.distinct.items():
            good, at = events(seen)
            distinct[place] = Sets(at, np.zeros(0, np.int64), hashed([p[1] for p in good]))
        days = {place: renumber[at[keep[at]]] for place, found in self.days.items() if len(at := np.concatenate(found))}
        return (Sets(gauge_at, np.array([p[1] for p in gauges], np.int64), np.array([p[2] for p in gauges], np.float64)),
                Sets(category_at, np.array([p[1] for p in categories], np.int64), hashed([p[2] for p in categories])),
                slots, distinct, days, [(int(renumber[i]), found) for i, found in self.texts if keep[i]])


def answer(metric: str, score: float, direction: str | None) -> float | None:
    """A survey answer on 0-100, 100 the happiest; None when it is not on the metric's scale."""
    low, high = SCALES.get(metric, (np.inf, 0.0))
    if not low <= score <= high:
        return None
    share = (score - low) / (high - low) * 100.0
    return 100.0 - share if direction == "lower_is_better" and metric == "ces" else share


def instants(texts: Sequence[str]) -> Floats | None:
    """RFC 3339 texts in UTC, all of one length -> epoch seconds, parsed as columns of digits; None for any other
    spelling, or when one of them is no time at all or before 1990: then ask `schemas.envelope.instant` one by one."""
    if not texts:
        return np.zeros(0)
    width = len(texts[0])
    grid = np.frombuffer("".join(texts).encode(), np.uint8)
    if len(grid) != len(texts) * width or not 20 <= width <= 30:
        return None
    seconds = _utc_seconds(grid.reshape(-1, width))
    return None if seconds is None or (seconds < _EARLIEST).any() else seconds


_TEMPLATE = {4: b"-", 7: b"-", 10: b"T", 13: b":", 16: b":", -1: b"Z"}
_WHOLE = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]


def _utc_seconds(grid: NDArray[np.uint8]) -> Floats | None:
    """(n, width) characters -> (n,) seconds, or None when some text is not YYYY-MM-DDTHH:MM:SS[.fff]Z."""
    if any((grid[:, at] != ord(mark)).any() for at, mark in _TEMPLATE.items()):
        return None
    digits = grid - np.uint8(48)
    fraction, whole = digits[:, 20:-1], digits[:, _WHOLE]
    if (whole > 9).any() or (fraction > 9).any() or (grid.shape[1] > 20 and (grid[:, 19] != ord(".")).any()):
        return None
    century, year, month, day, hour, minute, second = (whole[:, 0::2].astype(np.int64) * 10 + whole[:, 1::2]).T
    if ((month < 1) | (month > 12) | (day < 1) | (hour > 23) | (minute > 59) | (second > 59)).any():
        return None
    months = ((century * 100 + year - 1970) * 12 + month - 1).astype("M8[M]")
    days = months.astype("M8[D]").astype(np.int64) + day - 1
    if (days >= (months + 1).astype("M8[D]").astype(np.int64)).any():
        return None
    return days * 86_400.0 + hour * 3600 + minute * 60 + second + fraction @ (0.1 ** np.arange(1, fraction.shape[1] + 1))


def _flatten(slices: Sequence[Slice]) -> _Flat:
    counts = [len(s.records) for s in slices]
    return _Flat([r for s in slices for r in s.records], np.repeat(np.array([s.source for s in slices], np.int64), counts),
                 np.repeat(np.array([s.partition for s in slices], np.int64), counts))


def _offsets(records: Sequence[Record]) -> Ints:
    return np.array([r.offset for r in records], np.int64)


def _beyond(misplaced: Sequence[Misplacement], flat: _Flat, i: int) -> bool:
    return any(flat.source[i] == m.source and flat.partition[i] == m.partition and flat.records[i].offset >= m.offset
               for m in misplaced)


def _kinds(name: str, recipe: Recipe, data: Sequence[Any]) -> list[int] | int:
    if not recipe.where:
        return recipe.kind
    fields = []
    for field, known in zip(recipe.where, recipe.values, strict=True):
        absent = default_of(name, field)
        read: Callable[[Any], Any] = lambda d, field=field, absent=absent: v if (v := getattr(d, field)) is not None else absent
        fields.append([v if v in known else OTHER for v in map(read, data)])
    return [recipe.cases[case] for case in zip(*fields, strict=True)]


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _texts(data: Any, fields: Sequence[str]) -> dict[str, str]:
    found = {field: value for field in fields if field != "crm" and (value := getattr(data, field)) is not None}
    return found | {f"crm.{name}": record for name, record in (getattr(data, "crm", None) or {}).items()}


def _shown(key: bytes | None) -> str:
    return repr(key[:60].decode(errors="replace")) if key else "(none)"


def _wrong_partition(key: bytes | None, found: int, right: int) -> str:
    return (f"account {_shown(key)} arrived in partition {found}, but murmur2 puts it in {right}: its producer uses another "
            f"partitioner and would split accounts in two. Set partitioner=murmur2_random in that producer (librdkafka's "
            f"default is CRC32), then restart the scorer")


def day_of(times: Floats) -> NDArray[np.uint16]:
    """Epoch seconds -> days since 1990 plus one, so that 0 means never."""
    return ((times - _EARLIEST) // 86_400.0 + 1).astype(np.uint16)


__all__ = ["UTC", "Batch", "Misplacement", "Reader", "Reading", "Reject", "Slice", "datetime"]
