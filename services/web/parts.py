"""What the routes of one app share.  `parts(request)` finds it; `request.state.caller` is who asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import asyncpg
from fastapi import Request

from services.settings import Settings
from services.web.callers import Caller, Callers
from services.web.live.feed import Feed
from services.web.live.stream import Streams
from services.web.meters import Meters


@dataclass(frozen=True)
class Parts:
    """The collaborators.  `now` gives epoch seconds, `monotonic` seconds that never go back."""

    pool: "asyncpg.Pool[Any]"
    settings: Settings
    feed: Feed
    streams: Streams
    callers: Callers
    meters: Meters
    now: Callable[[], float]
    monotonic: Callable[[], float]


def parts(request: Request) -> Parts:
    """Of the app that serves this request."""
    return cast("Parts", request.app.state.parts)


def caller(request: Request) -> Caller:
    """Who asks; only behind the guard, which lets nobody else in."""
    return cast("Caller", request.state.caller)
