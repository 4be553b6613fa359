"""What the tests share: one real Kafka and one real Postgres per session, and fresh names within them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.embedded.postgres import EmbeddedPostgres
from services.adapters.migrations import migrate
from services.adapters.postgres import create_database
from services.adapters.topics import ensure
from services.settings import Settings


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a Kafka that the session shares; take a `prefix` for topics of your own."""
    broker = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield broker.start()
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server that the session shares."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(postgres_server: EmbeddedPostgres) -> str:
    """URL of an empty database that the session shares."""
    return postgres_server.url(postgres_server.database)


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """Name of a migrated database that nobody connects to; copies of it cost 30 ms."""
    name = "template_kesher"
    asyncio.run(migrate(asyncio.run(create_database(postgres, name))))
    return name


@pytest.fixture
async def database(postgres_server: EmbeddedPostgres, postgres: str, template: str) -> AsyncIterator[str]:
    """URL of a fresh database with every migration applied."""
    name = f"t{uuid4().hex[:10]}"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield postgres_server.url(name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def topics(kafka: str, prefix: str) -> Settings:
    """Settings whose topics exist, fresh for this test, with 4 partitions each."""
    settings = Settings(kafka_bootstrap_servers=kafka, prefix=prefix, partitions=4)
    await ensure(settings)
    return settings


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid4().hex[:10]}"


@pytest.fixture
def data_directory(tmp_path: Path) -> Path:
    """An empty directory for a broker of the test's own."""
    return tmp_path / "data"
