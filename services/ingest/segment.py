"""Segment's calls -> Kesher's events.  Pure: no clock, no look-ups.

`track` is usage or what its name stands for (wellknown.py), `page` and `screen` are views, `group` is the account's
profile and its member, `identify` with a group is a member and without one the person's own profile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from schemas import envelope
from schemas.envelope import Event
from schemas.errors import InvalidEvent
from services.ingest import wellknown
from services.ingest.calls import Call
from services.ingest.limits import check_unreserved

_NOTHING = (b"", b"null", b"{}")


@dataclass(frozen=True)
class Sender:
    """Who sent a call and when.  `received_at` in epoch seconds; `sent_at` and `group` from the batch."""

    source: str
    received_at: float
    sent_at: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Translation:
    """The events of a call, and the accounts of users that it teaches (None: the user left)."""

    events: tuple[Event, ...]
    members: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Draft:
    """An event before it has its id and time."""

    type: str
    account: str
    data: Mapping[str, object]
    suffix: str = ""


def user(call: Call) -> str | None:
    """The person who acted, None when only a device is known."""
    return None if call.user_id in (None, "") else str(call.user_id)


def group(call: Call, sender: Sender) -> str | None:
    """The account that the call names, its context or its batch."""
    own = call.group_id if call.type == "group" else None
    around = call.context.group_id if call.context else None
    named = next((name for name in (own, around, sender.group) if name not in (None, "")), None)
    return None if named is None else check_unreserved(str(named), "groupId")


def translate(call: Call, sender: Sender, accounts: Mapping[str, str]) -> Translation:
    """A call -> its events, every rule of the border checked.  `accounts` knows the account of some users.

    An `alias` yields no event.  Raises InvalidEvent whose text names the field in backticks."""
    kind = KINDS.get(call.type or "")
    if kind is None:
        raise InvalidEvent(f"`type` {call.type!r} is none of {', '.join(KINDS)}")
    if not call.message_id:
        raise InvalidEvent("`messageId` is missing")
    drafts = kind(call, sender, accounts)
    at = envelope.spelled(happened_at(call, sender)) if drafts else ""
    events = tuple(
        envelope.check(
            Event(
                id=call.message_id + draft.suffix,
                source=sender.source,
                type=draft.type,
                subject=draft.account,
                time=at,
                data=Raw(msgspec.json.encode(draft.data)),
            )
        )
        for draft in drafts
    )
    return Translation(events, _taught(drafts))


def happened_at(call: Call, sender: Sender) -> float:
    """Epoch seconds of a call by the server's clock: received − (sent − stamped), as Segment corrects a wrong clock;
    without sentAt the stamp itself, without a stamp the moment of receipt."""
    stamped = call.timestamp or call.original_timestamp
    sent = call.sent_at or sender.sent_at
    if not stamped:
        return sender.received_at
    if not sent:
        return envelope.instant(stamped)
    corrected = sender.received_at - (_reading(sent, "sentAt") - _reading(stamped, "timestamp"))
    if not 0 < corrected < _END_OF_TIME:
        raise InvalidEvent(f"`timestamp` {stamped[:40]!r} sent at {sent[:40]!r} is in no calendar")
    return corrected


_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def _reading(text: str, name: str) -> float:
    """What a client's clock showed, however wrong: epoch seconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidEvent(f"`{name}` {text[:40]!r} is not a date and time of RFC 3339: {error}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _account(call: Call, sender: Sender, accounts: Mapping[str, str]) -> str:
    """The call's group, else the user's known account, else the user or device by itself."""
    person = user(call)
    named = group(call, sender) or (accounts.get(person) if person else None)
    if named:
        return named
    if person:
        return f"user:{person}"
    if call.anonymous_id in (None, ""):
        raise InvalidEvent("`userId` or `anonymousId` is needed")
    return f"anon:{call.anonymous_id}"


def _person(call: Call) -> str | None:
    known = user(call)
    return known if known or call.anonymous_id in (None, "") else str(call.anonymous_id)


def _document(raw: Raw, name: str) -> dict[str, object]:
    if bytes(raw) in _NOTHING:
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(str(error).replace("`$", f"`{name}")) from None


def _kept(raw: Raw, name: str) -> dict[str, object]:
    """The client's own words, byte for byte, beside what was read from them."""
    return {name: raw} if bytes(raw) not in _NOTHING else {}


def _without_nothing(**data: object) -> dict[str, object]:
    return {name: value for name, value in data.items() if value is not None}


def _track(call: Call, sender: Sender, accounts: Mapping[str, str]) -> tuple[_Draft, ...]:
    if not call.event:
        raise InvalidEvent("`event` is needed: the name of what was done")
    account = _account(call, sender, accounts)
    meaning = wellknown.meaning(call.event)
    if meaning is None:
        data = _without_nothing(name=call.event, user=_person(call), **_kept(call.properties, "properties"))
        return (_Draft("kesher.usage.tracked", account, data),)
    data = wellknown.picked(meaning.fields, _document(call.properties, "properties"))
    if meaning.person:
        data = _without_nothing(**{meaning.person: _person(call)} | data)
    return (_Draft(meaning.type, account, data | _kept(call.properties, "properties")),)


def _viewed(call: Call, sender: Sender, accounts: Mapping[str, str]) -> tuple[_Draft, ...]:
    account = _account(call, sender, accounts)
    seen = wellknown.picked({"name": ("name", "title", "path", "url")}, _document(call.properties, "properties"))
    data = _without_nothing(name=call.name or seen.get("name"), user=_person(call))
    return (_Draft("kesher.usage.viewed", account, data | _kept(call.properties, "properties")),)


def _group(call: Call, sender: Sender, accounts: Mapping[str, str]) -> tuple[_Draft, ...]:
    account, person = group(call, sender), user(call)
    if account is None:
        raise InvalidEvent("`groupId` is needed: the account's id")
    traits = _document(call.traits, "traits")
    profile = wellknown.picked(wellknown.PROFILE, traits) | _kept(call.traits, "traits")
    member = () if person is None else (_Draft("kesher.profile.member_added", account, {"user": person}, ":member"),)
    return (_Draft("kesher.profile.updated", account, profile), *member)


def _identify(call: Call, sender: Sender, accounts: Mapping[str, str]) -> tuple[_Draft, ...]:
    account, person = _account(call, sender, accounts), user(call)
    traits = _document(call.traits, "traits")
    if person is not None and not account.startswith(envelope.RESERVED):
        role = wellknown.picked({"role": ("role",)}, traits)
        data = {"user": person} | role | _kept(call.traits, "traits")
        return (_Draft("kesher.profile.member_added", account, data),)
    profile = wellknown.picked({"name": ("name", "email"), "plan": ("plan",)}, traits)
    return (_Draft("kesher.profile.updated", account, profile | _kept(call.traits, "traits")),)


def _alias(call: Call, sender: Sender, accounts: Mapping[str, str]) -> tuple[_Draft, ...]:
    return ()


KINDS: dict[str, Callable[[Call, Sender, Mapping[str, str]], tuple[_Draft, ...]]] = {
    "track": _track,
    "page": _viewed,
    "screen": _viewed,
    "group": _group,
    "identify": _identify,
    "alias": _alias,
}
"""The calls that are understood."""


def _taught(drafts: tuple[_Draft, ...]) -> dict[str, str | None]:
    """Who belongs where, by the events' own word."""
    return {
        str(draft.data["user"]): None if draft.type.endswith("removed") else draft.account
        for draft in drafts
        if draft.type.startswith("kesher.profile.member_") and "user" in draft.data
    }
