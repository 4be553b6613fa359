"""Health doors tell why they are red; the doctor says in words what to do."""

import asyncio
import socket

import httpx2
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry, Counter

from schemas.errors import Refused
from schemas.topics import USAGE
from services.adapters.health import serve_health
from services.cli import checks
from services.cli.checks import Check, Finding
from services.settings import Settings


async def test_readiness_is_red_with_its_reason_and_metrics_are_served() -> None:
    registry = CollectorRegistry()
    Counter("kesher_records", "records seen", registry=registry).inc(3)
    reasons: list[str | None] = ["recovering", None]

    async with (
        serve_health("127.0.0.1", 0, registry, lambda: reasons[0]) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        red = await client.get("/readyz")
        del reasons[0]
        green = await client.get("/readyz")

        assert (red.status_code, red.json()["reasons"]) == (503, ["recovering"])
        assert green.status_code == 200
        assert (await client.get("/healthz")).status_code == 200
        assert "kesher_records_total 3.0" in (await client.get("/metrics")).text


async def test_a_taken_health_port_is_refused_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Refused, match="cannot be listened on"):
        async with serve_health("127.0.0.1", taken.getsockname()[1], CollectorRegistry(), lambda: None):
            pass


async def test_a_sound_kafka_with_topics_gives_the_doctor_nothing_to_say(topics: Settings) -> None:
    found = [*await findings(checks.kafka, topics), *await findings(checks.topics, topics)]

    assert all(one.fine for one in found)
    assert any("clock of Kafka's broker agrees" in one.what for one in found)


async def test_missing_topics_and_tables_are_told_with_the_command_that_makes_them(
    kafka: str, prefix: str, postgres: str
) -> None:
    settings = Settings(kafka_bootstrap_servers=kafka, prefix=prefix, database_url=postgres)

    assert any("run `kesher topics`" in one.what for one in wrong(await findings(checks.topics, settings)))
    assert any("run `kesher migrate`" in one.what for one in wrong(await findings(checks.postgres, settings)))


async def test_a_migrated_postgres_is_fine_and_one_that_is_away_is_named_without_its_password(
    topics: Settings, database: str, unused_tcp_port: int
) -> None:
    there = topics.model_copy(update={"database_url": database})
    away = topics.model_copy(update={"database_url": f"postgresql://me:secret@127.0.0.1:{unused_tcp_port}/x"})

    assert all(one.fine for one in await findings(checks.postgres, there))
    (trouble,) = wrong(await findings(checks.postgres, away))
    assert "DATABASE_URL" in trouble.what
    assert "secret" not in trouble.what


async def test_a_producer_with_the_wrong_partitioner_is_found(topics: Settings) -> None:
    name = USAGE.full(topics.prefix)
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka_bootstrap_servers) as producer:
        await asyncio.gather(*[producer.send_and_wait(name, b"{}", key=b"acme") for _ in range(3)])
        assert not wrong(await findings(checks.partitioner, topics))
        for partition in range(4):
            await producer.send_and_wait(name, b"{}", key=b"acme", partition=partition)

    (trouble,) = wrong(await findings(checks.partitioner, topics))
    assert "3 of 7 sampled records" in trouble.what
    assert "murmur2_random" in trouble.what


async def findings(check: Check, settings: Settings) -> list[Finding]:
    return [one async for one in check(settings)]


def wrong(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.fine is False]
