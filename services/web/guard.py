"""The guard before every route: nothing is served without a key or a session, but OPEN and, on this machine, LOCAL.

It fails closed: a route that nobody thought of asks for a key, too."""

import math
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.errors import RetryLater
from services.adapters.problems import problem
from services.web import pages
from services.web.throttle import Throttle

if TYPE_CHECKING:
    from services.web.callers import Caller
    from services.web.parts import Parts

COOKIE = "kesher_session"
OPEN = ("/healthz", "/login.css")
OPEN_BELOW = "/login/"
LOCAL = ("/readyz", "/metrics")
"""Open to this machine's own probes and scrapers, elsewhere with a key."""
_LOOPBACK = ("127.0.0.1", "::1")
_FORWARDED = ("x-forwarded-for", "forwarded")
_SAFE = ("GET", "HEAD", "OPTIONS")
_NO_KEY = (
    "this needs an API key (`Authorization: Bearer kes_...`, made with `kesher keys create`) or a session "
    "(`kesher users login-link EMAIL` prints a link)"
)


class Guard:
    """ASGI middleware that puts `caller` into the request's state, or answers 401, 403, 429 or 503 itself."""

    def __init__(self, app: ASGIApp, parts: "Parts") -> None:
        self._app = app
        self._parts = parts
        self._throttle = Throttle()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and is_open(scope)):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await Response(status_code=403)(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        try:
            verdict = await self._verdict(asked)
        except RetryLater as error:
            wait = str(math.ceil(error.wait.total_seconds()))
            verdict = problem(503, str(error), {"Retry-After": wait})
        if isinstance(verdict, Response):
            await verdict(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = verdict
        await self._app(scope, receive, send)

    async def _verdict(self, asked: HTTPConnection) -> "Caller | Response":
        secret = bearer(asked.headers) or asked.cookies.get(COOKIE)
        if not secret:
            return _unknown(asked)
        found = self._parts.callers.known(secret)
        if found is None:
            source, at = address(asked), self._parts.monotonic()
            if wait := self._throttle.wait(source, at):
                return too_often(wait)
            found = await self._parts.callers.find(secret)
            if found is None:
                self._throttle.failed(source, at)
                return _unknown(asked)
        return _allowed(asked, found)


def is_open(scope: Scope) -> bool:
    """Whether the request needs no caller."""
    path = scope["path"]
    if path in OPEN or path.startswith(OPEN_BELOW):
        return True
    return path in LOCAL and _is_local(HTTPConnection(scope))


def bearer(headers: Headers) -> str | None:
    """The key in `Authorization: Bearer <key>`."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def address(asked: HTTPConnection) -> str:
    """Where the request comes from; behind a proxy on this machine, what the proxy says (uvicorn reads it)."""
    return asked.client.host if asked.client else "unknown"


def same_origin(asked: HTTPConnection) -> bool:
    """Whether a browser sent this from one of our own pages; what is no browser sends no Origin."""
    origin = asked.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == asked.headers.get("host")


def too_often(wait: float) -> Response:
    """429, and when to come back."""
    seconds = math.ceil(wait)
    detail = f"too many failed attempts from this address; try again in {seconds} s"
    return problem(429, detail, {"Retry-After": str(seconds)})


def _allowed(asked: HTTPConnection, found: "Caller") -> "Caller | Response":
    if not found.may("read"):
        return problem(403, f"the key {found.name!r} has the scope {found.scope}; this needs read or admin")
    if found.person is not None and asked.scope["method"] not in _SAFE and not same_origin(asked):
        return problem(403, "a page of another site sent this; open the console itself and try there")
    return found


def _unknown(asked: HTTPConnection) -> Response:
    challenge = {"WWW-Authenticate": 'Bearer realm="kesher"'}
    path, accepts = asked.scope["path"], asked.headers.get("accept", "")
    if asked.scope["method"] == "GET" and "text/html" in accepts and not path.startswith("/api/"):
        return pages.page("closed", 401, challenge)
    return problem(401, _NO_KEY, challenge)


def _is_local(asked: HTTPConnection) -> bool:
    return address(asked) in _LOOPBACK and not any(name in asked.headers for name in _FORWARDED)
