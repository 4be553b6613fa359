"""GET /api/stream: changes as they happen, as server-sent events."""

from collections.abc import AsyncGenerator
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import StreamingResponse
from starlette.types import Send

from schemas.errors import Refused
from services.web.api.asked import StreamAsked
from services.web.live import cursor
from services.web.live.cursor import Offsets
from services.web.live.stream import Wanted
from services.web.parts import Parts, parts

router = APIRouter(tags=["stream"])
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
UNREADABLE: Offsets = {("unreadable", 0): 1}
"""Offsets that no log has: the stream answers `reset`."""


class EventStream(StreamingResponse):
    """An answer that lets go of what it holds at once when the client leaves."""

    media_type = "text/event-stream"
    body_iterator: AsyncGenerator[bytes]

    async def stream_response(self, send: Send) -> None:
        """Send chunk by chunk; a slow client holds up nobody but itself."""
        try:
            await super().stream_response(send)
        finally:
            with anyio.CancelScope(shield=True):
                await self.body_iterator.aclose()


@router.get(
    "/api/stream",
    operation_id="stream_changes",
    response_class=EventStream,
    responses={200: {"description": "Events health, lifecycle, churn_risk, upsell (data: Change) and reset"}},
)
async def stream_changes(
    asked: Annotated[StreamAsked, Query()],
    web: Annotated[Parts, Depends(parts)],
    last_event_id: Annotated[str | None, Header(description="Sent by browsers that come back")] = None,
) -> EventStream:
    """Every change after `cursor`: none is left out, none comes twice, and those of one account and event in order.

    The event's id is a cursor: send it as Last-Event-ID to continue, to whichever web process.  `event: reset` means
    that continuing is not possible, `data.why` says why: load the page anew and open the stream with its cursor.  A
    comment comes every 15 s when nothing else does.  After 30 minutes the stream ends: continue with the last id."""
    start = _start(asked.cursor, last_event_id)
    wanted = Wanted(frozenset(asked.owner), frozenset(asked.account), frozenset(asked.event))
    return EventStream(_metered(web, start, wanted), headers=HEADERS)


def _start(asked: str | None, last_event_id: str | None) -> Offsets | None:
    """A browser cannot correct its Last-Event-ID: an unreadable one is told `reset` instead of 422."""
    if not last_event_id:
        return cursor.read(asked) if asked is not None else None
    try:
        return cursor.read(last_event_id)
    except Refused:
        return UNREADABLE


async def _metered(web: Parts, start: Offsets | None, wanted: Wanted) -> AsyncGenerator[bytes]:
    why = "left"

    def ended(reason: str) -> None:
        nonlocal why
        why = reason

    stream = web.streams.tell(start, wanted, ended)
    try:
        async for chunk in stream:
            yield chunk
    finally:
        await stream.aclose()
        web.meters.ends.labels(why).inc()
