"""`kesher scorer` as it is shipped, with a meter that notes its CPU time: from the first batch to the last flush."""

import asyncio
import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, process_time, time
from typing import Any

from prometheus_client import CollectorRegistry

from services.adapters.health import serve_health
from services.adapters.logs import configure
from services.scorer.meters import Meters
from services.scorer.run import build
from services.settings import settings
from streams.lane.app import LaneApp
from tests.benchmarks.stage import Task


class Stopwatch(Meters):
    """Reports once the last event is scored, its facts have left and its row is stored."""

    app: LaneApp

    def __init__(self, registry: CollectorRegistry, task: Task) -> None:
        super().__init__(registry)
        self.task, self.records, self.facts, self.polls, self.rows = task, 0, 0, 0, 0
        self.began: tuple[float, float, float] | None = None
        self.first: dict[str, float] = {}
        self.seconds: dict[str, float] = dict.fromkeys(("poll", "sweep", "deliver", "flush"), 0.0)
        self._ending: asyncio.Task[None] | None = None

    def polled(self, records: int, seconds: float) -> None:
        super().polled(records, seconds)
        if self.began is None and records:
            self.began = perf_counter() - seconds, process_time() - seconds, time() - seconds
            self.first = {"first_at": time(), "rss": _rss()}
        self.records += records
        self.polls += 1
        self.seconds["poll"] += seconds
        if self.records >= self.task.events and self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end())
            self._ending.add_done_callback(_ended)

    def decided(self, facts: Mapping[str, int]) -> None:
        super().decided(facts)
        self.facts += sum(facts.values())

    def swept(self, rows: int, seconds: float) -> None:
        super().swept(rows, seconds)
        self.seconds["sweep"] += seconds

    def flushed(self, rows: int, seconds: float) -> None:
        super().flushed(rows, seconds)
        self.rows += rows
        self.seconds["flush"] += seconds

    def delivered(self, facts: int, seconds: float) -> None:
        super().delivered(facts, seconds)
        self.seconds["deliver"] += seconds

    async def _end(self) -> None:
        lane = self.app.lane
        while lane.backlog or len(lane.engine.unsettled()):
            await asyncio.sleep(0.05)
        await lane.flush()  # facts that wait leave with it
        assert self.began is not None
        wall, cpu, _ = self.began
        figures: dict[str, Any] = {
            "events": self.records,
            "wall": perf_counter() - wall,
            "cpu": process_time() - cpu,
            "facts": self.facts,
            "polls": self.polls,
            "rows": self.rows,
            "seconds": dict(self.seconds),
            "accounts": len(self.app.lane.engine.accounts),
            "peak_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            **self.first,
        }
        if self.task.idle:
            figures["rest"] = await self._idle(self.task.rest)
            figures["idle"] = await self._idle(self.task.idle)
        self.task.tell(**figures)
        if not self.task.stay:
            os.kill(os.getpid(), signal.SIGTERM)

    async def _idle(self, seconds: float) -> dict[str, float]:
        """Shares of a core while no event comes."""
        swept, cpu, began, facts = self.seconds["sweep"], process_time(), perf_counter(), self.facts
        await asyncio.sleep(seconds)
        wall = perf_counter() - began
        return {
            "seconds": wall,
            "sweep_share": (self.seconds["sweep"] - swept) / wall,
            "core_share": (process_time() - cpu) / wall,
            "facts": self.facts - facts,
            "rss": _rss(),
        }


def _ended(ending: "asyncio.Task[None]") -> None:
    """Whoever waits for a report must not wait in vain."""
    if not ending.cancelled() and ending.exception() is not None:
        ending.print_stack()
        os._exit(1)


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """What services.scorer.run does, with the stopwatch as meter."""
    task, registry = Task.given(), CollectorRegistry()
    configure(settings().log_format, process="scorer")
    app = build(settings(), CollectorRegistry())
    watch = Stopwatch(registry, task)
    watch.app = app
    app.lane.meter = app.lane.dispatch.meter = watch
    app.beside(serve_health(settings().bind, settings().scorer_metrics_port, registry, app.trouble))
    app.run()


if __name__ == "__main__":
    main()
