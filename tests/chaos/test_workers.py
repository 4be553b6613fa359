"""Workers that die, come, go, and wake up too late."""

import asyncio
import signal
from random import Random

import pytest

from streams.scoring.engine import Engine
from tests.chaos.verify import check
from tests.chaos.world import World

pytestmark = pytest.mark.chaos


async def test_killed_five_times_in_mid_stream_every_count_is_exact_and_no_fact_is_lost(
    world: World, engine: Engine
) -> None:
    chance = Random(5)
    async with world.traffic(500):
        for _ in range(5):
            worker = world.worker()
            await world.moved()
            await asyncio.sleep(chance.uniform(0.0, 1.5))
            await worker.end(signal.SIGKILL)
    last = world.worker()
    await world.at_work(last)
    await world.settled()
    assert await last.end() == 0

    accounts, facts = await check(world.settings, engine)

    assert len(accounts) > 250
    assert len(facts) > len(accounts)


async def test_workers_joining_and_leaving_lose_and_repeat_nothing(world: World, engine: Engine) -> None:
    async with world.traffic(500):
        first = world.worker()
        await world.moved()
        second = world.worker()
        await world.at_work(second)
        await world.moved()
        third = world.worker()
        await world.at_work(third)
        assert await first.end() == 0
        await world.moved()
        await second.end(signal.SIGKILL)
        await world.moved()
    await world.at_work(third)
    await world.settled()
    assert await third.end() == 0

    await check(world.settings, engine)


async def test_a_worker_that_wakes_up_after_its_successor_began_contradicts_nothing(
    world: World, engine: Engine
) -> None:
    async with world.traffic(500):
        zombie = world.worker()
        await world.moved()
        zombie.send(signal.SIGSTOP)
        successor = world.worker()
        await world.at_work(successor)
        await world.moved()  # beyond the session timeout: the successor has taken over
        zombie.send(signal.SIGCONT)
        await asyncio.sleep(3)  # what it still believes, it tries
        await world.at_work(zombie)
        await world.moved()
    await world.settled()
    assert await zombie.end() == 0
    await world.at_work(successor)
    await world.settled()
    assert await successor.end() == 0

    await check(world.settings, engine)
