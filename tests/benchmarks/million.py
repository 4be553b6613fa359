"""A million accounts in one worker: its memory, how soon it works again, what silence and an event cost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import time
from typing import Any, NamedTuple

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from streams.scoring.compile import compile_model
from streams.scoring.engine import Engine
from tests.benchmarks import rows
from tests.benchmarks.figures import Figure, Runs
from tests.benchmarks.stage import RECORDS, Contestant, Stage, World, free_port
from tests.benchmarks.traffic import PARTITIONS, Accounts, Span, accounts, events

SCORER = "tests.benchmarks.metered_scorer"
LOAD = "tests.benchmarks.load"
HOUR = 3_600.0
OUTAGE = 2 * HOUR
"""Since the rows were last judged; the events measured come after that."""
WARM_UP, SECONDS = 4.0, 10.0
Progress = Callable[[str], None]


class Measured(NamedTuple):
    """A worker's report, when it was started, and the CPU of an event that comes while it is caught up."""

    report: dict[str, Any]
    started: float
    live: float


@dataclass
class Million:
    """Two changelogs of the same histories, with 5,000 accounts and with a million; both get the same events."""

    events: int = 100_000
    few: int = 5_000
    many: int = 1_000_000
    idle: float = 61.0
    """A sweep comes by every row once a minute.  At first it looks at all of them, then only at those that may move."""
    rate: int = 10_000
    name = "a million accounts"
    figures = (
        Figure("bytes_per_account_at_1m", "bytes of process memory", most=1_400),
        Figure("recovery_seconds_1m", "s", most=15),
        Figure("sweep_core_share_1m", "of a core", most=0.02),
        Figure("cost_ratio_1m_vs_5k", "times the CPU per event", most=3),
        Figure("backlog_cost_ratio_1m_vs_5k", "times the CPU per event"),
    )
    _worlds: dict[int, World] = field(default_factory=dict)
    _templates: rows.Templates | None = None

    async def run(self, stage: Stage, progress: Progress) -> Runs:
        """One round."""
        few = await self._measured(stage, self.few, progress)
        many = await self._measured(stage, self.many, progress)
        found, rest, idle = many.report, many.report["rest"], many.report["idle"]
        calm = 0.75 * compile_model(load(DEFAULT)).plan.calm
        again = rest["sweep_share"] * rest["seconds"] / calm
        backlog = [of.report["cpu"] / of.report["events"] for of in (few, many)]
        return {
            "bytes_per_account_at_1m": (found["rss"] / self.many, f"{found['rss'] / 1e6:,.0f} MB when recovered"),
            "recovery_seconds_1m": (found["first_at"] - many.started, "process start to first record scored"),
            "sweep_core_share_1m": (
                idle["sweep_share"] + again,
                f"of it each row in {calm / 60:.0f} min: {again:.4f}; first minute: {rest['sweep_share']:.3f}",
            ),
            "cost_ratio_1m_vs_5k": (
                many.live / few.live,
                f"5,000 accounts: {few.live * 1e6:.1f} µs, {self.rate:,} events/s, less the idle share",
            ),
            "backlog_cost_ratio_1m_vs_5k": (
                backlog[1] / backlog[0],
                f"5,000 accounts, each judged once: {backlog[0] * 1e6:.1f} µs; a million: {found['facts']:,} facts",
            ),
        }

    async def _measured(self, stage: Stage, number: int, progress: Progress) -> Measured:
        of = accounts(number)
        if number not in self._worlds:
            self._worlds[number] = await self._filled(stage, of, progress)
        world, now, port = self._worlds[number], time(), free_port()
        progress(f"{self.events:,} events for {number:,} accounts")
        await world.produce(events(of, self.events, Span(now - HOUR, now - 60), seed=stage.round))
        progress(f"the scorer with {number:,} accounts")
        rest, idle = (self.idle, self.idle) if number == self.many else (0.0, 10.0)
        task, began = replace(world.task, events=self.events, rest=rest, idle=idle, stay=True), time()
        with world.running(SCORER, task, KESHER_SCORER_METRICS_PORT=str(port)) as scorer:
            report = await asyncio.to_thread(scorer.report)
            if report["accounts"] < number:
                scorer.fail(f"has {report['accounts']:,} accounts, not {number:,}")
            progress(f"{self.rate:,} events/s for {number:,} accounts")
            live = await self._live(world, scorer, port, known=number, seed=stage.round)
        return Measured(report, began, live - report["idle"]["core_share"] / self.rate)

    async def _live(self, world: World, scorer: Contestant, port: int, known: int, seed: int) -> float:
        """CPU-seconds per event that comes while the worker is caught up, everything included."""
        task = replace(world.task, known=known)
        with world.running(LOAD, task, str(self.rate), str(WARM_UP + SECONDS), str(seed)) as load_:
            await asyncio.to_thread(load_.report)
            await asyncio.sleep(WARM_UP)
            records, cpu = scorer.metrics(port)[RECORDS], scorer.cpu()
            await asyncio.sleep(SECONDS)
            return (scorer.cpu() - cpu) / (scorer.metrics(port)[RECORDS] - records)

    async def _filled(self, stage: Stage, of: Accounts, progress: Progress) -> World:
        if self._templates is None:
            progress("folding histories")
            self._templates = rows.templates(Engine(load(DEFAULT), PARTITIONS), time() - OUTAGE)
        progress(f"{len(of.keys):,} rows into a changelog")
        world = await stage.world()
        await rows.write(world, self._templates, of)
        return world
