"""Made-up histories: hypothesis strategies for events, as Kafka records and as the reference sees them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from schemas.envelope import spelled
from schemas.events import INPUTS
from schemas.scorecard import Scorecard
from schemas.topics import SOURCES
from streams.scoring.batch import Slice
from streams.scoring.engine import Decision, Engine
from streams.scoring.hashes import partitions_of
from tests.reference import Happening

DAY = 86_400.0
START = 1_790_000_000.0
PARTITIONS = 3
ACCOUNTS = ("acme", "globex", "קשר בע״מ", "initech")
SOURCE_OF = {name: SOURCES.index(event.topic) for name, event in INPUTS.items()} | {"kesher.usage.unheard_of": 0}


class Event(NamedTuple):
    """One event of an account, with the id that makes it itself."""

    account: str
    what: Happening
    id: str


class Record(NamedTuple):
    """What the reader sees of a Kafka record."""

    key: bytes
    offset: int
    timestamp: int
    value: bytes


_texts = {
    "name": ["reports", "export", "cancel", "pricing", "Acme"],
    "user": ["dana", "omer", "noa"],
    "ticket": ["t1", "t2", "t3"],
    "priority": ["low", "normal", "high", "urgent"],
    "respondent": ["r1", "r2", "r3", "r4"],
    "plan": ["free", "pro"],
    "segment": ["smb", "enterprise", "strategic"],
    "owner": ["dana", "yael"],
    "role": ["champion", "user", "admin"],
    "kind": ["meeting", "demo_request"],
    "renews_at": ["2026-10-20", "2026-12-24", "2027-09-01"],
}
_numbers = {
    "count": st.integers(0, 50),
    "seats": st.integers(0, 60),
    "seats_bought": st.integers(1, 60),
    "seats_used": st.integers(0, 60),
    "amount": st.one_of(st.integers(0, 5000), st.just("12.50")),
    "mrr": st.integers(0, 9000),
}


def _data(type_: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = {f.name: f for f in msgspec.structs.fields(INPUTS[type_].data)}
    if "metric" in fields:
        return st.sampled_from([("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7)]).flatmap(
            lambda m: st.fixed_dictionaries(
                {"metric": st.just(m[0]), "score": st.integers(m[1], m[2])},
                optional={
                    "respondent": st.sampled_from(_texts["respondent"]),
                    "direction": st.sampled_from(["higher_is_better", "lower_is_better"]),
                },
            )
        )
    known = {name: st.sampled_from(values) for name, values in _texts.items()} | _numbers
    mine = {name: known[name] for name in fields if name in known}
    needed = {name for name, f in fields.items() if f.required}
    return st.fixed_dictionaries(
        {n: s for n, s in mine.items() if n in needed}, optional={n: s for n, s in mine.items() if n not in needed}
    )


_types = st.sampled_from([*INPUTS, *["kesher.usage.tracked"] * 8, *["kesher.usage.viewed"] * 3])
_whats = _types.flatmap(
    lambda type_: st.builds(
        lambda ms, data: Happening(type_.removeprefix("kesher."), round(START + ms / 1000, 3), data),
        st.integers(0, int(70 * DAY * 1000)),
        _data(type_),
    )
)
histories = st.lists(st.tuples(st.sampled_from(ACCOUNTS), _whats), max_size=30).map(
    lambda found: [Event(account, what, f"e{i}") for i, (account, what) in enumerate(found)]
)
"""Up to thirty events of four accounts over seventy days, in any order."""


def of_one(account: str, events: Sequence[Event]) -> list[Event]:
    """The same events, all of one account."""
    return [event._replace(account=account) for event in events]


def record(event: Event, offset: int) -> Record:
    """As it lies in its topic; appended long after it happened, so that nothing is clamped."""
    body = {
        "specversion": "1.0",
        "id": event.id,
        "source": "test",
        "type": f"kesher.{event.what.type}",
        "subject": event.account,
        "time": spelled(event.what.at),
        "data": event.what.data,
    }
    return Record(event.account.encode(), offset, int((START + 400 * DAY) * 1000), msgspec.json.encode(body))


def slices(events: Sequence[Event], start: int, stop: int) -> list[Slice]:
    """Events [start, stop) as the partitions of their topics; an event's offset is its place in the whole history."""
    found: dict[tuple[int, int], list[Record]] = {}
    for offset in range(start, stop):
        event = events[offset]
        place = SOURCE_OF[f"kesher.{event.what.type}"], int(partitions_of([event.account.encode()], PARTITIONS)[0])
        found.setdefault(place, []).append(record(event, offset))
    return [Slice(source, partition, records) for (source, partition), records in found.items()]


def polls(events: Sequence[Event], cuts: Sequence[int] = ()) -> list[tuple[int, int]]:
    """The stretches between the cuts that hold an event."""
    edges = [0, *sorted(cuts), len(events)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def cuts_of(events: Sequence[Event]) -> st.SearchStrategy[list[int]]:
    """Where polls might end."""
    return st.lists(st.integers(0, len(events)), max_size=5)


def engine(card: Scorecard, **options: Any) -> Engine:
    """A fresh one."""
    return Engine(card, PARTITIONS, **options)


def feed(to: Engine, events: Sequence[Event], cuts: Sequence[int] = ()) -> list[Decision]:
    """Read and absorb a history in the given polls; nothing of it may be refused."""
    out: list[Decision] = []
    for start, stop in polls(events, cuts):
        reading = to.read(slices(events, start, stop))
        assert not reading.rejects
        assert not reading.misplaced
        assert reading.batch is not None
        out += to.absorb(reading.batch)
    return out


def row_of(of: Engine, account: str) -> Mapping[str, Any]:
    """The row of an account."""
    return of.accounts.rows[int(of.accounts.find([account.encode()])[0])]
