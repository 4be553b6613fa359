"""`kesher projector` as a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx2
import psutil

from services.settings import Settings
from tests.integration.projector.projecting import until

PATIENCE_SECONDS = 120.0


def of(topics: Settings, database: str) -> Settings:
    """Settings for a projector process; it listens on any free port."""
    return topics.model_copy(update={"database_url": database, "projector_metrics_port": 0})


@asynccontextmanager
async def process(settings: Settings, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Running while inside, killed at the end."""
    command = (sys.executable, "-m", "services.cli.main", "projector", *options)
    running = await asyncio.create_subprocess_exec(*command, env=settings.environment())
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def readiness(running: asyncio.subprocess.Process) -> tuple[int, str]:
    """Status and body of its /readyz; (0, "") while it listens nowhere."""
    listening = [c for c in psutil.Process(running.pid).net_connections("tcp") if c.status == "LISTEN"]
    async with httpx2.AsyncClient() as client:
        for connection in listening:
            answer = await client.get(f"http://127.0.0.1:{connection.laddr.port}/readyz")
            return answer.status_code, answer.text
    return 0, ""


async def joined(running: asyncio.subprocess.Process) -> None:
    """Wait until it is ready."""

    async def ready() -> bool:
        status, _ = await readiness(running)
        return status == HTTPStatus.OK

    await until(ready, PATIENCE_SECONDS)
