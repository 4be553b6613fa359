"""Postgres: connections that speak JSON, migrations, and which errors mean that it is away.

A URL is postgresql://user:password@host:port/database, or with ?host=/directory for a Unix socket."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import schemas.migrations
import schemas.tables
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
_SESSION = {"idle_in_transaction_session_timeout": "15s"}
"""A process that stops in the middle of a transaction must not keep its locks from the one that takes over."""
_JSONB_VERSION = b"\x01"
_MIGRATION_LOCK = 0x6B657368


async def open_pool(dsn: str, size: int = 4) -> "asyncpg.Pool[Any]":
    """An open pool whose jsonb is plain Python.  Raises one of AWAY, or Refused for a URL that cannot be right."""
    try:
        return await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, init=speak_json, command_timeout=60, server_settings=_SESSION
        )
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


async def migrate(dsn: str) -> list[str]:
    """Bring the database to this version's schema, in one transaction; returns the steps taken, none when it was there.

    May be called by several processes at once.  Refused when the database is newer than this Kesher, or holds tables of
    these names that Kesher did not make: nothing is touched then."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> list[str]:
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
    config = Config()
    config.set_main_option("script_location", str(Path(schemas.migrations.__file__).parent))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_revision()
    steps = _steps(script, present)
    if present is None:
        _refuse_strangers(connection)
    command.upgrade(config, "head")
    return steps


def _steps(script: ScriptDirectory, present: str | None) -> list[str]:
    """`0002 what it does`, oldest first."""
    revisions = {step.revision: step for step in script.walk_revisions()}
    if present is not None and present not in revisions:
        msg = (
            f"the database is at schema {present}, which this version of Kesher does not know: it was migrated by a "
            "newer one. Run that version; going back would lose data."
        )
        raise Refused(msg)
    todo = [step for step in revisions.values() if present is None or step.revision > present]
    return [f"{step.revision} {step.doc}" for step in reversed(todo)]


def _refuse_strangers(connection: Connection) -> None:
    strangers = sorted(set(inspect(connection).get_table_names()) & set(SQLModel.metadata.tables))
    if strangers:
        msg = (
            f"the database already has tables that Kesher did not make: {', '.join(strangers)}. "
            "Give Kesher a database of its own in DATABASE_URL."
        )
        raise Refused(msg)


async def create_database(dsn: str, name: str) -> str:
    """A new empty database on the same server; returns its URL."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
