"""What a person may write into the changelog while no scorer runs: the next one reads it when it starts."""

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaProducer

from streams.lane.changelog import ADOPTED, REJECTS, packed


async def adopt(producer: AIOKafkaProducer, changelog: str, partitions: Iterable[int], ids: Mapping[str, str]) -> None:
    """Accept the source topics as they are now (`ids` by full name): where one is another than was counted on, its
    rows stay and it is read from its beginning."""
    await _write(producer, changelog, partitions, ADOPTED, packed(dict(ids)))


async def resume(producer: AIOKafkaProducer, changelog: str, partitions: Iterable[int]) -> None:
    """Forget how many records of these partitions were bad, so that they are scored again."""
    await _write(producer, changelog, partitions, REJECTS, None)


async def _write(
    producer: AIOKafkaProducer, changelog: str, partitions: Iterable[int], key: bytes, value: bytes | None
) -> None:
    await asyncio.gather(
        *(producer.send_and_wait(changelog, value, key=key, partition=number) for number in partitions)
    )
