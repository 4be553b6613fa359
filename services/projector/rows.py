"""Facts and inputs as rows, one function per table; what belongs to one row when several are about it.

Field names are the tables' column names, in the order that services/projector/upsert.py sends them."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from schemas.envelope import SKEW_SECONDS, Event, instant
from schemas.errors import InvalidEvent
from schemas.events.fact import NOTHING_YET, ChurnRisk, Fact, HealthChanged, LifecycleChanged, Reason, Upsell
from schemas.events.profile import Member

INDEXED = 512
"""Characters of a text that an index of Postgres surely takes."""


class Snapshot(NamedTuple):
    """Who the account is, as of one fact of any kind."""

    account_id: str
    name: str | None
    plan: str | None
    segment: str | None
    owner: str | None
    mrr: float | None
    renews_at: datetime | None
    crm: dict[str, str] | None
    stage: str
    generation: int
    sequence: int
    changed_at: datetime


class Health(NamedTuple):
    """How the account is, as of one fact about health."""

    band: str | None = None
    score: float | None = None
    previous: float | None = None
    coverage: float | None = None
    measures: dict[str, float] | None = None
    reasons: list[Reason] | None = None
    missing: list[str] | None = None
    health_generation: int = NOTHING_YET
    health_sequence: int = NOTHING_YET


class Point(NamedTuple):
    """Health in one minute."""

    account_id: str
    bucket: datetime
    at: datetime
    score: float | None
    band: str
    coverage: float
    reasons: list[Reason]
    fact_id: str
    generation: int
    sequence: int


class StageChange(NamedTuple):
    """A move in the lifecycle."""

    fact_id: str
    account_id: str
    before: str
    after: str
    because: list[str]
    at: datetime


class Episode(NamedTuple):
    """A signal's episode, as of one fact."""

    account_id: str
    family: str
    kind: str
    episode: int
    level: str
    score: float | None
    reasons: list[Reason]
    money: float | None
    cause: str
    raised_at: datetime
    escalated_at: datetime | None
    cleared_at: datetime | None
    fact_id: str
    generation: int
    sequence: int


class Membership(NamedTuple):
    """A person's last joining and, if it is later, last leaving."""

    account_id: str
    user_id: str
    role: str | None
    joined_at: datetime | None
    left_at: datetime | None


class Activity(NamedTuple):
    """An input event on the account's timeline."""

    topic: str
    partition: int
    record_offset: int
    account_id: str
    type: str
    at: datetime
    data: dict[str, Any]


def moment(text: str) -> datetime:
    """RFC 3339 -> an instant in UTC.  Raises InvalidEvent."""
    return datetime.fromtimestamp(instant(text), UTC)


def snapshot(fact: Fact, at: datetime) -> Snapshot:
    """Every fact carries one."""
    account = fact.data.account
    return Snapshot(
        fact.subject,
        account.name,
        account.plan,
        account.segment,
        account.owner and account.owner[:INDEXED],
        account.mrr,
        None if account.renews_at is None else moment(account.renews_at),
        account.crm,
        account.stage,
        fact.generation,
        fact.sequence,
        at,
    )


def health(fact: Fact, data: HealthChanged) -> Health:
    """The account's columns that only this kind of fact sets."""
    return Health(
        data.band,
        data.score,
        data.previous,
        data.coverage,
        data.measures,
        data.reasons,
        data.missing,
        fact.generation,
        fact.sequence,
    )


def point(fact: Fact, data: HealthChanged, at: datetime) -> Point:
    """Its place in the history."""
    minute = at.replace(second=0, microsecond=0)
    order = (fact.generation, fact.sequence)
    return Point(fact.subject, minute, at, data.score, data.band, data.coverage, data.reasons, fact.id, *order)


def stage_change(fact: Fact, data: LifecycleChanged, at: datetime) -> StageChange:
    """The move that the fact tells."""
    return StageChange(fact.id, fact.subject, data.before, data.to, data.because, at)


def episode(fact: Fact, data: ChurnRisk | Upsell, at: datetime) -> Episode:
    """The episode as if this fact were its first."""
    _, family, what = fact.type.split(".")
    return Episode(
        fact.subject,
        family,
        data.kind,
        data.episode,
        data.level,
        data.score,
        data.reasons,
        data.mrr_at_risk if isinstance(data, ChurnRisk) else data.potential,
        fact.cause,
        at,
        at if what == "escalated" else None,
        at if what == "cleared" else None,
        fact.id,
        fact.generation,
        fact.sequence,
    )


def continued(known: Episode | None, now: Episode) -> Episode:
    """An episode after one more fact: it keeps why and when it was raised; a fact that is not newer changes nothing."""
    if known is None:
        return now
    if (now.generation, now.sequence) <= (known.generation, known.sequence):
        return known
    escalated = now.escalated_at or known.escalated_at
    return now._replace(cause=known.cause, raised_at=known.raised_at, escalated_at=escalated)


def membership(event: Event, data: Member, at: datetime) -> Membership:
    """The person after joining or leaving, as if it were the first news."""
    left = event.type.endswith("member_removed")
    return Membership(event.subject, data.user, data.role, None if left else at, at if left else None)


def settled(known: Membership | None, news: Membership) -> Membership:
    """Two pieces of news about a person, in whatever order they came: the last joining and leaving count."""
    if known is None:
        return news
    joined = max(filter(None, (known.joined_at, news.joined_at)), default=None)
    left = max(filter(None, (known.left_at, news.left_at)), default=None)
    newer = news.joined_at is not None and news.joined_at == joined
    role = (news.role or known.role) if newer else (known.role or news.role)
    away = left if joined is None or (left is not None and left > joined) else None
    return Membership(known.account_id, known.user_id, role, joined, away)


def happened(event: Event, stored_ms: int) -> datetime:
    """Event time: the record's when the event has none, and not further ahead of it than the border allows."""
    if event.time is None:
        return datetime.fromtimestamp(stored_ms / 1000, UTC)
    return datetime.fromtimestamp(min(instant(event.time), stored_ms / 1000 + SKEW_SECONDS), UTC)


def activity(event: Event, place: tuple[str, int, int], at: datetime) -> Activity:
    """The whole data of the event, fields that Kesher does not know included.  Raises InvalidEvent."""
    try:
        data = msgspec.json.decode(event.data, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidEvent(f"{event.type}: data: {error}") from None
    return Activity(*place, event.subject, event.type, at, data)
