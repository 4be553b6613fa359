"""CloudEvents 1.0.2 over HTTP -> Kesher's events.  Pure.  Structured, binary and batched modes, told by Content-Type.

Attributes that Kesher does not know travel on unchanged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw, Struct

from schemas import envelope
from schemas.envelope import Event
from schemas.errors import InvalidEvent
from schemas.events import INPUTS
from schemas.topics import Topic
from services.ingest.limits import check_unreserved

FAMILIES: dict[str, Topic] = {name.rpartition(".")[0]: event.topic for name, event in INPUTS.items()}
"""`kesher.usage` -> its topic.  A type that is unknown in a known family is carried and kept."""
_JSON = ("application/json", "text/json", "")


@dataclass(frozen=True)
class Received:
    """An event that keeps the rules, and the bytes that go to Kafka."""

    event: Event
    value: bytes


def mode(content_type: str) -> str:
    """`batched`, `structured` or `binary`."""
    kind = content_type.strip().lower()
    if kind.startswith("application/cloudevents-batch"):
        return "batched"
    return "structured" if kind.startswith("application/cloudevents") else "binary"


def structured(body: bytes) -> Received:
    """One event in JSON.  Raises InvalidEvent."""
    try:
        attributes = msgspec.json.decode(body, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(f"the event is not a JSON object: {error}") from None
    if "data_base64" in attributes:
        raise InvalidEvent("`data_base64` is not understood: send the data as JSON in `data`")
    return _checked(attributes)


def binary(headers: Iterable[tuple[str, str]], content_type: str, body: bytes) -> Received:
    """The body is the data, the attributes are `ce-` headers, percent-encoded.  Raises InvalidEvent."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in _JSON and not media.endswith("+json"):
        raise InvalidEvent(f"`Content-Type` {media[:60]!r} is not JSON; the data of Kesher's events is")
    attributes = {
        name[3:].lower(): Raw(msgspec.json.encode(_unquoted(name, value)))
        for name, value in headers
        if name.lower().startswith("ce-")
    }
    if "backfill" in attributes:
        attributes["backfill"] = Raw(msgspec.json.decode(attributes["backfill"], type=str).encode())
    return _checked(attributes | ({"data": Raw(body)} if body.strip() else {}))


def topic(event: Event) -> Topic:
    """Where an event goes.  Raises InvalidEvent for a type of no family."""
    known = FAMILIES.get(event.type.rpartition(".")[0])
    if known is None:
        raise InvalidEvent(f"`type` {event.type[:80]!r} is of no family; there are {', '.join(FAMILIES)}")
    return known


class _Claim(Struct):
    id: str | None = None


def claimed_id(value: bytes) -> str | None:
    """The id in bytes that may be no event at all, so that a refusal can name it."""
    try:
        return msgspec.json.decode(value, type=_Claim).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _checked(attributes: Mapping[str, Raw]) -> Received:
    """The event, its time spelled in UTC, every rule of the border kept."""
    event = envelope.read(_joined(attributes))
    if event.specversion != "1.0":
        raise InvalidEvent(f"`specversion` {event.specversion[:10]!r} is not 1.0")
    check_unreserved(event.subject, "subject")
    topic(event)
    if event.time is None:
        return Received(event, _joined(attributes))
    try:
        spelled = envelope.spelled(envelope.instant(event.time))
    except (ValueError, OverflowError):
        raise InvalidEvent(f"`time` {event.time[:40]!r} is in no calendar") from None
    return Received(event, _joined({**attributes, "time": Raw(msgspec.json.encode(spelled))}))


def _joined(attributes: Mapping[str, Raw]) -> bytes:
    try:
        return msgspec.json.encode(attributes)
    except RecursionError as error:
        raise InvalidEvent(f"the event is nested too deeply: {error}") from None


def _unquoted(name: str, value: str) -> str:
    """A header's text: quotes taken off, then percent-decoded once, as the HTTP binding asks."""
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise InvalidEvent(f"`{name}` is not percent-encoded UTF-8: {error.reason}") from None
