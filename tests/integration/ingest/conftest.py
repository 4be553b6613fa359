"""A door over real Kafka and Postgres, and keys that open it or do not."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from services.adapters import topics
from services.adapters.access import hashed
from services.adapters.postgres import create_database, migrate, open_pool
from services.settings import Settings
from tests.integration.ingest.opened_door import WRITE_KEY, OpenDoor, opened, until_ready


@pytest.fixture
async def database_url(postgres: str) -> str:
    url = await create_database(postgres, f"ingest_{uuid4().hex[:8]}")
    await migrate(url)
    pool = await open_pool(url)
    for name, scope in (("write", "write"), ("read", "read"), ("revoked", "write")):
        secret = WRITE_KEY if name == "write" else f"a-{name}-key-of-the-tests"
        await pool.execute(
            "INSERT INTO api_keys (key_id, name, scope, prefix, secret_hash, created_at) VALUES ($1, $2, $3, '', $4, now())",
            name,
            name,
            scope,
            hashed(secret),
        )
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE key_id = 'revoked'")
    await pool.close()
    return url


@pytest.fixture
def settings_for(kafka: str, prefix: str, database_url: str) -> Callable[..., Settings]:
    def made(**changed: Any) -> Settings:
        given = {"kafka_bootstrap_servers": kafka, "database_url": database_url, "prefix": prefix, "partitions": 2}
        return Settings(**(given | changed))

    return made


@pytest.fixture
async def door(settings_for: Callable[..., Settings]) -> AsyncIterator[OpenDoor]:
    settings = settings_for()
    await topics.ensure(settings)
    async with opened(settings) as door:
        await until_ready(door)
        yield door
