"""A running door over real Kafka and Postgres, and what it wrote."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2
import msgspec
import uvicorn
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import INPUTS
from services.adapters.postgres import open_pool
from services.ingest.app import create
from services.settings import Settings

WRITE_KEY = "a-write-key-of-the-tests"


@dataclass
class OpenDoor:
    """A running door: its client (with the write key), its settings and its pool."""

    http: httpx2.AsyncClient
    settings: Settings
    pool: "asyncpg.Pool[Any]"

    already: dict[TopicPartition, int] = field(default_factory=dict)

    async def forget(self) -> None:
        """Leave out of `events` what is in the topics now."""
        async with reading(self.settings) as consumer:
            self.already = await consumer.end_offsets(consumer.assignment())

    async def events(self) -> list[dict[str, Any]]:
        """Every new event in the input topics, each with its topic; the key must be the subject."""
        async with reading(self.settings) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            for place, offset in self.already.items():
                consumer.seek(place, offset)
            found = []
            while any([await consumer.position(place) < ends[place] for place in ends]):
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    for record in records:
                        event = msgspec.json.decode(record.value)
                        assert event["subject"].encode() == record.key
                        found.append({"topic": place.topic.rpartition(".")[2], **event})
            return found


@contextlib.asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of all input topics, from their beginning."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(
            [TopicPartition(t.full(settings.prefix), p) for t in INPUTS for p in range(settings.partitions)]
        )
        yield consumer
    finally:
        await consumer.stop()


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[OpenDoor]:
    """The door on a port of its own, until the end of the block."""
    pool = await open_pool(settings.database_url)
    config = uvicorn.Config(create(settings, pool), host="127.0.0.1", port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=(WRITE_KEY, ""), timeout=60) as http:
            yield OpenDoor(http, settings, pool)
    finally:
        server.should_exit = True
        await serving
        await pool.close()


async def until_ready(door: OpenDoor, seconds: float = 60) -> None:
    """Wait until /readyz says yes."""
    async with asyncio.timeout(seconds):
        while (await door.http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.02)
