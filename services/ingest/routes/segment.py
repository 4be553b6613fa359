"""POST /v1/batch, track, identify, group, page, screen, alias: Segment's HTTP API, as Segment's own SDKs call it."""

from collections.abc import Iterator

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import Response

from schemas import envelope
from schemas.api.ingest import Receipt
from schemas.errors import InvalidEvent, RetryLater
from services.adapters.access import KeyInfo
from services.adapters.problems import fault
from services.ingest import calls, cloudevents, credentials, segment
from services.ingest.calls import Call, Parcel
from services.ingest.door import Door, Item, body, later
from services.ingest.limits import BATCH_BYTES, EVENT_BYTES
from services.ingest.publish import Record

ALIAS = "alias is understood but has no effect yet"
SHORT = {"track": "t", "identify": "i", "group": "g", "page": "p", "screen": "s", "alias": "a"}
"""The paths that browser SDKs shorten their calls to."""


def router(door: Door) -> APIRouter:
    """The routes of one door."""
    routes = APIRouter(tags=["segment"])

    @routes.post("/v1/batch", response_model=Receipt)
    async def batch(request: Request) -> Response:
        """Many calls at once, 500 KB at most and 32 KB each; a bad call is named and its neighbours are taken."""
        return await _take(door, request, None)

    for kind, short in SHORT.items():
        _add(routes, door, kind, short)
    return routes


def _add(routes: APIRouter, door: Door, kind: str, short: str) -> None:
    async def one(request: Request) -> Response:
        return await _take(door, request, kind)

    about = f"One `{kind}` call, 32 KB at most; answered once Kafka has it."
    routes.post(f"/v1/{kind}", response_model=Receipt, name=kind, description=about)(one)
    routes.post(f"/v1/{short}", response_model=Receipt, name=short, include_in_schema=False)(one)


async def _take(door: Door, request: Request, kind: str | None) -> Response:
    """The way of a request: key, body, calls, events, Kafka, answer."""
    offered = request.headers.get("authorization")
    key = await door.admit(credentials.secret(offered)) if offered else None
    raw = await body(request, EVENT_BYTES if kind else BATCH_BYTES, too_large=400)
    try:
        parcel = calls.single(raw, kind) if kind else calls.batch(raw)
    except InvalidEvent as error:
        raise fault(400, str(error)) from error
    key = key or await door.admit(parcel.write_key)
    received_at = door.now()
    known = await _accounts(door, parcel)
    members: dict[str, str | None] = {}
    items = list(_items(door, key, parcel, received_at, known, members))
    answer = await door.deliver("segment", items)
    if answer.status_code == 200:
        door.members.heard(members)
    return answer


async def _accounts(door: Door, parcel: Parcel) -> dict[str, str]:
    users = (segment.user(call) for call in parcel.calls if isinstance(call, Call))
    try:
        return await door.members.accounts(user for user in users if user is not None)
    except RetryLater as error:
        raise later(503, error) from error


def _items(
    door: Door, key: KeyInfo, parcel: Parcel, received_at: float, known: dict[str, str], members: dict[str, str | None]
) -> Iterator[Item]:
    """The parcel's calls as items.  A call teaches the ones after it whom a user belongs to."""
    sender = segment.Sender(f"segment:{key.key_id}", received_at, parcel.sent_at, parcel.group)
    for index, call in enumerate(parcel.calls):
        if isinstance(call, InvalidEvent):
            yield Item(index, None, fault=str(call))
            continue
        named = call if call.message_id else replace(call, message_id=door.fresh_id())
        try:
            translation = segment.translate(named, sender, known)
        except InvalidEvent as error:
            yield Item(index, named.message_id, fault=str(error))
            continue
        members |= translation.members
        known |= {user: account for user, account in translation.members.items() if account is not None}
        records = tuple(
            Record(cloudevents.topic(event).full(door.prefix), event.subject.encode(), envelope.encode(event))
            for event in translation.events
        )
        yield Item(index, named.message_id, records, ignored=None if records else ALIAS)
