"""The web app, made afresh by `build`: API, stream and pages behind one guard."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, NoReturn

import asyncpg
import structlog
from fastapi import FastAPI

from services.adapters import clock
from services.adapters.postgres import AWAY
from services.adapters.probes import probes
from services.settings import Settings
from services.web import contract, faults, login
from services.web.api import accounts, portfolio, signals, stream
from services.web.callers import Callers
from services.web.console import routes as console
from services.web.guard import Guard
from services.web.headers import SecurityHeaders
from services.web.live.feed import Feed
from services.web.live.reader import Reader
from services.web.live.stream import Streams
from services.web.meters import Meters, Timed
from services.web.parts import Parts

log = structlog.get_logger(__name__)

API = (accounts, signals, portfolio, stream)
"""Every resource; the order is that of the API's description."""


def build(
    pool: "asyncpg.Pool[Any]",
    settings: Settings,
    *,
    now: Callable[[], float] = clock.now,
    monotonic: Callable[[], float] = clock.monotonic,
) -> FastAPI:
    """The app; its lifespan runs the reader of the fact topics.  `now` gives epoch seconds, `monotonic` seconds."""
    meters = Meters()
    feed = Feed(meters, settings.stream_kept)
    reader = Reader(settings, feed)
    streams = Streams(settings, feed, reader, monotonic)
    parts = Parts(pool, settings, feed, streams, Callers(pool, now, monotonic), meters, now, monotonic)
    app = _app(_following(reader, feed))
    app.state.parts = parts
    app.add_middleware(Guard, parts=parts)
    app.add_middleware(SecurityHeaders, https=settings.public_url.startswith("https:"))
    app.add_middleware(Timed, meters=meters, monotonic=monotonic)
    app.include_router(login.router())
    app.include_router(console.router)
    app.routes.extend(probes(lambda: _reasons(pool, reader, feed), meters.registry))
    return app


def openapi() -> dict[str, Any]:
    """The description of the API, as services/web serves it at /api/openapi.json."""
    return _app(None).openapi()


def _app(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None) -> FastAPI:
    """What needs no database: the API's routes, errors and description."""
    app = FastAPI(**contract.ABOUT, lifespan=lifespan)
    faults.attach(app)
    for resource in API:
        app.include_router(resource.router, responses=contract.REFUSALS)
    contract.attach(app)
    return app


def _following(reader: Reader, feed: Feed) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        following = asyncio.create_task(reader.run(), name="reader of the fact topics")
        following.add_done_callback(_stop_if_failed)
        yield
        feed.close()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    return lifespan


def _stop_if_failed(following: asyncio.Task[NoReturn]) -> None:
    """Without its reader the process is of no use: its supervisor starts another."""
    if not following.cancelled() and (error := following.exception()) is not None:
        log.critical("the stream has met a fault that does not pass; the process stops", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


async def _reasons(pool: "asyncpg.Pool[Any]", reader: Reader, feed: Feed) -> Sequence[str]:
    """Why the web cannot serve just now."""
    reasons = []
    try:
        await pool.fetchval("SELECT 1 FROM accounts LIMIT 1", timeout=5)
    except (*AWAY, asyncpg.PostgresError) as error:
        what = str(error) or type(error).__name__
        reasons.append(f"Postgres does not answer: {what}; check DATABASE_URL and run `kesher migrate`")
    if reader.why_not:
        reasons.append(reader.why_not)
    elif not feed.ready:
        reasons.append("the stream has not read up to the end of the fact topics yet")
    return reasons
