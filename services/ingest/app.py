"""The ingest door as an ASGI app: its collaborators, made and closed with it, and its routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any, cast

import asyncpg
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from schemas import metrics
from services.adapters import clock, kafka, problems, telemetry
from services.adapters.access import Keys
from services.adapters.postgres import AWAY
from services.adapters.probes import probes
from services.ingest.door import Door
from services.ingest.identity import Members
from services.ingest.publish import Publisher
from services.ingest.routes import cloudevents, segment
from services.settings import Settings

DIALECTS = (segment.router, cloudevents.router)


class BrowserDoor(CORSMiddleware):
    """Lets the pages of named sites call /v1, and nothing else."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything outside /v1 through."""
        inside = scope["type"] == "http" and scope["path"].startswith("/v1/")
        await (super().__call__ if inside else self.app)(scope, receive, send)


def create(settings: Settings, pool: asyncpg.Pool, registry: CollectorRegistry | None = None) -> FastAPI:
    """The app over an open pool.  It starts while Kafka is away, and says so at /readyz."""
    registry = registry or CollectorRegistry()
    publisher = Publisher(
        lambda: kafka.producer(settings, "ingest"),
        timedelta(seconds=settings.produce_timeout_seconds),
        settings.max_waiting_bytes,
        telemetry.gauge(metrics.INGEST_WAITING_BYTES, registry),
    )
    door = Door(
        keys=Keys(pool, clock.monotonic),
        members=Members(pool, clock.monotonic),
        publisher=publisher,
        prefix=settings.prefix,
        now=clock.now,
        fresh_id=clock.fresh_id,
        outcomes=telemetry.counter(metrics.INGEST_EVENTS, registry),
    )
    app = FastAPI(title="Kesher ingest", lifespan=_lifespan(publisher), docs_url=None, redoc_url=None)
    problems.attach(app)
    for dialect in DIALECTS:
        app.include_router(dialect(door))
    app.router.routes.extend(probes(lambda: _reasons(publisher, pool), registry))
    _attach_options(app)
    _attach_clock(app, registry)
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if origins:
        app.add_middleware(BrowserDoor, allow_origins=origins, allow_methods=["POST"], allow_headers=["*"])
    return app


def openapi() -> dict[str, Any]:
    """The description of the door; needs neither Kafka nor Postgres, for it is never opened."""
    return create(Settings(), cast("asyncpg.Pool[Any]", None)).openapi()


def _lifespan(publisher: Publisher) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        connection = asyncio.create_task(publisher.run())
        yield
        connection.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await connection

    return lifespan


async def _reasons(publisher: Publisher, pool: asyncpg.Pool) -> Sequence[str]:
    """Why events cannot be taken just now."""
    trouble = publisher.trouble()
    why = [trouble] if trouble else []
    try:
        await pool.fetchval("SELECT 1", timeout=2)
    except AWAY as error:
        why.append(f"Postgres does not answer: {error}")
    return why


def _attach_options(app: FastAPI) -> None:
    @app.options("/v1/{path}", include_in_schema=False)
    async def options(path: str) -> Response:
        return Response(status_code=204, headers={"Allow": "POST, OPTIONS"})


def _attach_clock(app: FastAPI, registry: CollectorRegistry) -> None:
    """Times every request by its route, never by the path a stranger made up."""
    seconds = telemetry.histogram(metrics.INGEST_SECONDS, registry)

    @app.middleware("http")
    async def timed(request: Request, call_next: RequestResponseEndpoint) -> Response:
        began = clock.monotonic()
        answer = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "unknown")
        seconds.labels(route, str(answer.status_code)).observe(clock.monotonic() - began)
        return answer
