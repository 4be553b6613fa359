"""A consumer for as long as one is inside, closed whatever state its broker left it in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from aiokafka import AIOKafkaConsumer

from services.adapters.kafka import consumer
from services.settings import Settings


@asynccontextmanager
async def consuming(settings: Settings, name: str, wait: timedelta) -> AsyncGenerator[AIOKafkaConsumer]:
    """Started, without a group.  Raises KafkaError while Kafka is away."""
    client = consumer(settings, name, wait=wait)
    try:
        await client.start()
        yield client
    finally:
        await _stop(client)


async def _stop(client: AIOKafkaConsumer) -> None:
    """While a broker is away, aiokafka's stop raises the cancellation of its own fetch and leaves connections open: it
    gets a task of its own, so that this is not taken for ours."""
    stopping = asyncio.create_task(client.stop())
    await asyncio.wait((stopping,))
    if stopping.cancelled():
        await client._client.close()  # noqa: SLF001 -- aiokafka is pinned
    else:
        stopping.result()
