"""Pages by key: `next` names the last row's place in the order, so that rows that come and go shift nothing.

The text is opaque: base64url of JSON.  It belongs to one order and is refused in another."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from typing import Any

import msgspec

from schemas.errors import Refused

LONGEST = 4_096
_encode = msgspec.json.Encoder().encode


def written(order: str, key: Sequence[Any]) -> str:
    """The `next` of a page in this order that ends with a row of this key."""
    return urlsafe_b64encode(_encode([order, *key])).rstrip(b"=").decode()


def read(text: str, order: str, types: Sequence[Any]) -> list[Any]:
    """The key, one value per type.  Refused for what is no `next` of this order."""
    try:
        raw = urlsafe_b64decode(text[:LONGEST].encode("ascii") + b"=" * (-len(text) % 4))
        made_for, *values = msgspec.json.decode(raw, type=list[Any])
        key = msgspec.convert(values, tuple[*types]) if made_for == order else ()  # type: ignore[valid-type]
    except (ValueError, binascii.Error, msgspec.DecodeError):
        msg = f"`after` {text[:40]!r} is no page's `next`: take it from the page before, unchanged"
        raise Refused(msg) from None
    if made_for != order:
        msg = f"`after` comes from a page in another order than {order!r}: begin again without it"
        raise Refused(msg)
    if not all(map(_storable, key)):
        msg = f"`after` {text[:40]!r} holds a value that no row has"
        raise Refused(msg)
    return list(key)


def _storable(value: object) -> bool:
    """What Postgres can compare with: no NUL, no infinity, a time with its zone."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, float):
        return isfinite(value)
    return not isinstance(value, datetime) or value.tzinfo is not None
