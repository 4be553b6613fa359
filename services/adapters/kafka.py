"""aiokafka's clients, built one way: what is acknowledged stays, a key keeps its partition, offsets are ours."""

from datetime import timedelta

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from services.settings import Settings

_MEGABYTE = 1_048_576


def producer(settings: Settings, name: str, linger: timedelta = timedelta(milliseconds=2)) -> AIOKafkaProducer:
    """Idempotent, acknowledged by all in-sync replicas; aiokafka's own partitioner is murmur2.  Not started yet."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=f"{settings.prefix}.{name}",
        enable_idempotence=True,
        acks="all",
        max_batch_size=131_072,
        linger_ms=round(linger / timedelta(milliseconds=1)),
    )


def consumer(
    settings: Settings, name: str, *, group: str | None = None, wait: timedelta = timedelta(milliseconds=100)
) -> AIOKafkaConsumer:
    """Begins where it is told to by `seek`, else at the beginning; commits nothing by itself.  Not started yet.

    A fetch without news waits for `wait`.  Members of a group share partitions by range, so that one member has the
    same partition of every topic."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=f"{settings.prefix}.{name}",
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        partition_assignment_strategy=(RangePartitionAssignor,),
        fetch_max_wait_ms=round(wait / timedelta(milliseconds=1)),
        max_partition_fetch_bytes=_MEGABYTE,
        metadata_max_age_ms=30_000,
    )
