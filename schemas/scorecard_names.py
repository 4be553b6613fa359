"""Which names of a scorecard point at nothing, and the word that was probably meant."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from msgspec.structs import fields

from schemas.events import INPUTS
from schemas.scorecard import Match, Scorecard

TYPES = {name.removeprefix("kesher."): event.data for name, event in INPUTS.items()}
Place = tuple[str | int, ...]
Found = Iterator[tuple[Place, str]]
HEALTH = "health"


def unknown_names(card: Scorecard) -> list[tuple[Place, str]]:
    """(path in the file, sentence) of every name that does not exist."""
    return [*_events(card), *_measures(card), *_indicators(card), *_weightings(card), *_signals(card), *_stages(card)]


def _events(card: Scorecard) -> Found:
    for section in ("counters", "gauges", "categories", "slots"):
        for name, part in getattr(card, section).items():
            yield from _matches(part.of, (section, name, "of"))
            for i, match in enumerate(part.of):
                for field in ("amount", "field", "by"):
                    yield from _fields(match, getattr(match, field, None), (section, name, "of", i, field))
    yield from _amounts(card)
    for name, instant in card.instants.items():
        yield from _matches(instant.of, ("instants", name, "first" if instant.first else "latest"))
    for name, slot in card.slots.items():
        for i, match in enumerate(slot.of):
            yield from _fields(match, slot.key, ("slots", name, "of", i))
    for name, distinct in card.distinct.items():
        yield from _matches(distinct.on, ("distinct", name, "on"))
        for i, match in enumerate(distinct.on):
            yield from _fields(match, None if distinct.of == "day" else distinct.of, ("distinct", name, "on", i))


def _amounts(card: Scorecard) -> Found:
    seen: dict[str, str] = {}
    for name, counter in card.counters.items():
        for i, addend in enumerate(counter.of):
            for on in addend.on:
                if addend.amount and seen.setdefault(on, addend.amount) != addend.amount:
                    yield (
                        ("counters", name, "of", i, "amount"),
                        f"{on} is summed by `{seen[on]}` already; one event type has one amount",
                    )


def _matches(matches: Iterable[Match], path: Place) -> Found:
    for i, match in enumerate(matches):
        for on in match.on:
            yield from _missing(on, TYPES, "event type", (*path, i, "on"))
        for field in match.where:
            yield from _fields(match, field, (*path, i, "where", field))


def _fields(match: Match, field: str | None, path: Place) -> Found:
    for on in match.on:
        if field is not None and on in TYPES:
            yield from _missing(field, [f.name for f in fields(TYPES[on])], f"field of {on}", path)


def _measures(card: Scorecard) -> Found:
    windows = {name for name, d in card.distinct.items() if d.of == "day"}
    for name, m in card.measures.items():
        at = ("measures", name)
        yield from _missing(m.level, card.counters, "counter", (*at, "level"))
        for side in m.trend or ():
            yield from _missing(side, card.counters, "counter", (*at, "trend"))
        yield from _missing(m.silence, windows, "distinct of days", (*at, "silence"))
        yield from _missing(m.mean, card.slots, "slots", (*at, "mean"))
        if m.ratio:
            yield from _missing(m.ratio[0], {**card.gauges, **card.distinct}, "gauge or distinct", (*at, "ratio"))
            yield from _missing(m.ratio[1], card.gauges, "gauge", (*at, "ratio"))
        instants = {"age": m.age, "known_by": m.known_by, "since": m.since, "latest": m.latest}
        for word, instant in instants.items():
            yield from _missing(instant, card.instants, "instant", (*at, word))
        if m.stale:
            yield from _missing(m.stale.since, card.instants, "instant", (*at, "stale", "since"))


def _indicators(card: Scorecard) -> Found:
    dates = {name for name, gauge in card.gauges.items() if gauge.kind == "date"}
    for name, it in card.indicators.items():
        at = ("indicators", name)
        for word, known, what in (
            ("latest", card.instants, "instant"),
            ("unless", card.instants, "instant"),
            ("date", dates, "gauge of a date"),
            ("slot", card.slots, "slots"),
        ):
            yield from _missing(getattr(it, word), known, what, (*at, word))
    for i, cap in enumerate(card.caps):
        yield from _missing(cap.when, card.indicators, "indicator", ("caps", i, "when"))


def _weightings(card: Scorecard) -> Found:
    stages = {stage.name for stage in card.stages}
    for i, weighting in enumerate(card.weightings):
        at = ("weightings", i)
        for measure in weighting.weights:
            yield from _missing(measure, card.measures, "measure", (*at, "weights", measure))
        if not any(weighting.weights.values()):
            yield (*at, "weights"), "all weights are zero: there is nothing to average"
        for stage in weighting.when.stage or ():
            yield from _missing(stage, stages, "stage", (*at, "when", "stage"))
        for category in ("plan", "segment"):
            if getattr(weighting.when, category):
                yield from _missing(category, card.categories, "category", (*at, "when", category))
    if not any(w.when == type(w.when)() for w in card.weightings):
        yield ("weightings",), "one weighting must have no `when`, for the accounts that no other one fits"


def _signals(card: Scorecard) -> Found:
    for name, signal in card.signals.items():
        yield from _missing(signal.of, [HEALTH, *card.measures], "measure", ("signals", name, "of"))
        yield from _missing(signal.when, card.indicators, "indicator", ("signals", name, "when"))


def _stages(card: Scorecard) -> Found:
    for i, stage in enumerate(card.stages):
        if i == 0 and stage.when:
            yield ("stages", 0, "when"), "the first stage is where everyone begins; it has no guards"
        for j, guard in enumerate(stage.when):
            at = ("stages", i, "when", j)
            for word, known in (
                ("reached", card.instants),
                ("counter", card.counters),
                ("measure", card.measures),
                ("indicator", card.indicators),
                ("recent", card.instants),
            ):
                what = {"reached": "instant", "recent": "instant"}.get(word, word)
                yield from _missing(getattr(guard, word), known, what, (*at, word))
            for instant in guard.after or ():
                yield from _missing(instant, card.instants, "instant", (*at, "after"))


def _missing(name: str | None, known: Iterable[str], what: str, path: Place) -> Found:
    names = list(known)
    if name is not None and name not in names:
        near = get_close_matches(name, names, 1)
        yield path, f"there is no {what} `{name}`" + (f"; did you mean `{near[0]}`?" if near else "")
