"""Everything running, as a customer would have it."""

from collections.abc import AsyncIterator

import pytest

from services.settings import Settings
from tests.integration.projector.projecting import projecting
from tests.integration.web.opened_web import OpenWeb, opened, until_ready


@pytest.fixture
def settings(topics: Settings, database: str) -> Settings:
    """Fresh topics, a fresh database."""
    return topics.model_copy(update={"database_url": database})


@pytest.fixture
async def web(settings: Settings) -> AsyncIterator[OpenWeb]:
    """The web door with a projector behind it, both following the fact topics."""
    async with projecting(settings, settings.database_url), opened(settings) as one:
        await until_ready(one)
        yield one
