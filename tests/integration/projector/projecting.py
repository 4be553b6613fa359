"""Topics with facts in them, and projectors that run until all of them are in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from schemas.events.fact import Fact
from services.adapters import clock
from services.adapters.kafka import consumer, producer
from services.adapters.postgres import open_pool
from services.projector.meters import Meters
from services.projector.project import TOPICS, Projector
from services.settings import Settings
from tests.facts import encoded, topic_of

PATIENCE_SECONDS = 60.0


async def send(settings: Settings, records: Iterable[tuple[str, bytes | None, bytes | None]]) -> None:
    """Topic names without prefix, keys, values."""
    client: AIOKafkaProducer = producer(settings, "test")
    async with client:
        for topic, key, value in records:
            await client.send(f"{settings.prefix}.{topic}", value, key=key)
        await client.flush()


async def tell(settings: Settings, facts: Iterable[Fact]) -> None:
    """Facts to their topics."""
    await send(settings, ((topic_of(fact).name, *encoded(fact)) for fact in facts))


async def ends(settings: Settings) -> dict[tuple[str, int], int]:
    """Where the logs end that are not empty."""
    async with consumer(settings, "test") as client:
        places = [TopicPartition(t.full(settings.prefix), n) for t in TOPICS for n in range(settings.partitions)]
        return {tuple(place): end for place, end in (await client.end_offsets(places)).items() if end}


async def offsets(database: str) -> dict[tuple[str, int], int]:
    """How far Postgres is, where it has begun."""
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT topic, partition, next_offset FROM projector_offsets WHERE next_offset > 0"
        )
    finally:
        await connection.close()
    return {(topic, partition): after for topic, partition, after in rows}


async def until_applied(settings: Settings, database: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Everything that is in Kafka now is in Postgres."""
    wanted = await ends(settings)

    async def applied() -> bool:
        return await offsets(database) == wanted

    await until(applied, seconds)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """Poll what cannot call us, up to the deadline."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def projecting(settings: Settings, database: str, group: str = "projector") -> AsyncIterator[Projector]:
    """A projector at work in this process; an error of it is raised at the end."""
    stopping = asyncio.Event()
    pool: Any = await open_pool(database)
    projector = Projector(settings, pool, Meters(CollectorRegistry()), clock.now, group)
    running = asyncio.create_task(projector.run(stopping))
    try:
        yield projector
    finally:
        stopping.set()
        await running
        await pool.close()
