"""What the demo sends arrives once and whole on real Kafka, however often it is interrupted."""

from datetime import date

import msgspec
from aiokafka import TopicPartition

from schemas.topics import INPUTS
from services.adapters.kafka import consumer
from services.cli.course import Course, Place
from services.cli.sender import Sender
from services.settings import Settings
from streams.simulation.world import World, events

WORLD = World(accounts=20, seed=1, start=date(2026, 1, 4))
DAYS = 12


async def stored(settings: Settings) -> list[str]:
    """The ids of all events in all input topics."""
    reader = consumer(settings, "test")
    await reader.start()
    partitions = [TopicPartition(t.full(settings.prefix), p) for t in INPUTS for p in range(settings.partitions)]
    reader.assign(partitions)
    ends = await reader.end_offsets(partitions)
    await reader.seek_to_beginning()
    ids: list[str] = []
    while len(ids) < sum(ends.values()):
        for records in (await reader.getmany(timeout_ms=500)).values():
            ids += [msgspec.json.decode(record.value)["id"] for record in records]
    await reader.stop()
    return ids


async def test_interrupted_sending_goes_on_without_losing_or_repeating_an_event(topics: Settings) -> None:
    course = Course(lambda since: events(WORLD, DAYS, since), 0.0)
    places: list[Place] = []
    for share in (700, 1, 400, 1_000_000):
        async with Sender(topics, places[-1] if places else None, places.append) as sender:
            for _, record in zip(range(share), course.after(places[-1] if places else None), strict=False):
                await sender.send(record)

    sent = [msgspec.json.decode(value)["id"] for *_, value in events(WORLD, DAYS)]
    assert sorted(await stored(topics)) == sorted(sent)
