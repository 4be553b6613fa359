"""A web process over real Kafka and Postgres."""

from collections.abc import AsyncIterator

import pytest

from services.settings import Settings
from tests.integration.web.opened_web import OpenWeb, opened, until_ready


@pytest.fixture
def settings(topics: Settings, database: str) -> Settings:
    """Fresh topics, a fresh database."""
    return topics.model_copy(update={"database_url": database})


@pytest.fixture
async def web(settings: Settings) -> AsyncIterator[OpenWeb]:
    """Ready, with nothing in it."""
    async with opened(settings) as one:
        await until_ready(one)
        yield one
