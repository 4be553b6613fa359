"""The broker dies and returns while pages listen: they keep their connection and hear all that follows."""

import asyncio
from pathlib import Path

import pytest

from services.adapters import clock
from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.topics import ensure
from services.settings import Settings
from tests.facts import health_changed
from tests.integration.projector.projecting import tell
from tests.integration.web.opened_web import OpenWeb, listening, opened, take, until_ready

pytestmark = pytest.mark.chaos

PATIENCE_SECONDS = 60.0


async def test_pages_hear_all_that_follows_a_broker_outage(data_directory: Path, database: str, prefix: str) -> None:
    with EmbeddedKafka(data_directory) as broker:
        servers = broker.start()
        settings = Settings(kafka_bootstrap_servers=servers, database_url=database, prefix=prefix, partitions=2)
        await ensure(settings)
        async with opened(settings) as web:
            await until_ready(web)
            async with listening(web) as events:
                await tell(settings, [health_changed("a", 1)])
                (before,) = await take(events, 1)
                broker.kill()
                assert "Kafka" in await until_not_ready(web)
                assert (await web.http.get("/api/accounts")).status_code == 200
                await asyncio.to_thread(broker.start)
                await tell(settings, [health_changed("a", number) for number in (2, 3)])
                after = await take(events, 2)
            await until_ready(web)
    assert before.data["sequence"] == 1
    assert [one.data["sequence"] for one in after] == [2, 3]


async def until_not_ready(web: OpenWeb) -> str:
    """Wait until /readyz says no; returns why."""
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while (answer := await web.http.get("/readyz")).status_code == 200:
        assert clock.monotonic() < deadline
        await asyncio.sleep(0.1)  # polling a process
    return answer.text
