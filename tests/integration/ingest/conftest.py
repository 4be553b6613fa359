"""A door over real Kafka and Postgres, and keys that open it or do not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from services.adapters.access import hashed
from services.adapters.postgres import open_pool
from services.adapters.topics import ensure
from services.settings import Settings
from tests.integration.ingest.opened_door import WRITE_KEY, OpenDoor, opened, until_ready

_KEYS = (("write", WRITE_KEY, "write"), ("read", "a-read-key", "read"), ("revoked", "a-revoked-key", "write"))
_ADD = (
    "INSERT INTO api_keys (key_id, name, scope, prefix, secret_hash, created_at) "
    "VALUES ($1, $2, $3, '', $4, '2026-01-01Z')"
)


@pytest.fixture(scope="module")
def module_prefix(kafka: str) -> str:
    """A prefix whose topics exist; the tests of a file share them."""
    prefix = f"t{uuid4().hex[:10]}"
    asyncio.run(ensure(Settings(kafka_bootstrap_servers=kafka, prefix=prefix, partitions=2)))
    return prefix


@pytest.fixture
async def settings_for(kafka: str, database: str, module_prefix: str) -> Callable[..., Settings]:
    """Settings over a fresh database with three keys, changed as the test likes."""
    pool = await open_pool(database)
    for key, secret, scope in _KEYS:
        await pool.execute(_ADD, key, key, scope, hashed(secret))
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE key_id = 'revoked'")
    await pool.close()

    def made(**changed: Any) -> Settings:
        given = {"kafka_bootstrap_servers": kafka, "database_url": database, "prefix": module_prefix, "partitions": 2}
        return Settings(**(given | changed))

    return made


@pytest.fixture
async def door(settings_for: Callable[..., Settings]) -> AsyncIterator[OpenDoor]:
    """An open door; it tells only of the events that came in through it."""
    async with opened(settings_for()) as door:
        await until_ready(door)
        await door.forget()
        yield door
