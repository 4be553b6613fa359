"""The records of a poll folded into the fewest rows: the last of each account, minute, episode and person.

Facts of one account are ordered by (generation, sequence).  That alone does not stop a scorer that lost its partition
and does not know yet: what it still tells can be newer than an account's last fact.  So each topic partition remembers
the newest generation it has seen, and drops facts of older ones from there on: the same in every replay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from schemas.envelope import check_account, data, read
from schemas.errors import InvalidEvent
from schemas.events import profile, told
from schemas.events.fact import NOTHING_YET, Fact, HealthChanged, LifecycleChanged
from schemas.events.profile import Member
from schemas.topics import FACTS
from services.projector.rows import (
    Activity,
    Episode,
    Health,
    Membership,
    Point,
    Snapshot,
    StageChange,
    activity,
    continued,
    episode,
    happened,
    health,
    membership,
    moment,
    point,
    settled,
    snapshot,
    stage_change,
)

Place = tuple[str, int]
"""A topic's full name and a partition."""
_MEMBERSHIP = {kind.name for kind in profile.EVENTS if kind.data is Member}


class Record(Protocol):
    """What is needed of a Kafka record; `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass
class Batch:
    """Rows to write, at most one per key of each table, and what was left out."""

    generations: dict[Place, int]
    accounts: dict[str, Snapshot] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)
    points: dict[tuple[str, datetime], Point] = field(default_factory=dict)
    stages: dict[str, StageChange] = field(default_factory=dict)
    episodes: dict[tuple[str, str, str, int], Episode] = field(default_factory=dict)
    members: dict[tuple[str, str], Membership] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    unreadable: list[tuple[Record, str]] = field(default_factory=list)
    superseded: int = 0


def fold(records: Iterable[Record], prefix: str, generations: Mapping[Place, int]) -> Batch:
    """Records in the order of their partitions -> rows.  `generations`: the newest seen per place before these."""
    told_here = {topic.full(prefix) for topic in FACTS}
    batch = Batch(dict(generations))
    for record in records:
        try:
            if record.topic in told_here:
                _add_fact(batch, record)
            else:
                _add_input(batch, record)
        except InvalidEvent as error:
            batch.unreadable.append((record, str(error)))
    return batch


def _storable(value: bytes | None) -> bytes | None:
    """Postgres holds no NUL in a text: it becomes the replacement character."""
    return value.replace(rb"\u0000", rb"\ufffd") if value else value


def _check_key(record: Record, subject: str) -> None:
    if check_account(record.key) != subject.encode():
        raise InvalidEvent("the Kafka key differs from `subject`; both are the account id")


def _add_fact(batch: Batch, record: Record) -> None:
    fact = told.read(_storable(record.value))
    _check_key(record, fact.subject)
    at = moment(fact.time)
    now = snapshot(fact, at)
    place = (record.topic, record.partition)
    newest = batch.generations.get(place, NOTHING_YET)
    if fact.generation < newest:
        batch.superseded += 1
        return
    batch.generations[place] = fact.generation
    known = batch.accounts.get(fact.subject)
    if known is None or (now.generation, now.sequence) > (known.generation, known.sequence):
        batch.accounts[fact.subject] = now
    _add_detail(batch, fact, at)


def _add_detail(batch: Batch, fact: Fact, at: datetime) -> None:
    """What only this kind of fact tells."""
    if isinstance(fact.data, HealthChanged):
        _add_health(batch, health(fact, fact.data), point(fact, fact.data, at))
    elif isinstance(fact.data, LifecycleChanged):
        batch.stages.setdefault(fact.id, stage_change(fact, fact.data, at))
    else:
        now = episode(fact, fact.data, at)
        key = (now.account_id, now.family, now.kind, now.episode)
        batch.episodes[key] = continued(batch.episodes.get(key), now)


def _add_health(batch: Batch, now: Health, here: Point) -> None:
    known = batch.health.get(here.account_id, Health())
    if (here.generation, here.sequence) > (known.health_generation, known.health_sequence):
        batch.health[here.account_id] = now
    key = (here.account_id, here.bucket)
    there = batch.points.get(key)
    if there is None or (here.generation, here.sequence) > (there.generation, there.sequence):
        batch.points[key] = here


def _add_input(batch: Batch, record: Record) -> None:
    event = read(_storable(record.value))
    _check_key(record, event.subject)
    at = happened(event, record.timestamp)
    batch.activities.append(activity(event, (record.topic, record.partition, record.offset), at))
    member = data(event) if event.type in _MEMBERSHIP else None
    if isinstance(member, Member):
        news = membership(event, member, at)
        key = (news.account_id, news.user_id)
        batch.members[key] = settled(batch.members.get(key), news)
