"""Every statement of the projector.  A batch's rows and its offsets are one transaction: both or neither.

Arrays go in, `unnest` makes rows of them: one statement per table, however many rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
import msgspec

from schemas.errors import Superseded
from services.projector.batch import Batch, Place
from services.projector.rows import Activity, Episode, Health, Membership, Point, Snapshot, StageChange

_TYPES = {
    **dict.fromkeys(("mrr", "score", "previous", "coverage", "money"), "float8"),
    **dict.fromkeys(("partition", "episode"), "int4"),
    **dict.fromkeys(
        ("generation", "sequence", "health_generation", "health_sequence", "record_offset", "expected", "next"), "int8"
    ),
    **dict.fromkeys(
        ("renews_at", "changed_at", "bucket", "at", "raised_at", "escalated_at", "cleared_at", "joined_at", "left_at"),
        "timestamptz",
    ),
}
"""Columns that are not sent as texts."""
_DOCUMENTS = {"crm", "measures", "reasons", "missing", "because", "data"}
"""Columns that are sent as JSON: asyncpg would take a list of lists for an array of two dimensions."""


class Move(NamedTuple):
    """A partition's offset before and after a batch, and the newest generation seen."""

    topic: str
    partition: int
    expected: int
    next: int
    generation: int


class Position(NamedTuple):
    """Where a partition goes on, as Postgres has it."""

    next_offset: int
    generation: int
    topic_id: str | None


def _given(columns: Sequence[str]) -> str:
    """The arrays as rows called `given`."""
    arrays = ", ".join(f"${number}::{_TYPES.get(column, 'text')}[]" for number, column in enumerate(columns, 1))
    return f"unnest({arrays}) AS given ({', '.join(columns)})"


def _insert(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f"{column}::jsonb" if column in _DOCUMENTS else column for column in columns)
    return f"INSERT INTO {table} AS known ({', '.join(columns)}) SELECT {values} FROM {_given(columns)}"  # noqa: S608 -- the names are ours


def _set(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in columns)


def _set_when(condition: str, columns: Iterable[str]) -> str:
    return ", ".join(f"{one} = CASE WHEN {condition} THEN excluded.{one} ELSE known.{one} END" for one in columns)


_NEWER = "(excluded.generation, excluded.sequence) > (known.generation, known.sequence)"
_NEWER_HEALTH = (
    "(excluded.health_generation, excluded.health_sequence) > (known.health_generation, known.health_sequence)"
)

_MOVE = f"""
UPDATE projector_offsets AS known SET next_offset = given.next, generation = given.generation
FROM {_given(Move._fields)}
WHERE known.topic = given.topic AND known.partition = given.partition AND known.next_offset = given.expected
"""  # noqa: S608 -- the names are ours

_ACCOUNT = (*Snapshot._fields, *Health._fields)
_ACCOUNTS = f"""
{_insert("accounts", _ACCOUNT)}
ON CONFLICT (account_id) DO UPDATE SET
  {_set_when(_NEWER, Snapshot._fields[1:])},
  {_set_when(_NEWER_HEALTH, Health._fields)}
WHERE {_NEWER} OR {_NEWER_HEALTH}
"""

_POINTS = f"""
{_insert("health_history", Point._fields)}
ON CONFLICT (account_id, bucket) DO UPDATE SET {_set(Point._fields[2:])}, hourly = false WHERE {_NEWER}
"""

_STAGES = f"{_insert('stage_history', StageChange._fields)} ON CONFLICT DO NOTHING"

_EPISODES = f"""
{_insert("signals", Episode._fields)}
ON CONFLICT (account_id, family, kind, episode) DO UPDATE SET
  {_set(column for column in Episode._fields[4:] if column not in {"cause", "raised_at", "escalated_at"})},
  escalated_at = coalesce(excluded.escalated_at, known.escalated_at)
WHERE {_NEWER}
"""

_COUNT_OPEN = """
UPDATE accounts SET open_signals =
  (SELECT count(*) FROM signals WHERE signals.account_id = accounts.account_id AND cleared_at IS NULL)
WHERE account_id = ANY ($1::text[])
"""

_MEMBERS = f"""
{_insert("members", Membership._fields)}
ON CONFLICT (account_id, user_id) DO UPDATE SET
  role = CASE WHEN excluded.joined_at >= coalesce(known.joined_at, '-infinity')
              THEN coalesce(excluded.role, known.role) ELSE coalesce(known.role, excluded.role) END,
  joined_at = greatest(known.joined_at, excluded.joined_at),
  left_at = CASE WHEN greatest(known.left_at, excluded.left_at)
                   > coalesce(greatest(known.joined_at, excluded.joined_at), '-infinity')
                 THEN greatest(known.left_at, excluded.left_at) END
"""

_ACTIVITIES = f"{_insert('activities', Activity._fields)} ON CONFLICT DO NOTHING"

_PLACES = """
INSERT INTO projector_offsets (topic, partition, next_offset, topic_id)
SELECT topic, partition, 0, topic_id
FROM unnest($1::text[], $2::int4[], $3::text[]) AS assigned (topic, partition, topic_id)
ON CONFLICT DO NOTHING
"""

_POSITIONS = "SELECT topic, partition, next_offset, generation, topic_id FROM projector_offsets"

_EMPTY = """
TRUNCATE accounts, health_history, stage_history, signals, members, activities, projector_offsets
"""


async def apply(pool: "asyncpg.Pool[Any]", batch: Batch, moves: Collection[Move]) -> None:
    """Write the batch and move the offsets.  Superseded, with nothing written, when another projector moved them."""
    async with pool.acquire() as connection, connection.transaction():
        done = await connection.execute(_MOVE, *_columns(Move._fields, moves))
        if done != f"UPDATE {len(moves)}":
            raise Superseded(f"another projector has moved the offsets of {_spelled(moves)}")
        await _write(connection, batch)


async def _write(connection: "asyncpg.Connection[Any]", batch: Batch) -> None:
    """Rows sorted by key, so that transactions lock them in one order."""
    accounts = {key: (*batch.accounts[key], *batch.health.get(key, Health())) for key in batch.accounts}
    for statement, columns, rows in (
        (_ACCOUNTS, _ACCOUNT, _sorted(accounts)),
        (_POINTS, Point._fields, _sorted(batch.points)),
        (_STAGES, StageChange._fields, _sorted(batch.stages)),
        (_EPISODES, Episode._fields, _sorted(batch.episodes)),
        (_MEMBERS, Membership._fields, _sorted(batch.members)),
        (_ACTIVITIES, Activity._fields, batch.activities),
    ):
        if rows:
            await connection.execute(statement, *_columns(columns, rows))
    if batch.episodes:
        await connection.execute(_COUNT_OPEN, sorted({account for account, *_ in batch.episodes}))


def _sorted(rows: dict[Any, Any]) -> list[Any]:
    return [rows[key] for key in sorted(rows)]


def _columns(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Rows -> one array per column."""
    arrays = zip(*rows, strict=True)
    return [_documents(array) if name in _DOCUMENTS else array for name, array in zip(names, arrays, strict=True)]


def _documents(values: Iterable[Any]) -> list[str | None]:
    return [None if value is None else msgspec.json.encode(value).decode() for value in values]


def _spelled(moves: Collection[Move]) -> str:
    return ", ".join(f"{move.topic}[{move.partition}] at {move.expected}" for move in moves)


async def positions(
    pool: "asyncpg.Pool[Any]", assigned: Iterable[Place], topic_ids: Mapping[str, str]
) -> dict[Place, Position]:
    """Where each partition goes on; one that was never projected begins at 0, in the topic of today."""
    places = sorted(assigned)
    rows = [(topic, partition, topic_ids.get(topic)) for topic, partition in places]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_PLACES, *zip(*rows, strict=True))
        known = {(row[0], row[1]): Position(*row[2:]) for row in await connection.fetch(_POSITIONS)}
    return {place: known[place] for place in places}


async def empty(pool: "asyncpg.Pool[Any]") -> None:
    """Forget the whole read model, so that it is built again from the topics."""
    await pool.execute(_EMPTY)
