"""The same scoring, one event at a time, in plain Python straight from the scorecard: slow and obvious.

Every sum is taken afresh from all events ever seen; nothing here knows of columns, batches or merges."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from schemas.envelope import instant
from schemas.events.reading import default_of
from schemas.scorecard import Condition, Guard, Match, Measure, Scorecard
from streams.scoring.extract import answer
from streams.scoring.hashes import hashed
from streams.scoring.instants import EPOCH

DAY = 86_400.0
BANDS = ("unknown", "red", "amber", "green")


@dataclass(frozen=True)
class Happening:
    """One event of one account: type without `kesher.`, event time, data."""

    type: str
    at: float
    data: dict[str, Any]

    def read(self, name: str) -> Any:
        """A field, or what its absence means."""
        value = self.data.get(name)
        return default_of(f"kesher.{self.type}", name) if value is None else value

    def fits(self, match: Match) -> bool:
        """Whether the scorecard's `on` and `where` take this event."""
        return self.type in match.on and all(self.read(f) in values for f, values in match.where.items())


@dataclass
class Judgement:
    """What was decided at one instant."""

    score: float | None
    coverage: float
    scores: dict[str, float | None]
    shares: dict[str, float]
    cap: str | None
    weighting: str


@dataclass
class Account:
    """One account, by brute force."""

    card: Scorecard
    seen: list[Happening] = field(default_factory=list)
    judged: float = 0.0
    band: str = ""
    stage: int = 0
    stage_since: float = 0.0
    signals: dict[str, list[Any]] = field(default_factory=dict)

    def see(self, event: Happening) -> None:
        """Remember an event."""
        self.seen.append(event)

    @property
    def as_of(self) -> float:
        """Greatest event time."""
        return max(event.at for event in self.seen)

    # ---- evidence

    def counter(self, name: str, at: float) -> float:
        counter, total = self.card.counters[name], 0.0
        for event in self.seen:
            for addend in counter.of:
                if event.fits(addend):
                    amount = 1.0
                    if addend.amount:
                        absent = 1.0 if addend.amount == "count" else 0.0
                        found = event.read(addend.amount)
                        amount = absent if found is None else float(found)
                    total += addend.weight * amount * 2.0 ** (-(at - event.at) / counter.half_life)
        return total

    def gauge(self, name: str) -> float | None:
        part = self.card.gauges[name]
        found = self._last(part.of, key=instant if part.kind == "date" else float)
        return found if found is None else (instant if part.kind == "date" else float)(found[1])

    def category(self, name: str) -> str | None:
        found = self._last(self.card.categories[name].of, key=lambda text: int(hashed([text])[0]))
        return None if found is None else str(found[1])

    def _last(self, of: Any, key: Any = float) -> tuple[float, Any] | None:
        values = [
            (event.at, event.read(part.field))
            for event in self.seen
            for part in of
            if event.fits(part) and event.read(part.field) is not None
        ]
        return max(values, key=lambda pair: (pair[0], key(pair[1])), default=None)

    def instant(self, name: str) -> float | None:
        part = self.card.instants[name]
        times = [math.floor(event.at) for event in self.seen for match in part.of if event.fits(match)]
        return None if not times else min(times) if part.first else max(times)

    def slots(self, name: str) -> list[tuple[float, float]]:
        """(instant, value) of the entries kept."""
        part, latest = self.card.slots[name], dict[str, tuple[float, float]]()
        for event in self.seen:
            for match in part.of:
                if event.fits(match):
                    if match.value == "answer":
                        value = answer(event.read("metric"), event.read("score"), event.read("direction"))
                    else:
                        value = match.values.get(event.read(match.by) or "", match.value) if match.by else match.value
                    key = event.read(part.key) or ""
                    latest[key] = max(latest.get(key, (0.0, 0.0)), (event.at, float(value or 0.0)))
        return sorted(latest.values(), reverse=True)[: part.size]

    def active_days(self, name: str) -> int:
        part = self.card.distinct[name]
        days = {int((event.at - EPOCH) // DAY) for event in self.seen for match in part.on if event.fits(match)}
        return len({day for day in days if max(days) - day < part.days}) if days else 0

    # ---- measures

    def value(self, m: Measure, at: float) -> float | None:
        return getattr(self, f"_{m.kind}")(m, at)

    def _level(self, m: Measure, at: float) -> float | None:
        return self.counter(m.level, at) if self.instant(m.known_by) else None

    def _trend(self, m: Measure, at: float) -> float | None:
        since = self.instant(m.since)
        if since is None or max(at - since, 1.0) < m.min_age:
            return None
        rates = []
        for name in m.trend:
            h = self.card.counters[name].half_life
            rates.append(self.counter(name, at) / h / (1 - 2 ** (-max(at - since, 1.0) / h)))
        return rates[0] / rates[1] if rates[1] > 0 else None

    def _age(self, m: Measure, at: float) -> float | None:
        since = self.instant(m.age)
        return None if since is None else max(at - since, 0.0) / DAY

    def _silence(self, m: Measure, at: float) -> float | None:
        last, first = self.instant(m.latest), self.instant(m.since)
        if last is None:
            return None
        window = self.card.distinct[m.silence].days
        span = m.prior_days + max(last - max(first or 0.0, last - window * DAY), 0.0) / DAY
        gap = max(at - last, 0.0) / DAY
        return (span / (span + gap)) ** (m.prior_shape + max(self.active_days(m.silence) - 1, 0))

    def _ratio(self, m: Measure, _at: float) -> float | None:
        part, whole = (self.gauge(name) for name in m.ratio)
        return None if part is None or not whole or whole < 0 else part / whole

    def _mean(self, m: Measure, at: float) -> float | None:
        weighed = [(2.0 ** (-max(at - when, 0.0) / m.half_life), value) for when, value in self.slots(m.mean)]
        total = sum(w for w, _ in weighed)
        return sum(w * v for w, v in weighed) / total if total > 0 else None

    def indicator(self, name: str, at: float) -> bool:
        it = self.card.indicators[name]
        if it.slot:
            return any(value >= it.at_least and at - when > it.older_than for when, value in self.slots(it.slot))
        if it.date:
            date = self.gauge(it.date)
            return date is not None and 0 <= date - at <= it.within
        when = self.instant(it.latest)
        unless = self.instant(it.unless) if it.unless else None
        return when is not None and at - when <= it.within and not (unless is not None and unless >= when)

    # ---- decisions

    def judge(self, at: float) -> Judgement:
        """Score at `at` (never before the last judgement) and move band, signals and stage."""
        self.judged = at = max(at, self.judged)
        scores = {
            name: None if (v := self.value(m, at)) is None else interpolated(m.map, v)
            for name, m in self.card.measures.items()
        }
        weighting = max(
            (w for w in enumerate(self.card.weightings) if self._fits(w[1].when)), key=lambda w: (w[1].priority, -w[0])
        )[1]
        weights = {name: weighting.weights.get(name, 0.0) for name in scores}
        worth = {}
        for name, m in self.card.measures.items():
            fade = 1.0
            if m.stale and scores[name] is not None:
                fade = 2.0 ** (-max(at - (self.instant(m.stale.since) or 0.0), 0.0) / m.stale.half_life)
            worth[name] = 0.0 if scores[name] is None else weights[name] * fade
        total = sum(worth.values())
        coverage = total / sum(weights.values()) if total > 1e-12 else 0.0
        mean = sum(worth[n] * (s or 0.0) for n, s in scores.items()) / max(total, 1e-12)
        caps = [cap for cap in self.card.caps if self.indicator(cap.when, at) and mean > cap.at]
        cap = min(caps, key=lambda c: c.at, default=None)
        score = None if not coverage else min(mean, cap.at) if cap else mean
        out = Judgement(
            score,
            coverage,
            scores,
            {n: w / max(total, 1e-12) for n, w in worth.items()},
            cap.name if cap else None,
            weighting.name,
        )
        self._band(out)
        for name in self.card.signals:
            self._signal(name, out, at)
        self._stage(out, at)
        return out

    def _fits(self, when: Condition) -> bool:
        return (
            (when.plan is None or self.category("plan") in when.plan)
            and (when.segment is None or self.category("segment") in when.segment)
            and (when.stage is None or self.card.stages[self.stage].name in when.stage)
        )

    def _band(self, now: Judgement) -> None:
        if now.score is None or now.coverage < self.card.min_coverage:
            self.band = "unknown"
            return
        edges, margin = (self.card.bands.amber, self.card.bands.green), self.card.bands.margin
        plain, low, high = (1 + sum(now.score + d >= e for e in edges) for d in (0.0, -margin, margin))
        was = BANDS.index(self.band) if self.band in BANDS[1:] else None
        self.band = BANDS[plain if was is None else min(max(was, low), high)]

    def _signal(self, name: str, now: Judgement, at: float) -> None:  # noqa: C901 (the whole machine, in one place)
        signal = self.card.signals[name]
        state, since, level, episode = self.signals.setdefault(name, ["clear", 0.0, 0, 0])
        when = self.indicator(signal.when, at) if signal.when else True
        value, sign = None, -1.0 if signal.above is not None else 1.0
        if signal.of and now.score is not None and now.coverage >= self.card.min_coverage:
            value = now.score if signal.of == "health" else now.scores[signal.of]
        if signal.of:
            enter = signal.below if signal.below is not None else signal.above
            inside = when and value is not None and sign * value <= sign * enter
            outside = not when or (value is not None and sign * value >= sign * signal.exit)
        else:
            inside, outside = when, not when
        begun = math.ceil(at)  # episodes are timed in whole seconds, never too short
        if state == "cooling" and max(at - since, 0.0) >= signal.cool_down:
            state = "clear"
        if state == "clear" and inside:
            state, since = "pending", begun
        if state == "pending" and not inside:
            state = "clear"
        if state == "pending" and max(at - since, 0.0) >= signal.dwell:
            state, since, episode = "open", begun, episode + 1
        elif state == "open" and outside:
            state, since, level = "cooling", begun, 0
        if state == "open":
            level = max(level, 1)
            for number, limit in enumerate(signal.levels.values(), 2):
                if value is not None and sign * value <= sign * limit:
                    level = max(level, number)
        self.signals[name] = [state, since, level if state == "open" else 0, episode]

    def _stage(self, now: Judgement, at: float) -> None:
        target = max(i for i, stage in enumerate(self.card.stages) if all(self._guard(g, now, at) for g in stage.when))
        if target > self.stage or (target < self.stage and at - self.stage_since >= self.card.stage_dwell):
            self.stage, self.stage_since = target, at

    def _guard(self, guard: Guard, now: Judgement, at: float) -> bool:
        if guard.reached:
            return self.instant(guard.reached) is not None
        if guard.counter:
            return self.counter(guard.counter, at) >= guard.at_least
        if guard.measure:
            score = now.scores[guard.measure]
            return score is not None and score >= guard.at_least
        if guard.indicator:
            return self.indicator(guard.indicator, at)
        if guard.recent:
            when = self.instant(guard.recent)
            return when is not None and at - when <= guard.within
        one, other = (self.instant(name) or 0.0 for name in guard.after)
        return one > other


def interpolated(points: Any, x: float) -> float:
    """The straight lines between the points, level beyond the ends."""
    if math.isnan(x) or x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
