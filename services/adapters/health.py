"""A small web server beside a process that has no other: /healthz, /readyz, /metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from schemas.errors import Refused
from services.adapters.probes import probes


class _Server(uvicorn.Server):
    """Leaves signals to the process that it serves."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_health(
    bind: str, port: int, registry: CollectorRegistry, ready: Callable[[], str | None]
) -> AsyncIterator[int]:
    """While inside, answer on the port (0: a free one, yielded).  `ready` gives the reason for a 503, or None.

    Refused when the port is taken."""

    async def reasons() -> Sequence[str]:
        why = ready()
        return () if why is None else (why,)

    try:
        listening = socket.create_server((bind, port))
    except OSError as error:
        raise Refused(f"{bind}:{port} cannot be listened on ({error.strerror}): choose another port") from error
    app = Starlette(routes=probes(reasons, registry))
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="health")
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listening.close()
