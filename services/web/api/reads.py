"""All SQL of the API.  An answer and its cursor are read in one snapshot, so that page and stream meet exactly.

Statements are put together from our own words only; what a caller says is always an argument."""
# ruff: noqa: S608 -- see above

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
from asyncpg import Connection, Pool

from schemas.topics import FACTS
from services.web.api import paging
from services.web.api.asked import AccountsAsked, Filters, SignalsAsked
from services.web.live import cursor

Rows = Sequence[asyncpg.Record]

_SUMMARY = (
    "account_id, name, plan, segment, owner, mrr, renews_at, stage, band, score, previous, coverage,"
    " coalesce(reasons, '[]') AS reasons, open_signals, changed_at"
)
_DETAIL = (
    f"{_SUMMARY}, coalesce(crm, '{{}}') AS crm, coalesce(measures, '{{}}') AS measures,"
    " coalesce(missing, '[]') AS missing"
)
_SIGNAL = (
    "s.account_id, a.name, s.family, s.kind, s.episode, s.level, s.score, coalesce(s.reasons, '[]') AS reasons,"
    " s.money, s.cause, s.raised_at, s.escalated_at, s.cleared_at"
)
_SIGNALS = "signals AS s LEFT JOIN accounts AS a USING (account_id)"
_SIGNAL_KEY = ("raised_at", "account_id", "family", "kind", "episode")
_KEYS: dict[str, tuple[str, str, type]] = {
    "score": ("score", "float8", float),
    "name": ("lower(left(name, 256))", "text", str),
    "mrr": ("mrr", "float8", float),
    "renews_at": ("renews_at", "timestamptz", datetime),
    "changed_at": ("changed_at", "timestamptz", datetime),
}
"""Order -> its expression, Postgres type and Python type."""
TRIGRAM = 3
FEW = 4_000
"""Accounts that are sorted rather than looked for along an order."""
RECENT = 50
"""Activities of an account; its signals and stages are told up to twice as many."""


@asynccontextmanager
async def snapshot(pool: "Pool[Any]") -> AsyncIterator["Connection[Any]"]:
    """A connection that sees one moment, whatever is written meanwhile."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


async def applied(connection: "Connection[Any]", prefix: str) -> str:
    """How far the facts are in what this snapshot shows, as the cursor that /api/stream continues from."""
    names = {topic.full(prefix): topic.name for topic in FACTS}
    rows = await connection.fetch(
        "SELECT topic, partition, next_offset FROM projector_offsets WHERE topic = ANY ($1)", list(names)
    )
    return cursor.written({(names[topic], partition): after for topic, partition, after in rows})


@dataclass
class _Where:
    """Conditions and their arguments; `$?` becomes the number of the argument."""

    conditions: list[str] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)

    def add(self, condition: str, *arguments: Any) -> None:
        for argument in arguments:
            self.arguments.append(argument)
            condition = condition.replace("$?", f"${len(self.arguments)}", 1)
        self.conditions.append(condition)

    def any_of(self, column: str, values: Sequence[str]) -> None:
        """One of the values; an empty one stands for none at all."""
        if "" in values:
            self.add(f"({column} IS NULL OR {column} = ANY ($?::text[]))", values)
        elif values:
            self.add(f"{column} = ANY ($?::text[])", values)

    def also(self, condition: str, *arguments: Any) -> "_Where":
        other = _Where([*self.conditions], [*self.arguments])
        other.add(condition, *arguments)
        return other

    def __str__(self) -> str:
        return " AND ".join(self.conditions) or "true"


async def accounts(connection: "Connection[Any]", asked: AccountsAsked) -> tuple[Rows, str | None]:
    """A page and its `next`.  Known values come in two parts, known before unknown, so that an index serves each."""
    expression, kind, python = _KEYS[asked.sort.lstrip("-")]
    way, beyond = ("DESC", "<") if asked.sort.startswith("-") else ("ASC", ">")
    after = paging.read(asked.after, asked.sort, (python | None, str)) if asked.after else None
    where, rows = _matching(asked, await _found(connection, asked.q)), list[asyncpg.Record]()
    known, unknown = where.also(f"{expression} IS NOT NULL"), where.also(f"{expression} IS NULL")
    if after is not None and after[0] is not None:
        known.add(f"({expression}, account_id) {beyond} ($?::{kind}, $?::text)", *after)
    elif after is not None:
        unknown.add(f"account_id {beyond} $?::text", after[1])
    for part in (known, unknown):
        begins_later = part is known and after is not None and after[0] is None
        if begins_later or len(rows) > asked.limit:
            continue
        rows += await connection.fetch(
            f"SELECT {_SUMMARY}, {expression} AS sort_key FROM accounts"
            f" WHERE {part} ORDER BY {expression} {way}, account_id {way} LIMIT {asked.limit + 1 - len(rows)}",
            *part.arguments,
        )
    return _page(rows, asked.limit, asked.sort, ("sort_key", "account_id"))


async def count(connection: "Connection[Any]", asked: Filters) -> int:
    """All accounts that match."""
    where = _matching(asked)
    return int(await connection.fetchval(f"SELECT count(*) FROM accounts WHERE {where}", *where.arguments))


async def _found(connection: "Connection[Any]", text: str | None) -> list[str] | None:
    """The accounts that hold the text; None when they are many, for then the order meets a page of them soonest.
    Postgres itself guesses badly which of the two it is.  Without a trigram there is no index to find them by."""
    if not text:
        return None
    few = FEW if len(text) >= TRIGRAM else RECENT
    rows = await connection.fetch(
        f"SELECT account_id FROM accounts WHERE {_TEXT} LIKE lower($1) LIMIT {few + 1}", _holding(text)
    )
    return [account_id for (account_id,) in rows] if len(rows) <= few else None


def _matching(asked: Filters, found: list[str] | None = None) -> _Where:
    """What is asked, as conditions; `found` are the accounts that hold the text, where they are known already."""
    where = _Where()
    if "unknown" in asked.band:
        where.add("(band IS NULL OR band = ANY ($?::text[]))", asked.band)
    else:
        where.any_of("band", asked.band)
    for column in ("stage", "segment", "plan", "owner"):
        where.any_of(column, getattr(asked, column))
    if asked.signal:
        family, _, signal = asked.signal.partition("/")
        where.add(_HAS_OPEN, family, signal)
    if found is not None:
        where.add("account_id = ANY ($?::text[])", found)
    elif asked.q:
        where.add(f"{_TEXT} LIKE lower($?)", _holding(asked.q))
    if asked.min_score is not None:
        where.add("score >= $?", asked.min_score)
    if asked.max_score is not None:
        where.add("score <= $?", asked.max_score)
    return where


_TEXT = r"lower(coalesce(name, '') || E'\n' || account_id)"
"""What is searched, as the index `accounts_by_text` has it: with that, a search of three letters or more is quick."""
_WILD = re.compile(r"[\\%_]")
_HAS_OPEN = (
    "EXISTS (SELECT FROM signals AS s WHERE s.account_id = accounts.account_id AND s.cleared_at IS NULL"
    " AND s.family = $?::text AND ($?::text IN ('', s.kind)))"
)


def _holding(text: str) -> str:
    """The pattern of whatever holds the text; its own wildcards stand for themselves."""
    return "%" + _WILD.sub(r"\\\g<0>", text) + "%"


def _page(rows: Rows, limit: int, order: str, key: Sequence[str]) -> tuple[Rows, str | None]:
    page = rows[:limit]
    return page, paging.written(order, [page[-1][column] for column in key]) if len(rows) > limit else None


async def account(connection: "Connection[Any]", account_id: str) -> asyncpg.Record | None:
    """One account, if there is one."""
    return await connection.fetchrow(f"SELECT {_DETAIL} FROM accounts WHERE account_id = $1", account_id)


async def history(connection: "Connection[Any]", account_id: str, since: datetime | None, points: int) -> Rows:
    """Health over time, oldest first: the last point of each of at most `points` equal spans."""
    rows: Rows = await connection.fetch(
        """
        WITH told AS (
          SELECT at, score, band, coverage FROM health_history
          WHERE account_id = $1 AND bucket >= date_trunc('hour', coalesce($2, '-infinity'::timestamptz))
            AND at >= coalesce($2, '-infinity'::timestamptz)
        ), span AS (SELECT min(at) AS began, extract(epoch FROM max(at) - min(at)) AS seconds FROM told)
        SELECT DISTINCT ON (part) at, score, band, coverage,
          CASE WHEN seconds = 0 THEN 0
               ELSE least($3 - 1, floor(extract(epoch FROM at - began) / seconds * $3)) END AS part
        FROM told, span ORDER BY part, at DESC
        """,
        *(account_id, since, points),
    )
    return rows


async def stages(connection: "Connection[Any]", account_id: str) -> Rows:
    """Moves between stages, newest first."""
    rows: Rows = await connection.fetch(
        'SELECT before AS "from", after AS "to", coalesce(because, \'[]\') AS because, at FROM stage_history'
        " WHERE account_id = $1 ORDER BY at DESC, fact_id DESC LIMIT $2",
        *(account_id, 2 * RECENT),
    )
    return rows


async def account_signals(connection: "Connection[Any]", account_id: str) -> Rows:
    """The account's episodes: open ones first, then newest first."""
    rows: Rows = await connection.fetch(
        f"SELECT {_SIGNAL} FROM {_SIGNALS} WHERE s.account_id = $1"
        " ORDER BY s.cleared_at IS NOT NULL, s.raised_at DESC, s.family, s.kind, s.episode DESC LIMIT $2",
        *(account_id, 2 * RECENT),
    )
    return rows


async def activities(connection: "Connection[Any]", account_id: str) -> Rows:
    """What happened at the account lately, newest first."""
    rows: Rows = await connection.fetch(
        "SELECT type, at, coalesce(data, '{}') AS data FROM activities WHERE account_id = $1"
        " ORDER BY at DESC, topic, partition, record_offset DESC LIMIT $2",
        *(account_id, RECENT),
    )
    return rows


async def signals(connection: "Connection[Any]", asked: SignalsAsked) -> tuple[Rows, str | None]:
    """A page, newest first, and its `next`."""
    where = _Where()
    if asked.family:
        where.add("s.family = $?", asked.family)
    if asked.kind:
        where.add("s.kind = $?", asked.kind)
    if asked.open is not None:
        where.add(f"s.cleared_at IS {'' if asked.open else 'NOT '}NULL")
    where.any_of("a.owner", asked.owner)
    where.any_of("s.account_id", asked.account)
    if asked.after:
        after = paging.read(asked.after, "signals", (datetime, str, str, str, int))
        where.add(f"({_signal_key('')}) < ($?::timestamptz, $?::text, $?::text, $?::text, $?::int8)", *after)
    rows = await connection.fetch(
        f"SELECT {_SIGNAL} FROM {_SIGNALS} WHERE {where} ORDER BY {_signal_key(' DESC')} LIMIT {asked.limit + 1}",
        *where.arguments,
    )
    return _page(rows, asked.limit, "signals", _SIGNAL_KEY)


def _signal_key(way: str) -> str:
    return ", ".join(f"s.{column}{way}" for column in _SIGNAL_KEY)


async def groups(connection: "Connection[Any]", owners: Sequence[str]) -> Rows:
    """Per band and stage: accounts, their MRR, and the MRR of those with an open churn risk."""
    where = _Where()
    where.any_of("owner", owners)
    rows: Rows = await connection.fetch(
        "WITH risky AS (SELECT DISTINCT account_id FROM signals WHERE family = 'churn_risk' AND cleared_at IS NULL)"
        " SELECT coalesce(band, 'unknown') AS band, stage, count(*) AS accounts, coalesce(sum(mrr), 0) AS mrr,"
        " coalesce(sum(mrr) FILTER (WHERE risky.account_id IS NOT NULL), 0) AS mrr_at_risk"
        f" FROM accounts LEFT JOIN risky USING (account_id) WHERE {where} GROUP BY 1, 2",
        *where.arguments,
    )
    return rows


async def open_signals(connection: "Connection[Any]", owners: Sequence[str]) -> Rows:
    """Per family: how many are open."""
    where = _Where()
    where.any_of("a.owner", owners)
    rows: Rows = await connection.fetch(
        f"SELECT s.family, count(*) AS signals FROM {_SIGNALS} WHERE s.cleared_at IS NULL AND {where} GROUP BY 1",
        *where.arguments,
    )
    return rows
