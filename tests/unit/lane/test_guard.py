"""Offsets hold for one incarnation of a topic."""

import pytest

from schemas.errors import StateConflict
from streams.lane.changelog import Ledger
from streams.lane.guard import Log, judge, resume, start

TOPICS = ["t.usage", "t.support"]
IDS = {"t.usage": "u1", "t.support": "s1"}


def ledger(**positions: int) -> Ledger:
    known = Ledger(3)
    known.sources, known.sources_at = dict(IDS), 5
    known.checkpoint.positions = {0: 100, 1: 10}
    return known


def logs(end: int = 150) -> dict[int, Log]:
    return {0: Log(0, end, 90), 1: Log(0, 10, None)}


def test_the_same_topics_may_be_counted_on() -> None:
    assert judge(ledger(), TOPICS, IDS, logs()) == (None, [])


def test_a_partition_that_was_never_counted_accepts_any_topic() -> None:
    assert judge(Ledger(3), TOPICS, IDS, logs()) == (None, [])


def test_a_topic_created_again_stops_with_a_sentence_that_says_what_to_do() -> None:
    conflict, _ = judge(ledger(), TOPICS, IDS | {"t.usage": "u2"}, logs())

    assert conflict is not None
    assert "t.usage was deleted and created again" in conflict
    assert "kesher topics adopt" in conflict


def test_a_log_that_ends_before_what_was_counted_stops() -> None:
    conflict, _ = judge(ledger(), TOPICS, IDS, logs(end=99))

    assert conflict is not None
    assert "ends at offset 99, but its events are counted up to offset 100" in conflict


def test_an_adoption_after_the_last_count_is_accepted_and_the_topic_read_from_its_beginning() -> None:
    known = ledger()
    known.adopted, known.adopted_at = IDS | {"t.usage": "u2"}, 9

    assert judge(known, TOPICS, IDS | {"t.usage": "u2"}, logs(end=3)) == (None, [0])


def test_an_adoption_of_yet_another_topic_or_an_old_one_is_not() -> None:
    other, old = ledger(), ledger()
    other.adopted, other.adopted_at = IDS | {"t.usage": "u3"}, 9
    old.adopted, old.adopted_at = IDS | {"t.usage": "u2"}, 4

    assert judge(other, TOPICS, IDS | {"t.usage": "u2"}, logs())[0] is not None
    assert judge(old, TOPICS, IDS | {"t.usage": "u2"}, logs())[0] is not None


def test_a_missing_topic_names_the_command_that_makes_it() -> None:
    never, _ = judge(Ledger(3), TOPICS, {"t.usage": "u1"}, logs())
    deleted, _ = judge(ledger(), TOPICS, {"t.usage": "u1"}, logs())

    assert never == "the topic t.support does not exist: run `kesher topics`"
    assert deleted is not None
    assert "t.support was deleted" in deleted
    assert "kesher topics adopt" in deleted


@pytest.mark.parametrize(("log", "expected"), [(Log(5, 9, None), 5), (Log(0, 9, 4), 4), (Log(6, 9, 4), 6)])
def test_reading_begins_where_the_group_has_committed_or_at_what_is_left(log: Log, expected: int) -> None:
    assert start(log) == expected


def test_what_does_not_continue_is_read_again_unless_the_log_is_another() -> None:
    assert resume("t.usage", 0, 50, Log(0, 80, None)) == 50
    assert resume("t.usage", 0, 50, Log(60, 80, None)) == 60
    with pytest.raises(StateConflict, match="kesher topics adopt"):
        resume("t.usage", 0, 50, Log(0, 49, None))
