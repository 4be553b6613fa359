"""Reading facts: the bytes of one record -> a Fact whose data has the type that its `type` promises."""

import msgspec
from msgspec import Struct

from schemas.errors import InvalidEvent
from schemas.events.fact import FACTS, Fact


class _Head(Struct, gc=False):
    type: str


def _decoder(data: type[Struct]) -> "msgspec.json.Decoder[Fact]":
    return msgspec.json.Decoder(msgspec.defstruct("Fact", [("data", data)], bases=(Fact,), kw_only=True, gc=False))


_head = msgspec.json.Decoder(_Head).decode
_decoders = {name: _decoder(data) for name, data in FACTS.items()}


def read(value: bytes | None) -> Fact:
    """Raises InvalidEvent for what is not a fact of a known type."""
    if value is None:
        raise InvalidEvent("the record has no value; a fact is a CloudEvent in JSON")
    try:
        return _decoders[_head(value).type].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(f"not a fact: {error}") from None
    except KeyError as error:
        raise InvalidEvent(f"not a fact: unknown type {error}") from None
