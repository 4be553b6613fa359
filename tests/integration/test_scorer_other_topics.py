"""A source topic that was deleted and created again: the scorer refuses, until a person says that it is meant."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.adapters.topics import ensure
from services.scorer.decisions import adopt
from services.settings import Settings
from tests.chaos.verify import read_all
from tests.chaos.world import World


@pytest.fixture
async def world(topics: Settings, tmp_path: Path) -> AsyncIterator[World]:
    world = World(topics.model_copy(update={"session_timeout_seconds": 6.0, "commit_seconds": 0.5}), tmp_path)
    world.settings.model_fields_set.update({"session_timeout_seconds", "commit_seconds"})
    yield world
    await world.close()


async def recreate(world: World, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await world.until(gone, 30, "the topic is gone")
    finally:
        await admin.close()
    await ensure(world.settings)


async def test_the_scorer_refuses_a_recreated_topic_and_names_the_command_that_adopts_it(world: World) -> None:
    topic = f"{world.settings.prefix}.usage"
    await world.produce(400)
    first = world.worker()
    await world.settled()
    assert await first.end() == 0

    await recreate(world, topic)
    await world.produce(400)
    refusing = world.worker()

    async def ended() -> bool:
        return refusing.process.poll() is not None

    await world.until(ended, 60, "the scorer refuses")
    assert refusing.process.returncode == 1
    assert f"{topic} was deleted and created again" in refusing.words()
    assert "kesher topics adopt" in refusing.words()

    await adopt(world.settings)
    last = world.worker()
    await world.settled()
    await world.at_work(last)
    assert await last.end() == 0
    letters = await read_all(world.settings.kafka_bootstrap_servers, [f"{world.settings.prefix}.dead-letters"])
    assert letters.popitem()[1] == []


async def test_a_topic_recreated_under_a_running_scorer_stops_it(world: World) -> None:
    await world.produce(400)
    worker = world.worker()
    await world.settled()
    await recreate(world, f"{world.settings.prefix}.usage")
    await world.produce(40)

    async def ended() -> bool:
        return worker.process.poll() is not None

    await world.until(ended, 90, "the scorer stops")
    assert worker.process.returncode == 1
    assert "kesher topics adopt" in worker.words()
