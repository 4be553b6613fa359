"""Whether the database has this version's tables, told without loading SQLAlchemy, which takes seconds."""

from pathlib import Path

import asyncpg

import schemas.migrations


def newest() -> str:
    """The revision that this version works with: migrations are files named <revision>_<what it does>.py."""
    versions = Path(next(iter(schemas.migrations.__path__))) / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


async def is_current(dsn: str) -> bool:
    """Whether there is nothing for `migrate` to do.  Raises what asyncpg raises while Postgres is away."""
    connection = await asyncpg.connect(dsn)
    try:
        present = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return bool(present == newest())
