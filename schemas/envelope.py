"""CloudEvents 1.0 in structured JSON, and the rules of the border: the one codec for single events.

The scorer's batch reader (streams/scoring/read.py) keeps the same rules for thousands of records at a time."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct, field

from schemas.errors import InvalidEvent
from schemas.events import INPUTS

ACCOUNT_BYTES = 256
RESERVED = ("user:", "anon:")
"""Account ids that Kesher makes itself, for people whose account is not known."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""An event before this has an unset clock, not a history."""
SKEW_SECONDS = 300.0
"""An event may be this far ahead of the moment Kafka stored it; beyond, it is clamped."""


class Event(Struct, kw_only=True, omit_defaults=True, gc=False):
    """An input as a CloudEvent.  `subject` is the account id and the Kafka key; `time` is event time, RFC 3339."""

    id: str
    source: str
    type: str
    subject: str
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    backfill: bool = False
    specversion: str = field(default_factory=lambda: "1.0")  # a factory, so that it is written
    datacontenttype: str = "application/json"


encode = msgspec.json.Encoder().encode
"""Any struct of schemas/ -> JSON bytes."""
_decode = msgspec.json.Decoder(Event).decode
_data_decoders = {name: msgspec.json.Decoder(event.data) for name, event in INPUTS.items()}


def read(value: bytes | None) -> Event:
    """One record's value -> the event, every rule checked.  Raises InvalidEvent naming the field and the rule."""
    if value is None:
        raise InvalidEvent("the record has no value; an event is a CloudEvent in JSON")
    try:
        value.decode()
        event = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(str(error)) from None
    return check(event)


def check(event: Event) -> Event:
    """The same event, every rule checked."""
    check_account(event.subject.encode())
    if not event.id or not event.source:
        raise InvalidEvent("`id` and `source` must not be empty; together they identify the event")
    if event.time is not None:
        instant(event.time)
    if event.type in _data_decoders:
        data(event)
    return event


def data(event: Event) -> Struct:
    """The typed data of a known input type.  Raises InvalidEvent; KeyError for an unknown type."""
    try:
        return _data_decoders[event.type].decode(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(f"{event.type}: {str(error).replace('`$', '`data')}") from None


def check_account(account: bytes | None) -> bytes:
    """The account id, if it may be one: 1-256 bytes of UTF-8 without control characters."""
    if not account:
        raise InvalidEvent("the record has no key; the Kafka key is the account id, equal to `subject`")
    if len(account) > ACCOUNT_BYTES:
        raise InvalidEvent(f"the account id has {len(account)} bytes; at most {ACCOUNT_BYTES} are allowed")
    try:
        text = account.decode()
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"the account id is not UTF-8: {error.reason} at byte {error.start}") from None
    if any(ch < " " or "\x7f" <= ch <= "\x9f" for ch in text):
        raise InvalidEvent(f"the account id {text[:40]!r} holds a control character")
    return account


def instant(text: str) -> float:
    """RFC 3339 date or time -> epoch seconds; without a zone it is UTC.  Raises InvalidEvent for others."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidEvent(f"time {text[:40]!r} is not a date and time of RFC 3339: {error}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < EARLIEST:
        raise InvalidEvent(f"time {text[:40]!r} is before {EARLIEST:%Y}: probably a clock that was never set")
    return moment.timestamp()


def spelled(instant: float) -> str:
    """Epoch seconds -> RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
