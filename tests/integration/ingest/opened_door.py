"""A running door over real Kafka and Postgres, and what it wrote."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
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

    async def events(self) -> list[dict[str, Any]]:
        """Every event in the input topics, each checked to be in the partition of its key."""
        return await written(self.settings)


async def written(settings: Settings) -> list[dict[str, Any]]:
    """Every record's value in the input topics; the key must be the subject."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = [TopicPartition(t.full(settings.prefix), p) for t in INPUTS for p in range(settings.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    event = msgspec.json.decode(record.value)
                    assert event["subject"].encode() == record.key
                    found.append({"topic": place.topic.rpartition(".")[2], **event})
        return found
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
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=(WRITE_KEY, ""), timeout=30) as http:
        yield OpenDoor(http, settings, pool)
    server.should_exit = True
    await serving
    await pool.close()


async def until_ready(door: OpenDoor, seconds: float = 10) -> None:
    """Wait until /readyz says yes."""
    async with asyncio.timeout(seconds):
        while (await door.http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.02)
