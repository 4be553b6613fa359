"""What the tests share: one real Kafka and one real Postgres per session, and fresh names within them."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.embedded.postgres import EmbeddedPostgres


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


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid4().hex[:10]}"


@pytest.fixture
def data_directory(tmp_path: Path) -> Path:
    """An empty directory for a broker of the test's own."""
    return tmp_path / "data"
