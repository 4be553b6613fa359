"""Projector processes killed, frozen and cut off in mid-stream: rows equal a replay, offsets never go back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import asyncpg
import pytest

from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.embedded.postgres import EmbeddedPostgres
from services.adapters.migrations import migrate
from services.adapters.topics import ensure
from services.settings import Settings
from tests.facts import histories
from tests.integration.projector.process import PATIENCE_SECONDS, joined, of, process
from tests.integration.projector.projecting import offsets, tell, until, until_applied
from tests.integration.projector.replay import logs, replayed, stored

pytestmark = pytest.mark.chaos

NOW = datetime.now(UTC)
"""Older points of history would be thinned meanwhile."""
KILLS = 5
SESSION_SECONDS = 10.0
"""Of aiokafka's group members: a silent one loses its partitions after it."""
PACE_SECONDS = 0.1
"""Between a hundred facts and the next, so that kills fall into the stream."""


@asynccontextmanager
async def telling(settings: Settings) -> AsyncIterator[None]:
    """Facts arrive as long as one is inside."""
    stopping = asyncio.Event()

    async def run() -> None:
        facts = histories(seed=7, accounts=30, decisions=100_000, start=NOW)
        while not stopping.is_set():
            await tell(settings, islice(facts, 100))
            await asyncio.sleep(PACE_SECONDS)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        stopping.set()
        await task


@asynccontextmanager
async def forwards(database: str) -> AsyncIterator[None]:
    """While inside, stored offsets never go back."""
    seen = [await offsets(database)]

    async def watch() -> None:
        while True:
            await asyncio.sleep(0.02)  # samples
            try:
                seen.append(await offsets(database))
            except (OSError, asyncpg.PostgresError):
                continue  # the server is being killed

    watching = asyncio.create_task(watch())
    yield
    watching.cancel()
    for before, after in pairwise(seen):
        assert all(after[place] >= offset for place, offset in before.items())


async def advanced(database: str, records: int) -> None:
    """Wait until so many more records are applied."""
    began = sum((await offsets(database)).values())

    async def enough() -> bool:
        return sum((await offsets(database)).values()) >= began + records

    await until(enough, PATIENCE_SECONDS)


async def test_five_kills_in_mid_stream_change_nothing(topics: Settings, database: str) -> None:
    settings = of(topics, database)
    async with forwards(database), telling(settings):
        for _ in range(KILLS):
            async with process(settings) as running:
                await advanced(database, 150)
                running.kill()

    async with process(settings):
        await until_applied(topics, database, PATIENCE_SECONDS)

    assert await stored(database) == replayed((await logs(topics)).values())


async def test_a_frozen_projector_that_wakes_after_its_partitions_went_to_another_writes_nothing_twice(
    topics: Settings, database: str
) -> None:
    settings = of(topics, database)
    async with forwards(database), process(settings) as frozen, telling(settings):
        await advanced(database, 150)
        os.kill(frozen.pid, signal.SIGSTOP)
        try:
            async with process(settings):
                await asyncio.sleep(SESSION_SECONDS)  # the group must give up on the frozen one
                await advanced(database, 150)
                os.kill(frozen.pid, signal.SIGCONT)
                await advanced(database, 150)
        finally:
            os.kill(frozen.pid, signal.SIGCONT)
        assert frozen.returncode is None

    async with process(settings):
        await until_applied(topics, database, PATIENCE_SECONDS)
    assert await stored(database) == replayed((await logs(topics)).values())


async def test_projectors_that_come_and_go_change_nothing(topics: Settings, database: str) -> None:
    settings = of(topics, database)
    async with forwards(database), telling(settings), process(settings):
        async with process(settings) as second:
            await joined(second)
            await advanced(database, 150)
            second.terminate()
            assert await asyncio.wait_for(second.wait(), 60) == 0
        async with process(settings) as third:
            await joined(third)
            await advanced(database, 150)
        await advanced(database, 50)

    async with process(settings):
        await until_applied(topics, database, PATIENCE_SECONDS)
    assert await stored(database) == replayed((await logs(topics)).values())


async def test_killed_brokers_are_waited_out(data_directory: Path) -> None:
    with (
        EmbeddedPostgres(data_directory / "postgres") as postgres,
        EmbeddedKafka(data_directory / "kafka") as kafka,
    ):
        database = postgres.url(postgres.database)
        topics = Settings(kafka_bootstrap_servers=f"127.0.0.1:{kafka.port}", prefix="kesher", partitions=2)
        await asyncio.gather(ensure(topics), migrate(database))
        settings = of(topics, database)
        told = histories(seed=1, accounts=20, decisions=100, start=NOW)
        async with process(settings) as running:
            async with forwards(database):
                await tell(topics, islice(told, 400))
                await advanced(database, 100)
                postgres.kill()
                await tell(topics, islice(told, 400))
                await asyncio.to_thread(postgres.start)
                await until_applied(topics, database, PATIENCE_SECONDS)
                kafka.kill()
                await asyncio.to_thread(kafka.start)
                await tell(topics, islice(told, 400))
                await until_applied(topics, database, PATIENCE_SECONDS)
            assert running.returncode is None

        assert await stored(database) == replayed((await logs(topics)).values())
