"""/healthz, /readyz and /metrics, the same in every process."""

from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.adapters import telemetry

Reasons = Callable[[], Awaitable[Sequence[str]]]
"""Why the process cannot work just now, in sentences; empty when it can."""


def probes(reasons: Reasons, registry: CollectorRegistry) -> list[Route]:
    """Three routes: alive (always 200), ready (200, or 503 with the reasons), and the metrics."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        why = list(await reasons())
        return JSONResponse({"ready": not why, "reasons": why}, status_code=503 if why else 200)

    async def metrics(_: Request) -> Response:
        return Response(telemetry.exposed(registry), media_type=telemetry.CONTENT_TYPE)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
