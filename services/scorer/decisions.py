"""What a person decides about the scorer's state, while no scorer runs."""

from collections.abc import Iterable

from schemas.topics import CHANGELOG, SOURCES
from services.adapters.kafka import producer
from services.adapters.topic_ids import topic_ids
from services.settings import Settings
from streams.lane import notes


async def adopt(settings: Settings) -> None:
    """Count on although source topics are not those that were counted: rows stay, changed topics are read anew."""
    names = [topic.full(settings.prefix) for topic in SOURCES]
    ids = await topic_ids(settings.kafka_bootstrap_servers, names)
    async with producer(settings, "adopt") as writer:
        await notes.adopt(writer, CHANGELOG.full(settings.prefix), range(settings.partitions), ids)


async def resume(settings: Settings, partitions: Iterable[int]) -> None:
    """Score paused partitions again."""
    async with producer(settings, "resume") as writer:
        await notes.resume(writer, CHANGELOG.full(settings.prefix), partitions)
