"""POST /v1/events: CloudEvents, structured, binary or batched."""

import msgspec
from fastapi import APIRouter, Request
from msgspec import Raw
from starlette.responses import Response

from schemas.api.ingest import Receipt
from schemas.errors import InvalidEvent
from services.adapters.problems import fault
from services.ingest import cloudevents, credentials
from services.ingest.cloudevents import Received
from services.ingest.door import Door, Item, body
from services.ingest.limits import BATCH_BYTES, EVENT_BYTES, check_size
from services.ingest.publish import Record


def router(door: Door) -> APIRouter:
    """The route of one door."""
    routes = APIRouter(tags=["cloudevents"])

    @routes.post("/v1/events", response_model=Receipt)
    async def events(request: Request) -> Response:
        """One event (`application/cloudevents+json`, or `ce-` headers and JSON data) of 32 KB at most, or a JSON array
        of them (`application/cloudevents-batch+json`) of 500 KB at most; answered once Kafka has them."""
        await door.admit(credentials.secret(request.headers.get("authorization")))
        mode = cloudevents.mode(request.headers.get("content-type", ""))
        raw = await body(request, BATCH_BYTES if mode == "batched" else EVENT_BYTES, too_large=413)
        if mode == "batched":
            return await door.deliver("cloudevents", [_item(door, *one) for one in enumerate(_split(raw))])
        return await door.deliver("cloudevents", [_single(door, request, raw, mode)])

    return routes


def _split(raw: bytes) -> list[Raw]:
    try:
        raw.decode()
        return msgspec.json.decode(raw, type=list[Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise fault(400, f"the body is not a JSON array of events: {error}") from error


def _single(door: Door, request: Request, raw: bytes, mode: str) -> Item:
    """The request's one event.  A body that is not JSON is refused with 400 as a whole, like any other bad event."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise fault(400, f"the body is not UTF-8: {error}") from error
    if mode == "structured":
        return _item(door, 0, Raw(raw))
    try:
        content_type = request.headers.get("content-type", "")
        return _received(door, 0, cloudevents.binary(request.headers.items(), content_type, raw))
    except InvalidEvent as error:
        return Item(0, request.headers.get("ce-id"), fault=str(error))


def _item(door: Door, index: int, raw: Raw) -> Item:
    value = bytes(raw)
    try:
        check_size(len(value), EVENT_BYTES, "the event")
        return _received(door, index, cloudevents.structured(value))
    except InvalidEvent as error:
        return Item(index, cloudevents.claimed_id(value), fault=str(error))


def _received(door: Door, index: int, received: Received) -> Item:
    event = received.event
    record = Record(cloudevents.topic(event).full(door.prefix), event.subject.encode(), received.value)
    return Item(index, event.id, (record,))
