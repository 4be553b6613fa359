"""The projector process: probes, Postgres, the loop and the thinning, until told to stop."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from services.adapters import clock
from services.adapters.health import serve_health
from services.adapters.postgres import AWAY, UNMIGRATED, open_pool
from services.projector.meters import Meters
from services.projector.project import PAUSE, Projector
from services.projector.thin import thin
from services.projector.upsert import empty
from services.projector.waiting import wait
from services.settings import Settings

log = structlog.get_logger(__name__)

THIN_EVERY = timedelta(minutes=1)


class _Process:
    """What /readyz tells while there is no projector yet."""

    projector: Projector | None = None

    def trouble(self) -> str | None:
        return "Postgres has not answered yet" if self.projector is None else self.projector.trouble


async def run(settings: Settings, *, rebuild: bool = False) -> None:
    """Project until SIGINT or SIGTERM.  With `rebuild`, empty the read model first.

    StateConflict when the topics are not the ones projected before; Refused when the port or the database is wrong."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    registry, process = CollectorRegistry(), _Process()
    async with serve_health(settings.bind, settings.projector_metrics_port, registry, process.trouble):
        pool = await _pool(settings.database_url, stopping)
        if pool is None:
            return
        try:
            if rebuild:
                await empty(pool)
            meters = Meters(registry)
            process.projector = Projector(settings, pool, meters, clock.now)
            await _together(process.projector.run(stopping), _keep_thin(pool, meters, stopping))
        finally:
            await pool.close()


async def _together(*work: Any) -> None:
    """Until all have ended; an error of one ends the others."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _pool(database_url: str, stopping: asyncio.Event) -> "asyncpg.Pool[Any] | None":
    while not stopping.is_set():
        try:
            return await open_pool(database_url)
        except AWAY as error:
            log.warning("Postgres does not answer; trying again", why=repr(error))
            await wait(PAUSE, stopping)
    return None


async def _keep_thin(pool: "asyncpg.Pool[Any]", meters: Meters, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            dropped, kept = await thin(pool, datetime.fromtimestamp(clock.now(), UTC))
        except (*AWAY, *UNMIGRATED) as error:
            log.warning("health history was not thinned; trying again", why=repr(error))
            dropped = kept = 0
        meters.thinned.inc(dropped)
        await wait(PAUSE if kept else THIN_EVERY, stopping)
