"""A world of workers per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from services.settings import Settings
from streams.scoring.engine import Engine
from tests.chaos.world import World


@pytest.fixture
def quick(topics: Settings) -> Settings:
    """Settings under which faults are noticed fast."""
    return topics.model_copy(update={"session_timeout_seconds": 6.0, "commit_seconds": 0.7})


@pytest.fixture
async def world(quick: Settings, tmp_path: Path) -> AsyncIterator[World]:
    """Workers of this test; ended when it is over."""
    world = World(quick, tmp_path)
    yield world
    await world.close()


@pytest.fixture
def engine(topics: Settings) -> Engine:
    """A new engine with the default scorecard, for checking."""
    return Engine(load(DEFAULT), topics.partitions)
