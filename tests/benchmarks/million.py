"""A million accounts in one worker: its memory, how soon it works again, what silence and an event cost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import time
from typing import Any

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from streams.scoring.engine import Engine
from tests.benchmarks import rows
from tests.benchmarks.figures import Figure, Runs
from tests.benchmarks.stage import Stage, World
from tests.benchmarks.traffic import PARTITIONS, Accounts, Span, accounts, events

SCORER = "tests.benchmarks.metered_scorer"
HOUR = 3_600.0
Progress = Callable[[str], None]


@dataclass
class Million:
    """Two changelogs of the same histories, with 5,000 accounts and with a million; both get the same events."""

    events: int = 300_000
    few: int = 5_000
    many: int = 1_000_000
    stay: float = 61.0
    """A sweep looks at every row once a minute."""
    name = "a million accounts"
    figures = (
        Figure("bytes_per_account_at_1m", "bytes of process memory", most=1_400),
        Figure("recovery_seconds_1m", "s", most=15),
        Figure("sweep_core_share_1m", "of a core", most=0.02),
        Figure("cost_ratio_1m_vs_5k", "times the CPU per event", most=3),
    )
    _worlds: dict[int, World] = field(default_factory=dict)
    _templates: rows.Templates | None = None

    async def run(self, stage: Stage, progress: Progress) -> Runs:
        """One round."""
        few = await self._measured(stage, self.few, 0.0, progress)
        many = await self._measured(stage, self.many, self.stay, progress)
        cost_few, cost_many = (found["cpu"] / found["events"] * 1e6 for found in (few, many))
        after = many["after"]
        return {
            "bytes_per_account_at_1m": (many["rss"] / self.many, f"{many['rss'] / 1e6:,.0f} MB when recovered"),
            "recovery_seconds_1m": (many["first_at"] - many["started_at"], "process start to first record scored"),
            "sweep_core_share_1m": (after["sweep_share"], f"idle process: {after['core_share']:.3f} of a core"),
            "cost_ratio_1m_vs_5k": (cost_many / cost_few, f"5,000 accounts: {cost_few:.1f} µs per event"),
        }

    async def _measured(self, stage: Stage, number: int, stay: float, progress: Progress) -> dict[str, Any]:
        of = accounts(number)
        if number not in self._worlds:
            self._worlds[number] = await self._filled(stage, of, progress)
        world, now = self._worlds[number], time()
        progress(f"{self.events:,} events for {number:,} accounts")
        await world.produce(events(of, self.events, Span(now - HOUR, now - 60), seed=stage.round))
        progress(f"the scorer with {number:,} accounts")
        began = time()
        found = world.ask(SCORER, replace(world.task, events=self.events, stay=stay))
        if found["accounts"] != number:
            raise SystemExit(f"the scorer has {found['accounts']:,} accounts, not {number:,}")
        return {**found, "started_at": began}

    async def _filled(self, stage: Stage, of: Accounts, progress: Progress) -> World:
        if self._templates is None:
            progress("folding histories")
            self._templates = rows.templates(Engine(load(DEFAULT), PARTITIONS), time())
        progress(f"{len(of.keys):,} rows into a changelog")
        world = await stage.world()
        await rows.write(world, self._templates, of)
        return world
