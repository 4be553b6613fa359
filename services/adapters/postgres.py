"""Postgres: connections that speak JSON, and which errors mean that it is away.

A URL is postgresql://user:password@host:port/database, or with ?host=/directory for a Unix socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from schemas.errors import Refused

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""Passing faults: Postgres restarts, is full or cut off, or undid one of two transactions that met."""
UNSTORABLE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
"""Postgres cannot hold these values, today or tomorrow."""
UNMIGRATED = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""The tables are not those of this version: `kesher migrate` has not run yet."""
_SESSION = {"idle_in_transaction_session_timeout": "15s"}
"""A process that stops in the middle of a transaction must not keep its locks from the one that takes over."""
_JSONB_VERSION = b"\x01"


async def open_pool(dsn: str, size: int = 4) -> "asyncpg.Pool[Any]":
    """An open pool whose jsonb is plain Python.  Raises one of AWAY, or Refused for a URL that cannot be right."""
    with _correctly(dsn):
        return await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, init=speak_json, command_timeout=60, server_settings=_SESSION
        )


@contextmanager
def expecting_postgres(dsn: str) -> Iterator[None]:
    """For a command that cannot wait: Refused, with what to do, when Postgres is away or the URL cannot be right."""
    try:
        with _correctly(dsn):
            yield
    except AWAY as error:
        why = error or type(error).__name__
        msg = f"Postgres does not answer at {without_password(dsn)} ({why}): start it, or correct DATABASE_URL"
        raise Refused(msg) from error


@contextmanager
def _correctly(dsn: str) -> Iterator[None]:
    try:
        yield
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, ValueError) as error:
        msg = f"Postgres refuses {without_password(dsn)}: {error}. Check DATABASE_URL."
        raise Refused(msg) from error


async def speak_json(connection: "asyncpg.Connection[Any]") -> None:
    """Make jsonb columns take and give dicts, lists, texts and numbers."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_to_jsonb, decoder=_from_jsonb
    )


def _to_jsonb(value: object) -> bytes:
    return _JSONB_VERSION + msgspec.json.encode(value)


def _from_jsonb(value: bytes) -> object:
    return msgspec.json.decode(value[1:])


def without_password(dsn: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(dsn)
    if not parts.password:
        return dsn
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":...@")))


async def create_database(dsn: str, name: str) -> str:
    """A new empty database on the same server; returns its URL."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
