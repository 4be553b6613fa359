"""Events per CPU-second on a backlog: the scorer, with its full scorecard, against durable counts per account.

Hot: few accounts, all busy, from nothing.  Cold: many accounts that have a history, a few events each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import time

from tests.benchmarks.figures import Figure, Runs
from tests.benchmarks.stage import Stage, Task, World
from tests.benchmarks.traffic import Span, accounts, events

DAY = 86_400.0
SCORER = "tests.benchmarks.metered_scorer"
BY_HAND = "tests.benchmarks.peers.by_hand"
QUIX = "tests.benchmarks.peers.quix"
STOCK = "tests.benchmarks.peers.stock_faust"
UNIT = "times as many events per CPU-second"
RATE = "events per CPU-second"
Progress = Callable[[str], None]


@dataclass
class Hot:
    """5,000 accounts and four busy days of theirs, from nothing; the slow ones get fewer events."""

    events: int = 600_000
    slow: int = 200_000
    crawling: int = 12_000
    of: int = 5_000

    name = "5,000 accounts"
    figures = (
        Figure("scorer_vs_stock_faust", UNIT, least=45),
        Figure("scorer_vs_quix", UNIT, least=3),
        Figure("scorer_vs_aiokafka_limit", UNIT, least=0.5),
        Figure("scorer_events_per_cpu_second", RATE),
    )

    async def run(self, stage: Stage, progress: Progress) -> Runs:
        """One round."""
        world = await stage.world()
        progress("producing")
        span = Span(time() - 4 * DAY, time() - 60)
        await world.produce(events(accounts(self.of), self.events, span, seed=stage.round))
        asked = {SCORER: self.events, BY_HAND: self.events, QUIX: self.slow, STOCK: self.crawling}
        rates = _rates(world, {module: replace(world.task, events=n) for module, n in asked.items()}, progress)
        mine = rates[SCORER]
        return {
            "scorer_vs_stock_faust": (mine / rates[STOCK], f"stock Faust: {rates[STOCK]:,.0f}/CPU-s"),
            "scorer_vs_quix": (mine / rates[QUIX], f"Quix Streams: {rates[QUIX]:,.0f}/CPU-s"),
            "scorer_vs_aiokafka_limit": (mine / rates[BY_HAND], f"aiokafka by hand: {rates[BY_HAND]:,.0f}/CPU-s"),
            "scorer_events_per_cpu_second": (mine, "5,000 accounts, facts on"),
        }


@dataclass
class Cold:
    """200,000 accounts: 20 days of history that everyone has read; then a day is measured, each round the next one, so
    that the last one ends now."""

    events: int = 400_000
    slow: int = 200_000
    history: int = 600_000
    of: int = 200_000
    _world: World | None = None
    _reached: float = 0.0

    name = "200,000 accounts with a history"
    figures = (
        Figure("scorer_cold_vs_quix", UNIT, least=2),
        Figure("scorer_cold_vs_aiokafka_limit", UNIT, least=0.35),
        Figure("scorer_cold_events_per_cpu_second", RATE),
    )

    async def run(self, stage: Stage, progress: Progress) -> Runs:
        """One round."""
        if self._world is None:
            self._world = await self._prepared(stage, progress)
        world, start = self._world, self._reached
        progress("producing")
        await world.produce(events(accounts(self.of), self.events, Span(start, start + DAY), seed=100 + stage.round))
        self._reached += DAY
        asked = {
            SCORER: replace(world.task, events=self.events),
            BY_HAND: replace(world.task, events=self.events, known=self.of),
            QUIX: replace(world.task, events=self.slow),
        }
        rates = _rates(world, asked, progress)
        mine = rates[SCORER]
        return {
            "scorer_cold_vs_quix": (mine / rates[QUIX], f"Quix Streams: {rates[QUIX]:,.0f}/CPU-s"),
            "scorer_cold_vs_aiokafka_limit": (mine / rates[BY_HAND], f"aiokafka by hand: {rates[BY_HAND]:,.0f}/CPU-s"),
            "scorer_cold_events_per_cpu_second": (mine, "200,000 accounts with a history, facts on"),
        }

    async def _prepared(self, stage: Stage, progress: Progress) -> World:
        world, self._reached = await stage.world(), time() - 60 - stage.rounds * DAY
        progress("producing history")
        span = Span(self._reached - 20 * DAY, self._reached)
        await world.produce(events(accounts(self.of), self.history, span, seed=99))
        _rates(world, {module: replace(world.task, events=self.history) for module in (SCORER, QUIX)}, progress)
        return world


def _rates(world: World, asked: Mapping[str, Task], progress: Progress) -> dict[str, float]:
    """Events per CPU-second of each contestant, one after the other."""
    rates = {}
    for module, task in asked.items():
        progress(f"{module.rpartition('.')[2]}, {task.events:,} events")
        found = world.ask(module, task, KESHER_SCORER_METRICS_PORT="0")
        rates[module] = float(found["events"] / found["cpu"])
        if "facts" in found:
            progress(f"{found['facts']:,} facts, {found['rows']:,} rows stored without one")
    return rates
