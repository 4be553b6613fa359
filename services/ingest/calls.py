"""Bodies of Segment's HTTP API -> calls, each read by itself so that a bad one leaves its neighbours alone."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from schemas.errors import InvalidEvent
from services.ingest.limits import EVENT_BYTES, check_size

Name = str | Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""An id; clients send numbers too."""


class Context(Struct, rename="camel"):
    """The part of a call's context that Kesher reads."""

    group_id: Name | None = None


class Call(Struct, rename="camel"):
    """One call, as the SDKs of Segment and RudderStack send it."""

    type: str | None = None
    message_id: str | None = None
    user_id: Name | None = None
    anonymous_id: Name | None = None
    group_id: Name | None = None
    event: str | None = None
    name: str | None = None
    properties: Raw = Raw(b"")
    traits: Raw = Raw(b"")
    context: Context | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None


class _Batch(Struct, rename="camel"):
    batch: list[Raw]
    context: Context | None = None
    sent_at: str | None = None
    write_key: str | None = None


class _Single(Struct, rename="camel"):
    write_key: str | None = None


@dataclass(frozen=True)
class Parcel:
    """The calls of a body in order, an InvalidEvent in the place of one that cannot be read; the key if the body has
    it; `sent_at` and `group` hold for calls that have none of their own."""

    calls: tuple[Call | InvalidEvent, ...]
    write_key: str | None
    sent_at: str | None = None
    group: str | None = None


_read_batch = msgspec.json.Decoder(_Batch).decode
_read_single = msgspec.json.Decoder(_Single).decode
_read_call = msgspec.json.Decoder(Call).decode


def batch(body: bytes) -> Parcel:
    """The body of /v1/batch.  Raises InvalidEvent when it is no batch at all."""
    try:
        body.decode()
        parcel = _read_batch(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(f"the body is not a batch: {error}") from None
    around = parcel.context.group_id if parcel.context else None
    group = None if around in (None, "") else str(around)
    return Parcel(tuple(map(_call, parcel.batch)), parcel.write_key, parcel.sent_at, group)


def single(body: bytes, kind: str) -> Parcel:
    """The body of /v1/track and its like; `kind` is the call's type.  Raises InvalidEvent when it is no JSON object."""
    try:
        body.decode()
        key = _read_single(body).write_key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(f"the body is not a call: {error}") from None
    call = _call(Raw(body))
    return Parcel((replace(call, type=kind) if isinstance(call, Call) else call,), key)


def _call(raw: Raw) -> Call | InvalidEvent:
    try:
        check_size(len(bytes(raw)), EVENT_BYTES, "the event")
        return _read_call(raw)
    except InvalidEvent as error:
        return error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return InvalidEvent(str(error).replace("`$.", "`"))
