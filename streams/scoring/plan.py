"""What judging needs of a scorecard, looked up once: places instead of names, and one array where many parts of a kind
are judged together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.scorecard import Guard, Indicator, Measure, Scorecard
from streams.scoring.hashes import hashed
from streams.scoring.layout import Layout

Places = NDArray[np.intp]
Floats = NDArray[np.float64]
NONE, HEALTH = -2, -1
"""What a signal watches when it is no measure."""


class Recency(NamedTuple):
    """Indicators that something happened lately: their places, the instants, those that end it (-1 none), seconds."""

    at: Places
    latest: Places
    unless: Places
    within: Floats


class Levels(NamedTuple):
    """Measures of a counter: their places, the counters, the instants by which they are known."""

    at: Places
    counter: Places
    known_by: Places


class Trends(NamedTuple):
    """Measures of two counters: places, short and long ones and their half-lives, since when, least age in seconds."""

    at: Places
    short: Places
    long: Places
    short_half_life: Floats
    long_half_life: Floats
    since: Places
    min_age: Floats


class Ages(NamedTuple):
    """Measures of the age of an instant: their places, the instants."""

    at: Places
    since: Places


class Watches(NamedTuple):
    """One value per signal: measure (HEALTH, NONE), sign, enter, exit, dwell, cool-down, indicator (-1 none); signed
    thresholds (signals, levels) of the levels above the first, -inf where there is none."""

    measure: Places
    sign: Floats
    enter: Floats
    exit: Floats
    dwell: Floats
    cool_down: Floats
    when: Places
    worse: Floats


class Choice(NamedTuple):
    """A weighting and the accounts it is for: category places with the hashes wanted, and stages by number."""

    number: int
    categories: list[tuple[int, list[np.uint64]]]
    stages: NDArray[np.bool_] | None


CALM = 1_800.0
"""Seconds that a row may be left alone at most, when it is seen beforehand that nothing will come of it."""


@dataclass(frozen=True)
class Plan:
    """All of it, for one scorecard."""

    calm: float
    """Seconds that a row may be left alone: so few that nothing begins and ends in between."""

    instants: Mapping[str, int]
    """Name -> place among `first` and `latest`, one after the other."""
    counters: Mapping[str, int]
    gauges: Mapping[str, int]
    recency: Recency
    indicators: Sequence[tuple[int, Indicator]]
    """(place, indicator) of the others."""
    levels: Levels
    trends: Trends
    ages: Ages
    measures: Sequence[tuple[int, Measure]]
    """(place, measure) of the others."""
    stale: Sequence[tuple[int, int, float]]
    """(measure, instant, half-life)"""
    curves: tuple[Floats, list[Floats]]
    weights: Floats
    """(weightings, measures)."""
    choices: Sequence[Choice]
    """By ascending rank: the last that fits decides."""
    caps: Sequence[tuple[int, int, float]]
    """(number from 1, indicator, limit)"""
    watches: Watches
    guards: Sequence[Guard]
    """Each different guard of a stage once."""
    needs: NDArray[np.float32]
    """(guards, stages): 1 where a stage needs a guard."""


def plan_of(card: Scorecard, layout: Layout) -> Plan:
    """Look everything up."""
    instants = {name: place for place, name in enumerate((*layout.firsts, *layout.latests))}
    counters = {name: place for place, (name, _) in enumerate(layout.counters)}
    guards = list(dict.fromkeys(chain.from_iterable(stage.when for stage in card.stages)))
    needs = np.array([[guard in stage.when for stage in card.stages] for guard in guards], np.float32)
    return Plan(
        calm=_calm(card),
        instants=instants,
        counters=counters,
        gauges={name: place for place, name in enumerate(layout.gauges)},
        recency=_recency(card, instants),
        indicators=[(i, it) for i, it in enumerate(card.indicators.values()) if it.latest is None],
        levels=_levels(card, instants, counters),
        trends=_trends(card, instants, counters),
        ages=_ages(card, instants),
        measures=[(i, m) for i, m in enumerate(card.measures.values()) if m.kind in {"silence", "ratio", "mean"}],
        stale=[
            (i, instants[m.stale.since], m.stale.half_life) for i, m in enumerate(card.measures.values()) if m.stale
        ],
        curves=_curves(card),
        weights=np.array([[w.weights.get(name, 0.0) for name in card.measures] for w in card.weightings]),
        choices=_choices(card, layout),
        caps=[(n, list(card.indicators).index(cap.when), cap.at) for n, cap in enumerate(card.caps, 1)],
        watches=_watches(card),
        guards=guards,
        needs=needs.reshape(len(guards), len(card.stages)),
    )


def _calm(card: Scorecard) -> float:
    fading = [
        *(counter.half_life for counter in card.counters.values()),
        *(x for it in card.indicators.values() for x in (it.within or 0.0, it.older_than)),
        *(x for m in card.measures.values() for x in (m.half_life, m.stale.half_life if m.stale else 0.0)),
        *(guard.within for stage in card.stages for guard in stage.when),
    ]
    ripening = [x for signal in card.signals.values() for x in (signal.dwell, signal.cool_down)]
    return min(CALM, *(x / 8 for x in fading if x > 0), *(x for x in (*ripening, card.stage_dwell) if x > 0))


def _places(found: Sequence[int]) -> Places:
    return np.array(found, np.intp)


def _of(card: Scorecard, kind: str) -> list[tuple[int, Measure]]:
    return [(i, m) for i, m in enumerate(card.measures.values()) if m.kind == kind]


def _recency(card: Scorecard, instants: Mapping[str, int]) -> Recency:
    found = [(i, it) for i, it in enumerate(card.indicators.values()) if it.latest is not None]
    return Recency(
        _places([i for i, _ in found]),
        _places([instants[it.latest or ""] for _, it in found]),
        _places([instants[it.unless] if it.unless else -1 for _, it in found]),
        np.array([it.within or 0.0 for _, it in found]),
    )


def _levels(card: Scorecard, instants: Mapping[str, int], counters: Mapping[str, int]) -> Levels:
    found = _of(card, "level")
    return Levels(
        _places([i for i, _ in found]),
        _places([counters[m.level or ""] for _, m in found]),
        _places([instants[m.known_by or ""] for _, m in found]),
    )


def _trends(card: Scorecard, instants: Mapping[str, int], counters: Mapping[str, int]) -> Trends:
    found = [(i, m, *(m.trend or ("", ""))) for i, m in _of(card, "trend")]
    return Trends(
        _places([i for i, *_ in found]),
        _places([counters[short] for _, _, short, _ in found]),
        _places([counters[long] for *_, long in found]),
        np.array([card.counters[short].half_life for _, _, short, _ in found]),
        np.array([card.counters[long].half_life for *_, long in found]),
        _places([instants[m.since or ""] for _, m, *_ in found]),
        np.array([m.min_age for _, m, *_ in found]),
    )


def _ages(card: Scorecard, instants: Mapping[str, int]) -> Ages:
    found = _of(card, "age")
    return Ages(_places([i for i, _ in found]), _places([instants[m.age or ""] for _, m in found]))


def _curves(card: Scorecard) -> tuple[Floats, list[Floats]]:
    """Piecewise-linear maps as a base and the same number of ramps (3: start, 1/width, rise) for every measure."""
    points = [m.map for m in card.measures.values()]
    ramps = []
    for i in range(max(map(len, points)) - 1):
        pairs = [(p[i], p[i + 1]) if i + 1 < len(p) else ((0.0, 0.0), (1.0, 0.0)) for p in points]
        ramps.append(
            np.array([[a[0] for a, _ in pairs], [1 / (b[0] - a[0]) for a, b in pairs], [b[1] - a[1] for a, b in pairs]])
        )
    return np.array([p[0][1] for p in points]), ramps


def _choices(card: Scorecard, layout: Layout) -> list[Choice]:
    ranked = sorted(enumerate(card.weightings), key=lambda pair: (pair[1].priority, -pair[0]))
    out = []
    for number, weighting in ranked:
        wanted = {"plan": weighting.when.plan, "segment": weighting.when.segment}
        categories = [(layout.categories.index(name), list(hashed(texts))) for name, texts in wanted.items() if texts]
        stages = [stage in weighting.when.stage for stage in layout.stages] if weighting.when.stage else None
        out.append(Choice(number, categories, None if stages is None else np.array(stages)))
    return out


def _watches(card: Scorecard) -> Watches:
    measures, indicators, found = list(card.measures), list(card.indicators), list(card.signals.values())
    signs = [-1.0 if s.above is not None else 1.0 for s in found]
    enters = [s.below if s.below is not None else s.above for s in found]
    most = max((len(s.levels) for s in found), default=0)
    worse = np.full((len(found), most), -np.inf)
    for i, (signal, sign) in enumerate(zip(found, signs, strict=True)):
        worse[i, : len(signal.levels)] = [sign * limit for limit in signal.levels.values()]
    return Watches(
        _places([NONE if s.of is None else HEALTH if s.of == "health" else measures.index(s.of) for s in found]),
        np.array(signs),
        np.array([sign * x if x is not None else np.inf for sign, x in zip(signs, enters, strict=True)]),
        np.array([sign * s.exit if s.exit is not None else np.inf for sign, s in zip(signs, found, strict=True)]),
        np.array([s.dwell for s in found]),
        np.array([s.cool_down for s in found]),
        _places([indicators.index(s.when) if s.when else -1 for s in found]),
        worse,
    )
