"""The projector process from start to stop: what it waits for, refuses and rebuilds."""

import asyncio
from uuid import uuid4

import asyncpg

from services.adapters.migrations import migrate
from services.adapters.postgres import create_database
from services.adapters.topics import ensure
from services.settings import Settings
from tests.facts import histories
from tests.integration.projector.process import joined, of, process, readiness
from tests.integration.projector.projecting import tell, until, until_applied
from tests.integration.projector.replay import logs, replayed, stored


async def test_it_waits_for_topics_and_tables_says_so_and_ends_cleanly(kafka: str, postgres: str, prefix: str) -> None:
    database = await create_database(postgres, f"t{uuid4().hex[:10]}")
    settings = of(Settings(kafka_bootstrap_servers=kafka, prefix=prefix, partitions=2), database)

    async with process(settings) as running:

        async def lacks(what: str) -> None:
            async def said() -> bool:
                return what in (await readiness(running))[1]

            await until(said)

        await lacks("run `kesher topics`")
        await ensure(settings)
        await lacks("run `kesher migrate`")
        await migrate(database)
        await joined(running)
        running.terminate()

        assert await asyncio.wait_for(running.wait(), 20) == 0


async def test_offsets_of_other_topics_end_it_until_it_is_told_to_rebuild(topics: Settings, database: str) -> None:
    settings = of(topics, database)
    await tell(settings, histories(seed=4, accounts=10, decisions=5))
    async with process(settings) as first:
        await until_applied(settings, database)
        first.terminate()
        await first.wait()
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE projector_offsets SET topic_id = 'another', next_offset = 0 WHERE partition = 0")
    await connection.execute("UPDATE accounts SET generation = 99, health_generation = 99, score = 1")
    await connection.close()

    async with process(settings) as refused:
        assert await asyncio.wait_for(refused.wait(), 60) == 1

    async with process(settings, "--rebuild") as rebuilding:
        await joined(rebuilding)
        await until_applied(settings, database)
        assert (await stored(database)).accounts == replayed((await logs(topics)).values()).accounts
