"""The web process: Postgres, the app, a web server, until told to stop."""

import asyncio
import socket
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
import uvicorn
from fastapi import FastAPI

from services.adapters.postgres import AWAY, open_pool
from services.settings import Settings
from services.web.app import build

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=1)
CONNECTIONS = 10
LAST_ANSWERS = timedelta(seconds=5)
"""For requests under way when the process is told to stop; streams end at once."""


class Server(uvicorn.Server):
    """A web server whose streams end before it waits for its last answers."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then what uvicorn does."""
        self.config.app.state.parts.feed.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def server(app: FastAPI, settings: Settings) -> Server:
    """The app in its server; the access log stays off, for it would hold the secrets of login links."""
    config = uvicorn.Config(
        app,
        host=settings.bind,
        port=settings.web_port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=round(LAST_ANSWERS.total_seconds()),
    )
    return Server(config)


async def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.  Waits for Postgres to come up."""
    pool = await _pool(settings.database_url)
    try:
        await server(build(pool, settings), settings).serve()
    finally:
        await pool.close()


async def _pool(database_url: str) -> "asyncpg.Pool[Any]":
    while True:
        try:
            return await open_pool(database_url, CONNECTIONS)
        except AWAY as error:
            log.warning("Postgres cannot be reached; trying again", error=str(error))
            await asyncio.sleep(RETRY.total_seconds())
