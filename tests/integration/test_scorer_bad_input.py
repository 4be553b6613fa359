"""Records that nobody can read: set aside, counted, and when there are too many, a pause instead of an empty topic."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from schemas.scorecard_file import load
from services.scorer.decisions import resume
from services.scorer.scorecard import DEFAULT
from services.settings import Settings
from streams.scoring.engine import Engine
from streams.scoring.hashes import partitions_of
from tests.chaos.traffic import event
from tests.chaos.verify import read_all, recount, restore
from tests.chaos.world import World

EVENT = {"accounts": 100, "seed": 1, "start": 1_780_000_000.0, "step": 1.0}


@pytest.fixture
async def world(topics: Settings, tmp_path: Path) -> AsyncIterator[World]:
    world = World(topics.model_copy(update={"session_timeout_seconds": 6.0, "commit_seconds": 0.5}), tmp_path)
    world.settings.model_fields_set.update({"session_timeout_seconds", "commit_seconds"})
    yield world
    await world.close()


async def send(world: World, records: Sequence[tuple[str, bytes | None, bytes | None, int | None]]) -> None:
    """(topic, key, value, partition) each, acknowledged."""
    async with AIOKafkaProducer(bootstrap_servers=world.settings.kafka_bootstrap_servers) as producer:
        for topic, key, value, partition in records:
            await producer.send_and_wait(f"{world.settings.prefix}.{topic}", value, key=key, partition=partition)


async def scored(world: World) -> Engine:
    """An engine as a new worker would find it."""
    changelog = f"{world.settings.prefix}.changelog"
    records = (await read_all(world.settings.kafka_bootstrap_servers, [changelog]))[changelog]
    return restore(records, Engine(load(DEFAULT), world.settings.partitions)).engine


async def test_bad_records_become_dead_letters_and_their_neighbours_are_kept(world: World) -> None:
    topic, key, good = event(1, **EVENT)
    partition = int(partitions_of([key], world.settings.partitions)[0])
    await send(
        world,
        [
            (topic, key, good, None),
            (topic, key, b"{not json", None),
            (topic, None, good, partition),
            (topic, b"somebody-else", good, partition),
            (topic, key, None, None),
            (topic, key, event(1, **EVENT)[2].replace(b'"1-1"', b'"1-2"'), None),
        ],
    )
    worker = world.worker()
    await world.settled()
    assert await worker.end() == 0

    letters = (
        await read_all(world.settings.kafka_bootstrap_servers, [f"{world.settings.prefix}.dead-letters"])
    ).popitem()[1]
    headers = [dict(letter.headers) for letter in letters]
    assert sorted(int(found["offset"]) for found in headers) == [1, 2, 3, 4]
    assert {found["topic"].decode() for found in headers} == {f"{world.settings.prefix}.{topic}"}
    assert all(found["reason"] for found in headers)
    assert {letter.partition for letter in letters} == {partition}
    row = (await scored(world)).accounts
    assert row.rows[row.find([key])[0]]["offsets"].max() == 6


async def test_a_flood_of_bad_records_pauses_its_partition_alone_until_a_person_resumes_it(world: World) -> None:
    worker = world.worker()
    await world.produce(400)
    await world.settled()
    await send(world, [("usage", b"x", b"{bad", 0)] * 130)

    async def paused() -> bool:
        return any("partition 0 is paused" in reason for reason in await worker.unready())

    await world.until(paused, 60, "the partition pauses")
    await world.produce(400)
    others = [tp for tp in world.sources() if tp.partition != 0]

    async def others_go_on() -> bool:
        return await world.lag(others) == 0

    await world.until(others_go_on, 60, "the other partitions go on")
    assert await world.lag() > 0
    assert worker.process.poll() is None
    assert await worker.end() == 0

    again = world.worker()

    async def still_paused() -> bool:
        return any("partition 0 is paused" in reason for reason in await again.unready())

    await world.until(still_paused, 60, "the pause survives a restart")
    assert await again.end() == 0

    await resume(world.settings, [0])
    last = world.worker()
    await world.settled()
    await world.at_work(last)
    assert await last.end() == 0


async def test_a_producer_with_another_partitioner_stops_that_partition_with_a_sentence(world: World) -> None:
    topic, key, value = event(1, **EVENT)
    right = int(partitions_of([key], world.settings.partitions)[0])
    wrong = (right + 1) % world.settings.partitions
    await send(world, [(topic, key, value, wrong)])
    worker = world.worker()
    await world.produce(200)

    async def stopped() -> bool:
        return any("partitioner=murmur2_random" in reason for reason in await worker.unready())

    await world.until(stopped, 60, "the partition stops")
    others = [tp for tp in world.sources() if tp.partition != wrong]

    async def others_go_on() -> bool:
        return await world.lag(others) == 0

    await world.until(others_go_on, 60, "the other partitions go on")
    assert worker.process.poll() is None
    assert await worker.end() == 0


async def test_a_restart_finds_the_same_rows_and_tells_nothing_twice(world: World) -> None:
    await world.produce(500)
    prefix, bootstrap = world.settings.prefix, world.settings.kafka_bootstrap_servers
    first = world.worker()
    await world.settled()
    assert await first.end() == 0
    facts = len((await read_all(bootstrap, [f"{prefix}.health"])).popitem()[1])

    second = world.worker()
    await world.at_work(second)
    assert await second.end() == 0

    engine = await scored(world)
    sources = await read_all(bootstrap, {tp.topic for tp in world.sources()})
    assert len(engine.accounts) == len(recount(sources, prefix))
    assert len((await read_all(bootstrap, [f"{prefix}.health"])).popitem()[1]) == facts
