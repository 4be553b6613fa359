"""The end of a Kafka producer that may be cut off: aiokafka's own stop waits for acknowledgements without end."""

import asyncio
import contextlib
from datetime import timedelta

from aiokafka import AIOKafkaProducer


async def stop(producer: AIOKafkaProducer, within: timedelta) -> bool:
    """Flush and close; whether all was acknowledged in time.  What was not is given up, connections are closed."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            await producer.stop()
    except TimeoutError:
        sender = producer._sender  # noqa: SLF001 (aiokafka, pinned, has no way to give up; the tests of outages do this)
        with contextlib.suppress(asyncio.CancelledError):
            await sender.close()
        await producer.client.close()
        return False
    return True
