"""The scorecard: what is counted, how counts become a score, what raises a signal, where a customer stands.

`schemas.scorecard_file.load` reads one."""

import re
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def _seconds(value: object) -> object:
    """`48h` -> 172800.0; `forever` -> infinity."""
    if value == "forever":
        return float("inf")
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])", str(value))
    if not found:
        raise ValueError(f"{value!r} is not a duration; write a number and one of s, m, h, d, w, such as 48h")
    return float(found[1]) * _UNITS[found[2]]


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _version(value: object) -> object:
    """`1` -> "1"; of `1.10` YAML has made 1.1 already."""
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise ValueError('write the version in quotes, such as version: "1.10"')


Duration = Annotated[float, BeforeValidator(_seconds)]
"""Seconds, written as 30m, 48h, 7d, 2w, or forever."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    """Base of every part: unknown words are errors, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def words(part: type[Part] = Part) -> set[str]:
    """Every word that a scorecard may use to the left of a colon, names aside."""
    return {*part.model_fields}.union(*map(words, part.__subclasses__()))


class Match(Part):
    """Events of these types (`usage.tracked`), where each named field has one of the values."""

    on: Texts
    where: dict[str, Texts] = Field(default_factory=dict)


def _match(value: object) -> object:
    return {"on": value} if isinstance(value, str) else value


Matches = Annotated[tuple[Annotated[Match, BeforeValidator(_match)], ...], BeforeValidator(_listed)]


class Addend(Match):
    """Adds `weight`, times the field `amount` where one is named."""

    weight: Finite = 1.0
    amount: str | None = None


class Counter(Part):
    """A sum in which an event's worth halves every `half_life`."""

    half_life: Duration
    of: tuple[Addend, ...]


class FieldOf(Match):
    """The field that sets a gauge or a category."""

    field: str


class Gauge(Part):
    """The last value of a number or a date, by event time."""

    kind: Literal["number", "money", "date"] = "number"
    of: tuple[FieldOf, ...]


class Category(Part):
    """The last value of a text, by event time."""

    of: tuple[FieldOf, ...]


class Instant(Part):
    """When something happened, first or last."""

    first: Matches | None = None
    latest: Matches | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.first is None) == (self.latest is None):
            raise ValueError("an instant is either `first` or `latest`")
        return self

    @property
    def of(self) -> tuple[Match, ...]:
        """What is matched, whichever end is kept."""
        return self.first or self.latest or ()


class SlotValue(Match):
    """What a slot holds after the event: a number, a number by a field's value, or an answer on a scale of 0-100."""

    value: Finite | Literal["answer"] = 1.0
    by: str | None = None
    values: dict[str, Finite] = Field(default_factory=dict)


class Slots(Part):
    """The `size` newest entries, one for each value of the field `key`: open tickets, latest answers."""

    size: Annotated[int, Field(ge=1, le=64)] = 8
    key: str
    of: tuple[SlotValue, ...]


class Distinct(Part):
    """How many different values of `of` were seen in the last `days`; `day` counts the days themselves."""

    of: str
    on: Matches
    days: Annotated[int, Field(ge=1, le=63)] = 28


class Staleness(Part):
    """How a measure's weight fades with the age of an instant."""

    since: Name
    half_life: Duration


Points = Annotated[tuple[tuple[Finite, Finite], ...], Field(min_length=2)]


class Measure(Part):
    """A number made 0-100 by the straight lines between the points of `map`."""

    level: Name | None = None
    trend: tuple[Name, Name] | None = None
    age: Name | None = None
    silence: Name | None = None
    ratio: tuple[Name, Name] | None = None
    mean: Name | None = None
    map: Points
    known_by: Name | None = None
    since: Name | None = None
    latest: Name | None = None
    min_age: Duration = 259_200.0
    half_life: Duration = 7_776_000.0
    prior_days: Annotated[float, Field(gt=0, le=1000)] = 7.0
    prior_shape: Annotated[float, Field(gt=0, le=100)] = 0.5
    stale: Staleness | None = None

    @cached_property
    def kind(self) -> str:
        """Which of MEASURE_KINDS it is."""
        return next(k for k in MEASURE_KINDS if getattr(self, k) is not None)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        found = [k for k in MEASURE_KINDS if getattr(self, k) is not None]
        if len(found) != 1:
            raise ValueError(f"a measure is exactly one of {', '.join(MEASURE_KINDS)}; this one has {found or 'none'}")
        for needed in _NEEDS.get(found[0], ()):
            if getattr(self, needed) is None:
                raise ValueError(f"a measure of {found[0]} needs `{needed}`, an instant")
        xs = [x for x, _ in self.map]
        if any(a >= b for a, b in pairwise(xs)):
            raise ValueError(f"the points of `map` must go from left to right; these are at {xs}")
        if any(not 0 <= y <= 100 for _, y in self.map):
            raise ValueError("`map` gives scores from 0 to 100")
        return self


MEASURE_KINDS = ("level", "trend", "age", "silence", "ratio", "mean")
_NEEDS = {"level": ("known_by",), "trend": ("since",), "silence": ("since", "latest")}


class Indicator(Part):
    """True at a point in time: something happened lately, a date is near, or a slot is open too long."""

    latest: Name | None = None
    unless: Name | None = None
    date: Name | None = None
    slot: Name | None = None
    at_least: Finite = 1.0
    older_than: Duration = 0.0
    within: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(x is not None for x in (self.latest, self.date, self.slot)) != 1:
            raise ValueError("an indicator is exactly one of latest, date, slot")
        if self.slot is None and self.within is None:
            raise ValueError("an indicator of an instant or a date needs `within`, such as 14d")
        return self


class Condition(Part):
    """Which accounts: by category and by stage; every named one must hold."""

    plan: Texts | None = None
    segment: Texts | None = None
    stage: Texts | None = None


class Weighting(Part):
    """Weights of the measures for the accounts of `when`; of several that fit, the greatest priority decides."""

    name: Name
    when: Condition = Condition()
    priority: int = 0
    weights: dict[Name, Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]]


class Cap(Part):
    """While the indicator holds, health is at most `at`."""

    name: Name
    when: Name
    at: Annotated[float, Field(ge=0, le=100)]


class Signal(Part):
    """Raised when its value has been beyond `below` or `above`, and `when` held, for `dwell`; cleared beyond `exit`.

    `of` is health or a measure.  `levels` are worse thresholds, in order, that escalate."""

    family: Literal["churn_risk", "upsell"]
    kind: Name | None = None
    of: Name | None = None
    below: Finite | None = None
    above: Finite | None = None
    exit: Finite | None = None
    when: Name | None = None
    dwell: Duration = 0.0
    cool_down: Duration = 0.0
    level: Name = "medium"
    levels: dict[Name, Finite] = Field(default_factory=dict)
    potential_share: Annotated[float, Field(ge=0, le=10)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.of is None:
            if self.when is None or any(x is not None for x in (self.below, self.above, self.exit)) or self.levels:
                raise ValueError("a signal needs `of` with a threshold, or `when` alone")
            return self
        if (self.below is None) == (self.above is None) or self.exit is None:
            raise ValueError("a signal `of` something needs `exit` and either `below` or `above`")
        sign = 1.0 if self.below is not None else -1.0
        enter = self.below if self.below is not None else self.above
        if enter is None or sign * self.exit < sign * enter:
            raise ValueError(f"exit {self.exit} lies on the wrong side of {enter}: the signal would flap")
        steps = [sign * enter, *(sign * x for x in self.levels.values())]
        if any(a <= b for a, b in pairwise(steps)):
            raise ValueError("levels must grow worse one after the other, beginning beyond the signal's own threshold")
        return self


class Guard(Part):
    """One condition of a stage."""

    reached: Name | None = None
    counter: Name | None = None
    measure: Name | None = None
    indicator: Name | None = None
    after: tuple[Name, Name] | None = None
    recent: Name | None = None
    at_least: Finite = 0.0
    within: Duration = float("inf")

    @cached_property
    def kind(self) -> str:
        """Which of the six it is."""
        return next(k for k in GUARD_KINDS if getattr(self, k) is not None)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, k) is not None for k in GUARD_KINDS) != 1:
            raise ValueError(f"a guard is exactly one of {', '.join(GUARD_KINDS)}")
        return self


GUARD_KINDS = ("reached", "counter", "measure", "indicator", "after", "recent")


class Stage(Part):
    """A stage of the lifecycle.  An account is in the last stage all of whose guards hold."""

    name: Name
    when: tuple[Guard, ...] = ()


class Bands(Part):
    """Health from `amber` on is amber, from `green` on green, below red; a score must pass an edge by `margin`."""

    amber: Annotated[float, Field(ge=0, le=100)]
    green: Annotated[float, Field(ge=0, le=100)]
    margin: Annotated[float, Field(ge=0, le=20)] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.amber + 2 * self.margin >= self.green:
            raise ValueError("`green` must lie above `amber` by more than twice the margin")
        return self


class Scorecard(Part):
    """A whole scorecard.  Sections are named in the order in which data flows through them."""

    name: Name
    version: Annotated[str, BeforeValidator(_version)]
    recent_ids: Annotated[int, Field(ge=8, le=256)] = 64
    counters: dict[Name, Counter] = Field(default_factory=dict)
    gauges: dict[Name, Gauge] = Field(default_factory=dict)
    categories: dict[Name, Category] = Field(default_factory=dict)
    instants: dict[Name, Instant] = Field(default_factory=dict)
    slots: dict[Name, Slots] = Field(default_factory=dict)
    distinct: dict[Name, Distinct] = Field(default_factory=dict)
    indicators: dict[Name, Indicator] = Field(default_factory=dict)
    measures: Annotated[dict[Name, Measure], Field(min_length=1, max_length=64)]
    weightings: Annotated[tuple[Weighting, ...], Field(min_length=1)]
    min_coverage: Annotated[float, Field(ge=0, le=1)] = 0.4
    step: Annotated[float, Field(gt=0, le=100)] = 2.0
    bands: Bands
    caps: tuple[Cap, ...] = ()
    signals: dict[Name, Signal] = Field(default_factory=dict)
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=32)]
    stage_dwell: Duration = 604_800.0
