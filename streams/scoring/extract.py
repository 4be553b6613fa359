"""What decoded events say, type by type: kinds, amounts, and the values they write into gauges, slots and the rest.

Only fields that the scorecard names are looked at.  A value that breaks a rule rejects its event."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from schemas.envelope import instant
from schemas.errors import InvalidEvent
from schemas.events.reading import default_of, required_in
from schemas.scorecard import SlotValue
from streams.scoring.batch import Entries, Flags, Floats, Ints, Said, Sets
from streams.scoring.compile import DATE, MONEY, MONIES, OTHER, Model, Recipe, Write
from streams.scoring.hashes import hashed

SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0)}
"""Least and greatest answer of each survey metric."""
_type, _data = map(attrgetter, ("type", "data"))


class Extractor:
    """Reads the data of the event types of one model.  `rates`: currency -> worth in the base currency."""

    def __init__(self, model: Model, rates: Mapping[str | None, float]) -> None:
        self._rates = rates
        self._recipes = list(model.recipes.items())
        self._numbers = {name: i for i, (name, _) in enumerate(self._recipes)}
        self._required = [required_in(name, recipe.fields) for name, recipe in self._recipes]

    def __call__(self, events: Sequence[Any], bad: dict[int, str]) -> "Extracted":
        """Decoded events -> what they say; events that break a rule are added to `bad` with the reason."""
        out = Extracted(len(events), bad)
        numbers = np.fromiter(map(self._numbers.get, map(_type, events), _FOREVER), np.int64, len(events))
        for number in np.unique(numbers).tolist():
            if number >= 0:
                at = np.flatnonzero(numbers == number)
                data = list(map(_data, map(events.__getitem__, at.tolist())))
                if self._required[number]:
                    at, data = self._complete(number, at, data, bad)
                name, recipe = self._recipes[number]
                out.read(name, recipe, at, data, self._rates)
        return out

    def _complete(self, number: int, at: Ints, data: list[Any], bad: dict[int, str]) -> tuple[Ints, list[Any]]:
        """The events that have every field their type requires."""
        good = np.ones(len(at), bool)
        for k, (i, found) in enumerate(zip(at.tolist(), data, strict=True)):
            for field in self._required[number]:
                if getattr(found, field) is None:
                    bad.setdefault(i, f"{self._recipes[number][0]}: `data.{field}` is missing")
                    good[k] = False
        return at[good], [found for found, fine in zip(data, good.tolist(), strict=True) if fine]


class _Forever:
    """An endless supply of -1 for `map`."""

    def __iter__(self) -> "_Forever":
        return self

    def __next__(self) -> int:
        return -1


_FOREVER = _Forever()


class Extracted:
    """What the events of a poll say, gathered type by type."""

    def __init__(self, n: int, bad: dict[int, str]) -> None:
        self._bad = bad
        self._kinds, self._amounts = np.zeros(n, np.int64), np.ones(n)
        self._gauges: list[tuple[int, int, float]] = []
        self._categories: list[tuple[int, int, str]] = []
        self._slots: dict[int, list[tuple[int, str, float]]] = {}
        self._distinct: dict[int, list[tuple[Ints, list[str]]]] = {}
        self._days: dict[int, list[Ints]] = {}
        self._texts: list[tuple[int, dict[str, str]]] = []
        self._unpriced = 0

    def read(self, name: str, recipe: Recipe, at: Ints, data: Sequence[Any], rates: Mapping[str | None, float]) -> None:
        """Events of one type: their positions and decoded data."""
        self._kinds[at] = kinds = kinds_of(name, recipe, data)
        worth = [rates.get(d.currency) for d in data] if recipe.priced else None
        if worth is not None:
            self._unpriced += worth.count(None)
        if recipe.amount:
            self._amounts[at] = self._amount(recipe.amount, data, worth)
        for write in recipe.gauges:
            self._set_gauges(write, at, kinds, data, worth)
        for write in recipe.categories:
            found = self._values(write, at, kinds, data)
            self._categories += [(i, write.place, value) for i, value in zip(found[0].tolist(), found[1], strict=True)]
        for write in recipe.slots:
            self._fill_slots(name, write, at, kinds, data)
        for write in recipe.distinct:
            self._distinct.setdefault(write.place, []).append(self._values(write, at, kinds, data))
        for write in recipe.days:
            self._days.setdefault(write.place, []).append(_of_kinds(write, at, kinds))
        if recipe.texts:
            self._texts += [
                (i, texts) for i, d in zip(at.tolist(), data, strict=True) if (texts := _texts(d, recipe.texts))
            ]

    def _amount(self, field: str, data: Sequence[Any], worth: Sequence[float | None] | None) -> Floats:
        values = list(map(attrgetter(field), data))
        if field not in MONIES or worth is None:
            return np.array([1.0 if v is None else v for v in values] if None in values else values, np.float64)
        return np.array([0.0 if v is None or w is None else float(v) * w for v, w in zip(values, worth, strict=True)])

    def _values(self, write: Write, at: Ints, kinds: Ints, data: Sequence[Any]) -> tuple[Ints, list[Any]]:
        """Positions and values of the field where it is there and the kind is one that writes."""
        values = list(map(attrgetter(write.field), data))
        if write.kinds is None and None not in values:
            return at, values
        writes = np.ones(len(at), bool) if write.kinds is None else np.isin(kinds, list(write.kinds))
        writes &= np.fromiter((v is not None for v in values), bool, len(values))
        return at[writes], [values[k] for k in np.flatnonzero(writes).tolist()]

    def _set_gauges(
        self, write: Write, at: Ints, kinds: Ints, data: Sequence[Any], worth: Sequence[float | None] | None
    ) -> None:
        found, values = self._values(write, at, kinds, data)
        priced = dict(zip(at.tolist(), worth, strict=True)) if write.how == MONEY and worth is not None else None
        for i, value in zip(found.tolist(), values, strict=True):
            if write.how == DATE:
                try:
                    self._gauges.append((i, write.place, instant(value)))
                except InvalidEvent as error:
                    self._bad.setdefault(i, str(error).replace("time", f"`data.{write.field}`", 1))
            elif priced is None:
                self._gauges.append((i, write.place, float(value)))
            elif (rate := priced[i]) is not None:
                self._gauges.append((i, write.place, float(value) * rate))

    def _fill_slots(self, name: str, write: Write, at: Ints, kinds: Ints, data: Sequence[Any]) -> None:
        found = self._slots.setdefault(write.place, [])
        for i, kind, d in zip(at.tolist(), kinds.tolist(), data, strict=True):
            if write.kinds is None or kind in write.kinds:
                value = _slot_value(write.how, d)
                if value is None:
                    self._bad.setdefault(i, f"{name}: {d.score:g} is not on the scale of {d.metric}")
                else:
                    found.append((i, getattr(d, write.field) or "", value))

    def said(self, keep: Flags | None) -> Said:
        """As arrays, without the events that `keep` leaves out and with the rest renumbered; None keeps all."""
        new = None if keep is None else np.where(keep, np.cumsum(keep) - 1, -1)
        slots = {place: _entries(pairs, new) for place, pairs in self._slots.items()}
        distinct = {}
        for place, parts in self._distinct.items():
            at, good = _renumbered(np.concatenate([at for at, _ in parts]), new)
            hashes = hashed([v for _, found in parts for v in found])
            distinct[place] = Entries(at, hashes if good is None else hashes[good], np.zeros(0))
        days = {place: _renumbered(np.concatenate(found), new)[0] for place, found in self._days.items()}
        texts = self._texts if new is None else [(int(new[i]), found) for i, found in self._texts if new[i] >= 0]
        kinds, amounts = (self._kinds, self._amounts) if keep is None else (self._kinds[keep], self._amounts[keep])
        gauges, categories = _sets(self._gauges, new), _sets(self._categories, new)
        return Said(kinds, amounts, gauges, categories, slots, distinct, days, texts, self._unpriced)


def kinds_of(name: str, recipe: Recipe, data: Sequence[Any]) -> Ints:
    """(events,) the kind of each event of one type, by the values of its `where` fields."""
    if not recipe.where:
        return np.full(len(data), recipe.kind)
    fields = []
    for field, known in zip(recipe.where, recipe.values, strict=True):
        absent = default_of(name, field)
        values = (absent if v is None else v for v in map(attrgetter(field), data))
        fields.append([v if v in known else OTHER for v in values])
    return np.array([recipe.cases[case] for case in zip(*fields, strict=True)], np.int64)


def answer(metric: str, score: float, direction: str | None) -> float | None:
    """A survey answer on 0-100, 100 the happiest; None when it is not on the metric's scale."""
    low, high = SCALES.get(metric, (np.inf, 0.0))
    if not low <= score <= high:
        return None
    share = (score - low) / (high - low) * 100.0
    return 100.0 - share if direction == "lower_is_better" and metric == "ces" else share


def _slot_value(how: str | SlotValue, data: Any) -> float | None:
    if isinstance(how, str):
        raise TypeError(how)
    if how.value == "answer":
        return answer(data.metric, data.score, data.direction)
    return how.values.get(getattr(data, how.by) or "", float(how.value)) if how.by else float(how.value)


def _of_kinds(write: Write, at: Ints, kinds: Ints) -> Ints:
    return at if write.kinds is None else at[np.isin(kinds, list(write.kinds))]


def _renumbered(at: Ints, new: Ints | None) -> tuple[Ints, Flags | None]:
    """Positions among the kept events, and which were kept; None for all."""
    if new is None:
        return at, None
    found = new[at]
    return found[found >= 0], found >= 0


def _kept(pairs: Sequence[tuple[int, Any, Any]], new: Ints | None) -> tuple[Ints, Sequence[tuple[int, Any, Any]]]:
    """Positions among the kept events, and the pairs of these."""
    at, good = _renumbered(np.fromiter((p[0] for p in pairs), np.int64, len(pairs)), new)
    return at, pairs if good is None else [p for p, fine in zip(pairs, good.tolist(), strict=True) if fine]


def _sets(pairs: Sequence[tuple[int, int, Any]], new: Ints | None) -> Sets:
    at, kept = _kept(pairs, new)
    values = [p[2] for p in kept]
    texts = bool(values) and isinstance(values[0], str)
    return Sets(at, np.array([p[1] for p in kept], np.int64), hashed(values) if texts else np.array(values, np.float64))


def _entries(pairs: Sequence[tuple[int, str, float]], new: Ints | None) -> Entries:
    at, kept = _kept(pairs, new)
    return Entries(at, hashed([p[1] for p in kept]), np.array([p[2] for p in kept], np.float64))


def _texts(data: Any, fields: Sequence[str]) -> dict[str, str]:
    found = {field: value for field in fields if field != "crm" and (value := getattr(data, field)) is not None}
    return found | {f"crm.{name}": record for name, record in (getattr(data, "crm", None) or {}).items()}
