"""A decoder of events that reads only the fields a scorecard needs: many times faster than reading all."""

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, get_args

import msgspec
from msgspec.structs import FieldInfo, fields

from schemas.events import INPUTS
from schemas.events.catalog import Text

DecodeFault = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises on bytes that are not such an event; RecursionError on brackets nested by the thousand."""


def _field(name: str, type_: str | None = None) -> list[FieldInfo]:
    types = [INPUTS[type_]] if type_ else INPUTS.values()
    return [found for event in types for found in fields(event.data) if found.name == name]


@functools.cache
def default_of(type_: str, name: str) -> Any:
    """What an absent field of an input type means; None when nothing."""
    found = _field(name, type_)[0].default
    return None if found is msgspec.NODEFAULT else found


def required_in(type_: str, names: Iterable[str]) -> list[str]:
    """Those of the fields that events of this type must have."""
    known = fields(INPUTS[type_].data)
    return [f.name for f in known if f.required and f.name in set(names)]


def _annotation(name: str) -> Any:
    """The field's type, or any text where the families differ about it."""
    types = list(dict.fromkeys(found.type for found in _field(name)))
    if len(types) == 1:
        return types[0] | None
    texts = any(isinstance(word, str) for type_ in types for word in get_args(type_))
    return Text | None if texts or str in types else functools.reduce(operator.or_, types) | None


class EventDecoder:
    """bytes -> an event with type, id, source, subject, time, backfill and `data`, which has only `names`."""

    def __init__(self, names: Iterable[str]) -> None:
        kept = [(name, _annotation(name), None) for name in sorted(names)]
        data = msgspec.defstruct("Data", kept, gc=False)
        event = msgspec.defstruct(
            "Event",
            [
                ("type", str),
                ("id", str),
                ("source", str),
                ("subject", str),
                ("time", str | None, None),
                ("backfill", bool, False),
                ("data", data, msgspec.field(default_factory=data)),
            ],
            gc=False,
        )
        self.blank: Any = event("", "", "", "")
        self._decoder = msgspec.json.Decoder(event)

    def all(self, values: Sequence[bytes | None]) -> Sequence[Any] | None:
        """All records at once, as lines: the fast way when every one is an event; None when some is not."""
        try:
            lines = b"\n".join(values)  # type: ignore[arg-type]
            events = self._decoder.decode_lines(lines) if lines.count(b"\n") == len(values) - 1 else []
        except (*DecodeFault, TypeError):
            return None
        return events if len(events) == len(values) else None

    def one(self, value: bytes | None) -> Any:
        """One event.  Raises DecodeFault on anything else."""
        if value is None:
            raise msgspec.DecodeError("the record has no value; an event is a CloudEvent in JSON")
        return self._decoder.decode(value)
