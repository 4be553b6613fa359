"""An error in scoring code stops the worker: nothing is committed past it, and a repaired worker counts on."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from services.settings import Settings
from streams.scoring.engine import Engine
from tests.chaos.verify import check
from tests.chaos.world import ROOT, World

BROKEN = """
from prometheus_client import CollectorRegistry
from services.scorer.run import build
from services.settings import settings
app = build(settings(), CollectorRegistry())
absorb = app.lane.engine.absorb
def failing(batch, **how):
    if app.lane.absorbed >= 200:
        raise ZeroDivisionError("a bug in scoring")
    return absorb(batch, **how)
app.lane.engine.absorb = failing
app.run()
"""


@pytest.fixture
async def world(topics: Settings, tmp_path: Path) -> AsyncIterator[World]:
    world = World(topics.model_copy(update={"commit_seconds": 0.5}), tmp_path)
    world.settings.model_fields_set.add("commit_seconds")
    yield world
    await world.close()


async def test_a_bug_in_scoring_stops_the_worker_and_nothing_is_committed_past_it(world: World) -> None:
    broken = subprocess.Popen(
        [sys.executable, "-c", BROKEN],
        cwd=ROOT,
        env=world.settings.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with world.traffic(200):
        words, _ = await asyncio.wait_for(asyncio.to_thread(broken.communicate), 90)
    assert broken.returncode == 1
    assert b"ZeroDivisionError: a bug in scoring" in words
    assert await world.lag() > 0

    repaired = world.worker()
    await world.settled()
    assert await repaired.end() == 0
    await check(world.settings, Engine(load(DEFAULT), world.settings.partitions))
