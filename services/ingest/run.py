"""The ingest process: Postgres, the app, a web server, until told to stop."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
import uvicorn

from services.adapters.postgres import AWAY, open_pool
from services.ingest.app import create
from services.settings import Settings

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=1)


async def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way.  Waits for Postgres to come up."""
    pool = await _pool(settings.database_url)
    try:
        config = uvicorn.Config(
            create(settings, pool),
            host=settings.bind,
            port=settings.ingest_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=round(settings.produce_timeout_seconds) + 1,
        )
        await uvicorn.Server(config).serve()
    finally:
        await pool.close()


async def _pool(database_url: str) -> "asyncpg.Pool[Any]":
    while True:
        try:
            return await open_pool(database_url)
        except AWAY as error:
            log.warning("Postgres cannot be reached; trying again", error=str(error))
            await asyncio.sleep(RETRY.total_seconds())
