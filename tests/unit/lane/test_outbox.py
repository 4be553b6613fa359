"""What waits to leave, in order."""

from typing import Any, NamedTuple

from streams.lane.outbox import Outbox, drop


class Fact(NamedTuple):
    topic: str
    id: str
    value: bytes


class Decision(NamedTuple):
    partition: int
    key: bytes
    row: bytes
    facts: list[Fact]


class Record(NamedTuple):
    key: bytes
    value: bytes
    offset: int


def decision(name: str, partition: int = 0) -> Decision:
    return Decision(
        partition, b"account", name.encode(), [Fact("health", f"{name}-h", b"h"), Fact("upsell", f"{name}-u", b"u")]
    )


def names(messages: list[Any]) -> list[str]:
    return [dict(headers)["ce_id"].decode() for _, _, headers in messages]


def test_a_deciding_row_carries_all_its_facts_and_they_follow_it() -> None:
    outbox = Outbox("t")
    outbox.decide([decision("one")])
    taken = outbox.take()

    ((key, row, headers),) = taken.rows[0]
    assert (key, row) == (b"account", b"one")
    assert headers == [("t.health", b"one-h\nh"), ("t.upsell", b"one-u\nu")]
    assert set(taken.messages) == {("t.health", 0), ("t.upsell", 0)}


def test_what_is_taken_stays_unsent_until_it_has_left() -> None:
    outbox = Outbox("t")
    outbox.decide([decision("one")])
    taken = outbox.take()
    assert (outbox.unsent, bool(outbox)) == (2, False)

    outbox.settle(taken)
    assert outbox.unsent == 0


def test_what_was_not_sent_for_sure_goes_back_before_everything_queued_since() -> None:
    outbox = Outbox("t")
    outbox.decide([decision("one")])
    taken = outbox.take()
    outbox.decide([decision("two")])
    outbox.restore(taken)
    again = outbox.take()

    assert [row for _, row, _ in again.rows[0]] == [b"one", b"two"]
    assert names(again.messages["t.health", 0]) == ["one-h", "two-h"]
    assert outbox.unsent == 4


def test_lost_partitions_leave_the_queue_and_the_count() -> None:
    outbox = Outbox("t")
    outbox.decide([decision("one", 0), decision("two", 1)])
    outbox.discard([1])
    assert outbox.unsent == 2

    taken = outbox.take()
    assert set(taken.rows) == {0}
    assert drop(taken, {0}) == 2
    assert not taken


def test_a_dead_letter_says_where_the_record_came_from_and_why() -> None:
    outbox = Outbox("t")
    outbox.reject("t.usage", 3, Record(b"key", b"{", 17), "not JSON")
    ((key, value, headers),) = outbox.take().messages["t.dead-letters", 3]

    assert (key, value) == (b"key", b"{")
    assert dict(headers) == {"reason": b"not JSON", "topic": b"t.usage", "partition": b"3", "offset": b"17"}
