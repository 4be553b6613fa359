"""The web's own metrics, and the middleware that times every request."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas import metrics
from services.adapters import telemetry

STREAM = "/api/stream"


class Meters:
    """A fresh registry and what is measured in it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = telemetry.histogram(metrics.WEB_SECONDS, self.registry)
        self.streams = telemetry.gauge(metrics.WEB_STREAMS, self.registry)
        self.ends = telemetry.counter(metrics.WEB_STREAM_ENDS, self.registry)
        self.facts = telemetry.counter(metrics.WEB_FACTS, self.registry)
        self.replays = telemetry.counter(metrics.WEB_REPLAYS, self.registry)


class Timed:
    """ASGI middleware: how long each route takes.  What matches no route counts as `none`."""

    def __init__(self, app: ASGIApp, meters: Meters, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._meters = meters
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and observe."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._monotonic(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            if route != STREAM:
                self._meters.seconds.labels(route, status).observe(self._monotonic() - began)
