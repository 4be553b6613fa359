"""A fact as the stream tells it, and which facts are news: a topic may hold a fact twice, or one that was told by a
scorer after it had lost its partition."""

from collections import OrderedDict

import msgspec
from msgspec import Raw, Struct

from schemas.envelope import check_account
from schemas.errors import InvalidEvent
from schemas.topics import FACTS

REMEMBERED = 200_000
"""Accounts per process whose last fact is known; a repeat follows its original within seconds."""
_KINDS = tuple((f"kesher.{name}.", name) for name in (topic.name.replace("-", "_") for topic in FACTS))


class _Fact(Struct, gc=False):
    """The parts of a fact that the stream reads; the data passes through as it is."""

    id: str
    type: str
    subject: str
    time: str
    sequence: int
    generation: int
    cause: str
    data: Raw


class _Told(Struct, gc=False):
    """schemas.api.portfolio.Change, in bytes."""

    account_id: str
    type: str
    at: str
    cause: str
    generation: int
    sequence: int
    data: Raw


class _Owned(Struct, gc=False):
    owner: str | None = None


class _Data(Struct, gc=False):
    account: _Owned


class Change(Struct, gc=False):
    """One fact, ready to be told.  `body` is JSON on one line; `frame` is kept once it was written for anyone."""

    topic: str
    partition: int
    offset: int
    fact_id: str
    account: str
    owner: str | None
    event: str
    generation: int
    sequence: int
    body: bytes
    frame: bytes = b""


_decode = msgspec.json.Decoder(_Fact).decode
_data = msgspec.json.Decoder(_Data).decode
_encode = msgspec.json.Encoder().encode


def change(topic: str, partition: int, offset: int, value: bytes | None) -> Change:
    """A record of a fact topic -> the change it tells.  Raises InvalidEvent for what is no fact."""
    try:
        fact = _decode(value or b"")
        owner = _data(fact.data).account.owner
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidEvent(str(error)) from None
    event = next((name for start, name in _KINDS if fact.type.startswith(start)), None)
    if event is None:
        msg = f"{fact.type!r} is no fact that Kesher emits"
        raise InvalidEvent(msg)
    account = check_account(fact.subject.encode()).decode()
    body = _encode(_Told(account, fact.type, fact.time, fact.cause, fact.generation, fact.sequence, fact.data))
    if b"\n" in body or b"\r" in body:
        body = msgspec.json.format(body, indent=-1)
    return Change(topic, partition, offset, fact.id, account, owner, event, fact.generation, fact.sequence, body)


class News:
    """Remembers what was told: per partition the greatest generation, per account and topic the greatest
    (generation, sequence) with the ids that share it."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._generations: dict[tuple[str, int], int] = {}
        self._last: OrderedDict[tuple[str, str], tuple[tuple[int, int], frozenset[str]]] = OrderedDict()

    def is_news(self, one: Change) -> bool:
        """Whether the change was not told yet and no later one was.  Remembers it."""
        place = (one.topic, one.partition)
        if one.generation < self._generations.get(place, one.generation):
            return False
        self._generations[place] = one.generation
        key, order = (one.topic, one.account), (one.generation, one.sequence)
        last, ids = self._last.get(key, (order, frozenset()))
        if order < last or (order == last and one.fact_id in ids):
            return False
        self._last[key] = (order, (ids if order == last else frozenset()) | {one.fact_id})
        self._last.move_to_end(key)
        if len(self._last) > self._remembered:
            self._last.popitem(last=False)
        return True
