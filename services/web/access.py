"""Keys, people, login links and sessions, kept in Postgres.  A secret is shown once and stored as its SHA-256, so it is
found by an index on the hash: no comparison of secrets exists whose time could betray one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import asyncpg
from asyncpg import Pool

from schemas.errors import Refused
from services.adapters.access import hashed
from services.adapters.clock import fresh_id
from services.adapters.secrets import fresh_secret

Scope = Literal["read", "write", "admin"]
LINK = timedelta(minutes=15)
"""How long a login link waits for its click."""
SESSION = timedelta(days=14)
"""How long a browser stays logged in."""
LANGUAGES = ("en", "he")
SHOWN = 12
"""Characters of a key that are kept, so that people can tell keys apart."""


@dataclass(frozen=True)
class Person:
    """Who is logged in, and until when (epoch seconds)."""

    user_id: str
    email: str
    name: str | None
    language: str
    role: str
    until: float


def instant(at: float) -> datetime:
    """Epoch seconds -> the same moment in UTC."""
    return datetime.fromtimestamp(at, UTC)


async def create_key(pool: "Pool[Any]", name: str, scope: str, now: float) -> str:
    """A new key's secret, which cannot be shown again."""
    if scope not in get_args(Scope):
        msg = f"there is no scope {scope!r}: take read (the API), write (ingest) or admin (both)"
        raise Refused(msg)
    if not name.strip():
        raise Refused("a key needs a name, so that you know later what it was for")
    secret = f"kes_{fresh_secret()}"
    await pool.execute(
        "INSERT INTO api_keys (key_id, name, scope, prefix, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        *(fresh_id()[:12], name, scope, secret[:SHOWN], hashed(secret), instant(now)),
    )
    return secret


async def list_keys(pool: "Pool[Any]") -> Sequence[asyncpg.Record]:
    """Every key: key_id, name, scope, prefix, created_at, revoked_at; oldest first."""
    rows: list[asyncpg.Record] = await pool.fetch(
        "SELECT key_id, name, scope, prefix, created_at, revoked_at FROM api_keys ORDER BY created_at, key_id"
    )
    return rows


async def revoke_key(pool: "Pool[Any]", key: str, now: float) -> str:
    """Revoke the key with this id or shown prefix; returns its name.  Refused when it is not exactly one live key."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            "SELECT key_id, name FROM api_keys WHERE (key_id = $1 OR prefix = $1) AND revoked_at IS NULL FOR UPDATE",
            key,
        )
        if len(rows) != 1:
            msg = f"{len(rows) or 'no'} live key has the id or prefix {key!r}: `kesher keys list` shows all ids"
            raise Refused(msg)
        await connection.execute("UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1", rows[0][0], instant(now))
    return str(rows[0][1])


async def add_user(
    pool: "Pool[Any]", email: str, now: float, *, name: str | None = None, language: str = "en", role: str = "csm"
) -> str:
    """The id of a new person.  Refused when the address is taken or is none, or the console lacks the language."""
    if language not in LANGUAGES:
        msg = f"the console does not speak {language!r}; it speaks {' and '.join(LANGUAGES)}"
        raise Refused(msg)
    address = email.strip().lower()
    mailbox, _, host = address.partition("@")
    if not mailbox or not host or any(ch.isspace() or not ch.isprintable() for ch in address):
        msg = f"{email!r} is not an e-mail address; write it as dana@example.com"
        raise Refused(msg)
    try:
        await pool.execute(
            "INSERT INTO users (user_id, email, name, language, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            *(user_id := fresh_id()[:12], address, name, language, role, instant(now)),
        )
    except asyncpg.UniqueViolationError:
        msg = f"{address} is there already: `kesher users login-link {address}` lets them in"
        raise Refused(msg) from None
    return user_id


async def list_users(pool: "Pool[Any]") -> Sequence[asyncpg.Record]:
    """Every person: email, name, language, role, created_at; oldest first."""
    rows: list[asyncpg.Record] = await pool.fetch(
        "SELECT email, name, language, role, created_at FROM users ORDER BY created_at, email"
    )
    return rows


async def create_login_link(pool: "Pool[Any]", email: str, base_url: str, now: float) -> str:
    """A URL that opens one session within 15 minutes.  Refused when no such person was added."""
    address = email.strip().lower()
    secret = fresh_secret()
    made = await pool.execute(
        "INSERT INTO login_links (secret_hash, user_id, expires_at) SELECT $1, user_id, $3 FROM users WHERE email = $2",
        *(hashed(secret), address, instant(now) + LINK),
    )
    if made.split()[-1] != "1":
        msg = f"nobody has the address {address!r}: `kesher users add {address}` adds them"
        raise Refused(msg)
    return f"{base_url.rstrip('/')}/login/{secret}"


async def redeem(pool: "Pool[Any]", link: str, now: float) -> str | None:
    """The secret of a new session, for a link's secret that is neither used nor expired; else None."""
    async with pool.acquire() as connection, connection.transaction():
        user_id = await connection.fetchval(
            "UPDATE login_links SET used_at = $2 WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2"
            " RETURNING user_id",
            *(hashed(link), instant(now)),
        )
        if user_id is None:
            return None
        secret = fresh_secret()
        await connection.execute(
            "INSERT INTO sessions (secret_hash, user_id, expires_at) VALUES ($1, $2, $3)",
            *(hashed(secret), user_id, instant(now) + SESSION),
        )
        await connection.execute("DELETE FROM sessions WHERE expires_at <= $1", instant(now))
        await connection.execute("DELETE FROM login_links WHERE expires_at <= $1", instant(now) - SESSION)
    return secret


async def person(pool: "Pool[Any]", session: str, now: float) -> Person | None:
    """Who a session's secret belongs to, if it has not expired."""
    row = await pool.fetchrow(
        "SELECT user_id, email, name, language, role, extract(epoch FROM expires_at)::float8 AS until"
        " FROM sessions JOIN users USING (user_id) WHERE secret_hash = $1 AND expires_at > $2",
        *(hashed(session), instant(now)),
    )
    return None if row is None else Person(**row)


async def end_session(pool: "Pool[Any]", session: str) -> None:
    """Forget a session; one that is not there is fine."""
    await pool.execute("DELETE FROM sessions WHERE secret_hash = $1", hashed(session))
