"""What the doctor looks at, one function each; all of them are listed in CHECKS."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.metadata import version

import asyncpg
import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.partitioner import murmur2

from schemas.topics import INPUTS
from services.adapters.clock import fresh_id, monotonic, now
from services.adapters.outage import expecting_kafka
from services.adapters.postgres import AWAY, without_password
from services.adapters.topics import check, connected
from services.cli.up import processes
from services.settings import Settings


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, or not and then `what` says what to do.  `fine=None`: worth knowing, nothing to do."""

    what: str
    fine: bool | None = True


Check = Callable[[Settings], AsyncIterator[Finding]]
SKEW_SECONDS = 1.0
"""Clocks further apart than this mix up which event came first, and how old it is."""
OLDEST_POSTGRES = 14
SAMPLE = 100
"""Records per partition whose partitioner is looked at."""
_PROBE_WAIT_MS = 500


async def kafka(settings: Settings) -> AsyncIterator[Finding]:
    """Brokers, and the clock of the one that stamps records."""
    async with connected(settings.kafka_bootstrap_servers) as admin:
        brokers = len((await admin.describe_cluster())["brokers"])
        yield Finding(f"Kafka answers at {settings.kafka_bootstrap_servers}: {brokers} broker(s)")
        probe = f"{settings.prefix}.doctor-{fresh_id()[:8]}"
        stamp = {"message.timestamp.type": "LogAppendTime"}
        await admin.create_topics([NewTopic(probe, 1, 1, topic_configs=stamp)])
        try:
            async with AIOKafkaProducer(
                bootstrap_servers=settings.kafka_bootstrap_servers, acks="all", request_timeout_ms=10_000
            ) as producer:
                await producer.send_and_wait(probe, b"the first record waits for the topic")
                began, before = monotonic(), now()
                stamped = (await producer.send_and_wait(probe, b"what time is it?")).timestamp / 1000
            spent = monotonic() - began
            yield Finding(f"Kafka acknowledges a record, synchronised, in {spent * 1000:.0f} ms")
            yield _clock("Kafka's broker", stamped - (before + spent / 2))
        finally:
            await admin.delete_topics([probe])


async def topics(settings: Settings) -> AsyncIterator[Finding]:
    """Every topic as `kesher topics` wants it."""
    report = await check(settings)
    for name in report.created:
        yield Finding(f"the topic {name} is missing: run `kesher topics`", fine=False)
    for name, changes in report.corrected.items():
        yield Finding(f"{name} is set otherwise than {dict(changes)}: run `kesher topics`", fine=False)
    for sentence in report.refusals:
        yield Finding(sentence, fine=False)
    for sentence in report.remarks:
        yield Finding(sentence, fine=None)
    if not report.created and not report.corrected and not report.refusals:
        yield Finding("every topic is there, with the partitions and settings it should have")


async def partitioner(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the newest records of each input lie where murmur2 puts their keys."""
    checked = wrong = 0
    async with connected(settings.kafka_bootstrap_servers) as admin:
        counts = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics()}
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, fetch_max_wait_ms=_PROBE_WAIT_MS)
    try:
        with expecting_kafka(settings.kafka_bootstrap_servers):
            await consumer.start()
        for name in (topic.full(settings.prefix) for topic in INPUTS):
            if name not in counts:
                continue
            sample = await _newest(consumer, [TopicPartition(name, number) for number in range(counts[name])])
            astray = [key for key, partition in sample if (murmur2(key) & 0x7FFFFFFF) % counts[name] != partition]
            checked, wrong = checked + len(sample), wrong + len(astray)
            if astray:
                yield Finding(
                    f"{len(astray)} of {len(sample)} sampled records of {name} lie in the wrong partition (one has the "
                    f"key {astray[0].decode(errors='replace')!r}): set partitioner=murmur2_random in the client that "
                    "produces them",
                    fine=False,
                )
    finally:
        await consumer.stop()
    if not wrong:
        yield Finding(f"{checked} sampled records lie where murmur2 puts their keys" if checked else "no inputs yet")


async def postgres(settings: Settings) -> AsyncIterator[Finding]:
    """Connection, version, schema, clock."""
    shown = without_password(settings.database_url)
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=10)
    except (*AWAY, asyncpg.PostgresError, ValueError) as error:
        yield Finding(f"no Postgres answers at {shown} ({error}): start it, or correct DATABASE_URL", fine=False)
        return
    try:
        major = connection.get_server_version().major
        enough = major >= OLDEST_POSTGRES
        advice = "" if enough else f": {OLDEST_POSTGRES} or later is needed"
        yield Finding(f"Postgres {major} answers at {shown}{advice}", fine=enough)
        migrated = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        yield Finding(
            "the schema is there" if migrated else "the schema is missing: run `kesher migrate`", fine=migrated
        )
        before = now()
        clock = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        yield _clock("Postgres", clock - (before + now()) / 2)
    finally:
        await connection.close()


async def doors(settings: Settings) -> AsyncIterator[Finding]:
    """What each process on this machine says of itself."""
    async with httpx2.AsyncClient(trust_env=False, timeout=3.0) as client:
        for process in processes(settings):
            address = f"http://{settings.bind}:{process.port}/readyz"
            try:
                answer = await client.get(address)
            except httpx2.HTTPError:
                yield Finding(f"{process.name} does not answer at {address} (it may run elsewhere)", fine=None)
                continue
            ready = answer.status_code == httpx2.codes.OK
            yield Finding(f"{process.name} is ready" if ready else f"{process.name}: {answer.text.strip()}", fine=ready)


async def itself(_settings: Settings) -> AsyncIterator[Finding]:
    """The versions that matter to a bug report."""
    parts = ("kesher", "faust-streaming", "aiokafka", "numpy")
    yield Finding(", ".join(f"{name} {version(name)}" for name in parts), fine=None)


CHECKS: tuple[Check, ...] = (itself, kafka, topics, partitioner, postgres, doors)


def _clock(whose: str, ahead: float) -> Finding:
    if abs(ahead) <= SKEW_SECONDS:
        return Finding(f"the clock of {whose} agrees with this machine's within {abs(ahead) * 1000:.0f} ms")
    side = "ahead of" if ahead > 0 else "behind"
    return Finding(
        f"the clock of {whose} is {abs(ahead):.1f} s {side} this machine's: let both follow the same time server (NTP)",
        fine=False,
    )


async def _newest(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> list[tuple[bytes, int]]:
    """(key, partition) of the last records of each partition."""
    consumer.assign(places)
    ends, starts = await consumer.end_offsets(places), await consumer.beginning_offsets(places)
    for place in places:
        consumer.seek(place, max(starts[place], ends[place] - SAMPLE))
    expected = sum(min(SAMPLE, ends[place] - starts[place]) for place in places)
    found: list[tuple[bytes, int]] = []
    while expected > 0:
        batches = await consumer.getmany(timeout_ms=2 * _PROBE_WAIT_MS)
        if not batches:
            break
        for place, records in batches.items():
            expected -= len(records)
            found.extend((record.key, place.partition) for record in records if record.key is not None)
    return found
