"""Health history: a point a minute for a week, then the last of each hour."""

from datetime import datetime, timedelta

import asyncpg

from services.adapters.postgres import open_pool
from services.projector.batch import fold
from services.projector.thin import FINE, thin
from services.projector.upsert import Move, apply, positions
from tests.facts import START, health_changed
from tests.unit.projector.test_rows import record

NOW = START + timedelta(days=30)
WEEK_AGO = NOW - FINE


async def written(pool: asyncpg.Pool, moments: list[datetime], step: int = 0) -> None:
    """One point of account acme at each moment."""
    facts = [health_changed("acme", 100 * step + n, float(n % 100), at=at) for n, at in enumerate(moments, 1)]
    await apply(pool, fold(map(record, facts), "kesher", {}), [Move("kesher.health", 0, step, step + 1, 1)])


async def kept(pool: asyncpg.Pool) -> list[datetime]:
    """Minutes that have a point."""
    return [row["bucket"] for row in await pool.fetch("SELECT bucket FROM health_history ORDER BY bucket")]


async def test_only_points_older_than_a_week_are_thinned_to_the_last_of_their_hour(database: str) -> None:
    pool = await open_pool(database)
    await positions(pool, [("kesher.health", 0)], {})
    old = [WEEK_AGO - timedelta(minutes=n) for n in range(1, 151)]
    young = [WEEK_AGO + timedelta(minutes=n) for n in range(90)]
    await written(pool, sorted(old + young))

    assert await thin(pool, NOW) == (147, 3)
    assert await thin(pool, NOW) == (0, 0)

    assert await kept(pool) == [*(WEEK_AGO - timedelta(minutes=n) for n in (121, 61, 1)), *young]
    await pool.close()


async def test_a_small_step_thins_whole_hours_and_the_rest_follows(database: str) -> None:
    pool = await open_pool(database)
    await positions(pool, [("kesher.health", 0)], {})
    await written(pool, [WEEK_AGO - timedelta(minutes=n) for n in range(120, 0, -1)])

    steps = []
    while (done := await thin(pool, NOW, limit=10)) != (0, 0):
        steps.append(done)

    assert steps == [(59, 1), (59, 1)]
    await pool.close()


async def test_a_point_that_comes_late_into_a_thinned_hour_makes_it_due_again(database: str) -> None:
    pool = await open_pool(database)
    await positions(pool, [("kesher.health", 0)], {})
    await written(pool, [WEEK_AGO - timedelta(minutes=50), WEEK_AGO - timedelta(minutes=20)])
    await thin(pool, NOW)
    await written(pool, [WEEK_AGO - timedelta(minutes=30)], step=1)

    assert await thin(pool, NOW) == (1, 1)

    assert await kept(pool) == [WEEK_AGO - timedelta(minutes=20)]
    await pool.close()
