"""What a partition's log tells: whose it is, what it owes, what somebody else wrote."""

from typing import Any, NamedTuple

from streams.lane.changelog import (
    ADOPTED,
    CHECKPOINT,
    OWNER,
    REJECTS,
    SOURCES,
    Checkpoint,
    Ledger,
    header,
    owed,
    packed,
)
from streams.lane.dead_letters import Window


class Raw(NamedTuple):
    offset: int
    key: bytes
    value: bytes | None = b"row"
    headers: Any = ()


class Rows:
    """Accounts reduced to what a ledger asks of them: a row is its generation in ASCII."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}

    def apply(self, _partition: int, keys: list[bytes], values: list[bytes], floor: int) -> list[bool]:
        accepted = [int(value) >= max(floor, self.known.get(key, 0)) for key, value in zip(keys, values, strict=True)]
        self.known |= {key: int(v) for key, v, ok in zip(keys, values, accepted, strict=True) if ok}
        return accepted


def row(offset: int, key: bytes, generation: int = 0, fact: str = "") -> Raw:
    return Raw(offset, key, b"%d" % generation, [header("t.health", fact, b"body")] if fact else [])


def told(offset: int, up_to: int) -> Raw:
    return Raw(offset, CHECKPOINT, packed(Checkpoint(told=up_to)))


def test_only_facts_of_rows_after_the_last_that_was_told_are_owed() -> None:
    ledger = Ledger(0)
    ledger.follow([row(0, b"a", fact="1"), row(1, b"b"), row(2, b"c", fact="2"), told(3, 1)], Rows())
    assert list(ledger.deciding) == [2]

    ledger.follow([row(4, b"a", fact="3")], Rows())
    assert list(ledger.deciding) == [2, 4]

    ledger.follow([told(5, 4)], Rows())
    assert not ledger.deciding


def test_facts_travel_in_headers_unchanged() -> None:
    record = row(0, b"a", fact="health:a:3:9")

    assert list(owed(record)) == [("t.health", "health:a:3:9", b"body")]


def test_rows_of_an_owner_that_was_superseded_do_not_count_nor_do_their_facts() -> None:
    ledger, rows = Ledger(0), Rows()
    ledger.follow([Raw(0, OWNER), row(1, b"a", 0), Raw(2, OWNER), row(3, b"a", 0, fact="late"), row(4, b"b", 2)], rows)

    assert rows.known == {b"a": 0, b"b": 2}
    assert not ledger.deciding


def test_records_that_were_applied_before_are_skipped() -> None:
    ledger, rows = Ledger(0), Rows()
    ledger.follow([row(0, b"a"), row(1, b"b")], rows)
    rows.known.clear()
    ledger.follow([row(1, b"b"), row(2, b"c")], rows)

    assert rows.known == {b"c": 0}
    assert ledger.applied == 2


def test_own_records_lie_side_by_side_and_a_gap_between_them_is_noticed() -> None:
    ledger = Ledger(0)
    ledger.follow([Raw(0, OWNER)], Rows())
    ledger.wrote(1, 3)
    assert not ledger.gaps

    ledger.wrote(5, 2)
    assert (ledger.gaps, ledger.applied) == ([(4, 5)], 6)


def test_a_newer_owner_in_a_gap_supersedes_and_an_erasure_in_it_is_taken_in() -> None:
    ledger = Ledger(0)
    ledger.generation = 0
    ledger.follow([Raw(0, OWNER)], Rows())
    ledger.wrote(2, 1)
    ledger.fill(1, [row(1, b"a", 3)], Rows())
    assert not ledger.superseded
    assert (ledger.gaps, ledger.applied) == ([], 2)

    ledger.wrote(4, 1)
    ledger.fill(3, [Raw(3, OWNER)], Rows())
    assert ledger.superseded


def test_what_stands_in_the_log_beside_rows_is_remembered() -> None:
    window = Window()
    window.add(200, 150)
    ledger = Ledger(0)
    ledger.follow(
        [
            Raw(0, SOURCES, packed({"t.usage": "one"})),
            Raw(1, REJECTS, window.packed()),
            Raw(2, ADOPTED, packed({"t.usage": "two"})),
            Raw(3, CHECKPOINT, packed(Checkpoint(told=-1, positions={0: 7}, newest={0: 1.5}))),
        ],
        Rows(),
    )

    assert ledger.sources == {"t.usage": "one"}
    assert ledger.adopted == {"t.usage": "two"}
    assert ledger.adopted_at > ledger.sources_at
    assert ledger.window.bad == 150
    assert (ledger.checkpoint.positions, ledger.checkpoint.newest) == ({0: 7}, {0: 1.5})


def test_an_erased_window_starts_afresh() -> None:
    ledger = Ledger(0)
    ledger.window.add(500, 500)
    ledger.follow([Raw(0, REJECTS, None)], Rows())

    assert ledger.window.bad == 0
