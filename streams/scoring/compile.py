"""A scorecard as arrays: what each event type adds to which columns, and how columns become measures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.scorecard import Distinct, Guard, Match, Scorecard, SlotValue
from schemas.topics import SOURCES
from streams.scoring.layout import CELLS, FEW, MERGE_IDS, RECENT, RECENT_FIRST, RECENT_REST, Layout, Sidecar
from streams.scoring.plan import Plan, plan_of

Flags = NDArray[np.bool_]
PREFIX = "kesher."
SNAPSHOT = ("name", "plan", "segment", "owner", "crm")
"""Texts of a profile that facts carry."""
OTHER = "\0other"
DATE, MONEY, NUMBER = "date", "money", "number"
DAY_ITSELF = "day"
BANDS: tuple[Any, ...] = ("", "unknown", "red", "amber", "green")
CLEAR, PENDING, OPEN, COOLING = 0, 1, 2, 3


class Write(NamedTuple):
    """A value that events of one type write into column `place`; `kinds` says which of their kinds, None for all."""

    place: int
    field: str
    how: str | SlotValue
    kinds: frozenset[int] | None


class Recipe(NamedTuple):
    """How events of one type are read.  `cases` maps the values of the `where` fields to a kind."""

    kind: int
    where: tuple[str, ...]
    values: tuple[frozenset[str], ...]
    cases: dict[tuple[str, ...], int]
    amount: str | None
    gauges: tuple[Write, ...]
    categories: tuple[Write, ...]
    slots: tuple[Write, ...]
    distinct: tuple[Write, ...]
    days: tuple[Write, ...]
    texts: tuple[str, ...]

    @property
    def fields(self) -> set[str]:
        """Every field of the data that must be decoded."""
        writes = (*self.gauges, *self.categories, *self.slots, *self.distinct)
        out = {*self.where, *self.texts, *(w.field for w in writes if w.field)} | (
            {self.amount} if self.amount else set()
        )
        for write in self.slots:
            if isinstance(write.how, SlotValue):
                out |= {"metric", "score", "direction"} if write.how.value == "answer" else set()
                out |= {write.how.by} if write.how.by else set()
        return out | ({"currency"} if self.priced else set())

    @property
    def priced(self) -> bool:
        """Whether its events hold money that is summed or kept."""
        return self.amount in MONIES or any(g.how == MONEY for g in self.gauges)


MONIES = frozenset({"amount", "mrr", "cost"})


@dataclass(frozen=True)
class Model:
    """A compiled scorecard."""

    card: Scorecard
    layout: Layout
    recipes: dict[str, Recipe]
    plain: NDArray[np.float64]
    """(kinds, counters): added once per event."""
    scaled: NDArray[np.float64]
    """(kinds, counters): added times the event's amount."""
    first: Flags
    """(kinds, firsts): which kinds set which instants."""
    latest: Flags

    @cached_property
    def plan(self) -> Plan:
        """What judging needs."""
        return plan_of(self.card, self.layout)

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages, in order."""
        return self.layout.stages

    @cached_property
    def because(self) -> tuple[list[str], ...]:
        """For each stage its guards, in a word each."""
        return tuple([_in_a_word(guard) for guard in stage.when] for stage in self.card.stages)


def compile_model(card: Scorecard) -> Model:
    """The arrays of a scorecard whose names have been checked (`schemas.scorecard_file.load`)."""
    layout = Layout(
        sources=tuple(topic.name for topic in SOURCES),
        counters=tuple((name, counter.half_life) for name, counter in card.counters.items()),
        gauges=tuple(card.gauges),
        categories=tuple(card.categories),
        firsts=tuple(name for name, instant in card.instants.items() if instant.first),
        latests=tuple(name for name, instant in card.instants.items() if instant.latest),
        days=tuple(name for name, distinct in card.distinct.items() if distinct.of == DAY_ITSELF),
        measures=tuple(card.measures),
        signals=tuple(card.signals),
        stages=tuple(stage.name for stage in card.stages),
        weightings=tuple(weighting.name for weighting in card.weightings),
        caps=tuple(cap.name for cap in card.caps),
        sidecars=tuple(_sidecars(card)),
    )
    recipes, kinds = _recipes(card)
    plain, scaled = _counters(card, kinds)
    return Model(
        card, layout, recipes, plain, scaled, _marks(card, layout.firsts, kinds), _marks(card, layout.latests, kinds)
    )


def _sidecars(card: Scorecard) -> Iterable[Sidecar]:
    yield Sidecar("recent", RECENT, min(card.recent_ids, RECENT_FIRST))
    if card.recent_ids > RECENT_FIRST:
        yield Sidecar("recent", RECENT_REST, card.recent_ids - RECENT_FIRST)
    for name, slots in card.slots.items():
        yield Sidecar("slots", name, slots.size)
    for name, distinct in card.distinct.items():
        if distinct.of != DAY_ITSELF:
            yield Sidecar("few", name, FEW)
            yield Sidecar("many", name, CELLS)
    yield Sidecar("merge", "merge", MERGE_IDS)


class Kind(NamedTuple):
    """Events of one type whose `where` fields have these values (OTHER: none that the scorecard names)."""

    type: str
    values: dict[str, str]

    def fits(self, match: Match) -> bool:
        """Whether events of this kind are matched."""
        return self.type in match.on and all(self.values[field] in wanted for field, wanted in match.where.items())


def _recipes(card: Scorecard) -> tuple[dict[str, Recipe], list[Kind]]:
    matches = list(_matches(card))
    types = dict.fromkeys(on for match in matches for on in match.on)
    types |= dict.fromkeys(("profile.updated", "purchase.subscription_started", "purchase.subscription_changed"))
    kinds = [Kind("", {})]  # kind 0 adds nothing
    recipes = {}
    for type_ in types:
        mine = [match for match in matches if type_ in match.on]
        where = tuple(dict.fromkeys(field for match in mine for field in match.where))
        values = tuple(frozenset(v for match in mine for v in match.where.get(field, ())) for field in where)
        start = len(kinds)
        cases = {}
        for combination in product(*([*sorted(v), OTHER] for v in values)):
            cases[combination] = len(kinds)
            kinds.append(Kind(type_, dict(zip(where, combination, strict=True))))
        recipes[PREFIX + type_] = _recipe(card, type_, where, values, cases, kinds, start)
    return recipes, kinds


def _matches(card: Scorecard) -> Iterable[Match]:
    sections: tuple[Mapping[str, Any], ...] = (card.counters, card.gauges, card.categories, card.instants, card.slots)
    for part in chain.from_iterable(section.values() for section in sections):
        yield from part.of
    for distinct in card.distinct.values():
        yield from distinct.on


def _recipe(
    card: Scorecard,
    type_: str,
    where: tuple[str, ...],
    values: tuple[frozenset[str], ...],
    cases: dict[tuple[str, ...], int],
    kinds: Sequence[Kind],
    start: int,
) -> Recipe:
    def writes(parts: Iterable[tuple[int, str, str | SlotValue, Match]]) -> tuple[Write, ...]:
        out = []
        for place, field, how, match in parts:
            fitting = frozenset(k for k in cases.values() if kinds[k].fits(match))
            if fitting:
                out.append(Write(place, field, how, None if len(fitting) == len(cases) else fitting))
        return tuple(out)

    amounts = {a.amount for c in card.counters.values() for a in c.of if type_ in a.on and a.amount}
    texts = SNAPSHOT if type_ == "profile.updated" else ("plan",) if type_.startswith("purchase.subscription_") else ()
    return Recipe(
        start,
        where,
        values,
        cases,
        _only(amounts),
        writes((i, f.field, g.kind, f) for i, g in enumerate(card.gauges.values()) for f in g.of),
        writes((i, f.field, "", f) for i, c in enumerate(card.categories.values()) for f in c.of),
        writes((i, s.key, v, v) for i, s in enumerate(card.slots.values()) for v in s.of),
        writes((i, d.of, "", m) for i, d in enumerate(_distinct(card, days=False)) for m in d.on),
        writes((i, "", "", m) for i, d in enumerate(_distinct(card, days=True)) for m in d.on),
        texts,
    )


def _distinct(card: Scorecard, *, days: bool) -> list[Distinct]:
    return [d for d in card.distinct.values() if (d.of == DAY_ITSELF) == days]


def _only(amounts: set[str]) -> str | None:
    """One amount per event type; `schemas.scorecard_names` has refused a second."""
    return next(iter(amounts), None)


def _counters(card: Scorecard, kinds: Sequence[Kind]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    plain, scaled = np.zeros((2, len(kinds), len(card.counters)))
    for column, counter in enumerate(card.counters.values()):
        for addend in counter.of:
            for number, kind in enumerate(kinds):
                if kind.fits(addend):
                    (scaled if addend.amount else plain)[number, column] += addend.weight
    return plain, scaled


def _marks(card: Scorecard, names: Sequence[str], kinds: Sequence[Kind]) -> Flags:
    out = np.zeros((len(kinds), len(names)), bool)
    for column, name in enumerate(names):
        for number, kind in enumerate(kinds):
            out[number, column] = any(kind.fits(match) for match in card.instants[name].of)
    return out


def _in_a_word(guard: Guard) -> str:
    name = getattr(guard, guard.kind)
    return f"{guard.kind}:{'>'.join(name) if guard.kind == 'after' else name}"
