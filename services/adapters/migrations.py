"""The database's schema, brought up to date.

Apart from postgres.py because SQLAlchemy takes a second to load, and only this needs it."""

from pathlib import Path

import asyncpg
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

_MIGRATION_LOCK = 0x6B657368


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
