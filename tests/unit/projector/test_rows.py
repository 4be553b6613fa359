"""Facts and inputs become rows: the last of each key wins, in whatever batches they come."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import msgspec
import pytest

from schemas import envelope
from schemas.envelope import Event
from schemas.events.fact import Fact
from schemas.topics import PROFILES, SUPPORT
from services.projector.batch import Batch, fold
from services.projector.rows import Membership, settled
from tests.facts import (
    START,
    account,
    churn_risk,
    encoded,
    health_changed,
    lifecycle_changed,
    topic_of,
    upsell,
)

PREFIX = "kesher"


@dataclass(frozen=True)
class Record:
    """As it comes from Kafka."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int = 0
    offset: int = 0
    timestamp: int = round(START.timestamp() * 1000)


def record(told: Fact) -> Record:
    """A fact as its record."""
    return Record(topic_of(told).full(PREFIX), *encoded(told))


def folded(*told: Fact) -> Batch:
    """A batch of facts."""
    return fold(map(record, told), PREFIX, {})


def input_record(kind: str, data: object, **more: object) -> Record:
    """An input of account acme."""
    event = Event(
        id="1",
        source="test",
        type=f"kesher.{kind}",
        subject="acme",
        data=msgspec.Raw(msgspec.json.encode(data)),
        **more,
    )  # type: ignore[arg-type]
    topic = PROFILES if kind.startswith("profile") else SUPPORT
    return Record(topic.full(PREFIX), b"acme", envelope.encode(event))


def test_the_facts_of_one_decision_complete_each_other_in_any_order() -> None:
    snapshot = account(stage="adoption", health=44.0, name="Acme", renews_at="2026-09-01")
    told = [
        health_changed("acme", 3, 44.0, snapshot=snapshot),
        lifecycle_changed("acme", 3, "purchase", "adoption", snapshot=snapshot),
        churn_risk("raised", "acme", 3, snapshot=snapshot),
    ]

    results = [folded(*order) for order in permutations(told)]

    assert all(result == results[0] for result in results)
    assert results[0].accounts["acme"].renews_at == datetime(2026, 9, 1, tzinfo=UTC)
    assert results[0].health["acme"].band == "amber"


def test_a_fact_that_is_not_newer_never_replaces_an_account() -> None:
    batch = folded(health_changed("acme", 5, 80.0), health_changed("acme", 4, 10.0), health_changed("acme", 5, 20.0))

    assert (batch.accounts["acme"].sequence, batch.health["acme"].score) == (5, 80.0)


def test_a_newer_generation_begins_its_sequence_anew() -> None:
    batch = folded(health_changed("acme", 90, 80.0), health_changed("acme", 1, 10.0, generation=2))

    assert batch.health["acme"].score == 10.0


def test_a_worker_that_lost_its_partition_is_not_believed_even_about_accounts_that_its_successor_has_not_touched() -> (
    None
):
    new = health_changed("other", 1, 50.0, generation=8)
    zombie = health_changed("acme", 9, 3.0, generation=7)

    batch = folded(health_changed("acme", 8, 60.0, generation=7), new, zombie)

    assert batch.health["acme"].score == 60.0
    assert batch.superseded == 1
    assert fold([record(zombie)], PREFIX, batch.generations).superseded == 1


def test_history_keeps_the_last_point_of_a_minute() -> None:
    at = START.replace(second=0)
    batch = folded(*(health_changed("acme", n, 10.0 * n, at=at + timedelta(seconds=25 * n)) for n in range(1, 5)))

    assert [(p.bucket, p.score) for p in batch.points.values()] == [(at, 20.0), (at + timedelta(minutes=1), 40.0)]


def test_an_episode_keeps_when_it_was_raised_escalated_and_cleared() -> None:
    hour = timedelta(hours=1)
    batch = folded(
        churn_risk("raised", "acme", 1, level="high"),
        churn_risk("escalated", "acme", 2, level="critical", at=START + hour),
        churn_risk("cleared", "acme", 3, level="none", at=START + 2 * hour),
        churn_risk("raised", "acme", 4, episode=2, at=START + 3 * hour),
        upsell("raised", "acme", 4, at=START + 3 * hour),
    )

    first, second, third = batch.episodes.values()
    assert (first.raised_at, first.escalated_at, first.cleared_at) == (START, START + hour, START + 2 * hour)
    assert (second.episode, second.cleared_at, third.family, third.money) == (2, None, "upsell", 300.0)


def test_a_repeated_move_is_one_move() -> None:
    move = lifecycle_changed("acme", 1, "purchase", "adoption")

    assert list(folded(move, move).stages) == ["lifecycle:acme:1:1"]


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        (Record("kesher.health", b"acme", None), "no value"),
        (Record("kesher.health", b"acme", b"{"), "not a fact"),
        (Record("kesher.health", b"acme", b"[" * 5000), "not a fact"),
        (Record("kesher.health", b"acme", b'{"type":"kesher.health.guessed"}'), "unknown type"),
        (replace(record(health_changed("acme", 1)), key=b"other"), "differs from `subject`"),
        (replace(record(health_changed("acme", 1)), key=None), "no key"),
        (record(health_changed("acme", 1, snapshot=account(renews_at="2026-02-31"))), "2026-02-31"),
        (input_record("support.ticket_opened", {"priority": "tremendous"}), "priority"),
        (input_record("support.ticket_opened", {}, time="2026-02-31T00:00:00Z"), "2026-02-31"),
        (input_record("support.renamed", [1, 2]), "data"),
        (Record("kesher.support", b"acme", None), "no value"),
    ],
)
def test_an_unreadable_record_is_left_out_with_its_reason_and_its_neighbours_stay(spoiled: Record, why: str) -> None:
    batch = fold([record(health_changed("first", 1)), spoiled, record(health_changed("last", 1))], PREFIX, {})

    assert set(batch.accounts) == {"first", "last"}
    assert [why in reason for _, reason in batch.unreadable] == [True]


def test_a_nul_in_a_text_becomes_a_character_that_postgres_can_hold() -> None:
    batch = folded(health_changed("acme", 1, snapshot=account(name="A\0B", owner="o" * 4000)))

    assert batch.accounts["acme"].name == "A�B"
    assert len(batch.accounts["acme"].owner or "") == 512


def test_an_input_is_kept_whole_even_of_a_type_that_nobody_knows() -> None:
    batch = fold(
        [input_record("support.called", {"minutes": 3, "n": [[1], [2]]}, time="2026-01-05T10:00:00+02:00")], PREFIX, {}
    )

    (told,) = batch.activities
    assert (told.type, told.data, told.at) == (
        "kesher.support.called",
        {"minutes": 3, "n": [[1], [2]]},
        datetime(2026, 1, 5, 8, tzinfo=UTC),
    )


def test_an_event_from_the_future_happened_at_most_five_minutes_after_kafka_stored_it() -> None:
    batch = fold([input_record("support.ticket_opened", {}, time="2100-01-01")], PREFIX, {})

    assert batch.activities[0].at == START + timedelta(minutes=5)


def test_news_about_a_person_gives_one_result_in_every_order() -> None:
    def news(role: str | None, joined: int | None, left: int | None) -> Membership:
        def at(hour: int | None) -> datetime | None:
            return None if hour is None else START + timedelta(hours=hour)

        return Membership("acme", "noa", role, at(joined), at(left))

    told = [news("user", 1, None), news(None, None, 2), news("champion", 3, None), news(None, None, 4)]

    def result(order: tuple[Membership, ...]) -> Membership | None:
        known: Membership | None = None
        for one in order:
            known = settled(known, one)
        return known

    assert {result(order) for order in permutations(told)} == {news("champion", 3, 4)}
    assert {result(order) for order in permutations(told[:3])} == {news("champion", 3, None)}
