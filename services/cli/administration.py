"""What the administrative verbs share: one piece of work on the database of the settings."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from schemas.errors import Refused
from services.adapters.postgres import expecting_postgres, open_pool
from services.settings import settings

Answer = TypeVar("Answer")


def done(work: "Callable[[asyncpg.Pool[Any]], Awaitable[Answer]]") -> Answer:
    """The work's answer.  Refused when Postgres is away or has no tables yet."""

    async def run() -> Answer:
        pool = await open_pool(settings().database_url, size=1)
        try:
            return await work(pool)
        finally:
            await pool.close()

    try:
        with expecting_postgres(settings().database_url):
            return asyncio.run(run())
    except asyncpg.UndefinedTableError as error:
        msg = "the database has no tables of Kesher yet: run `kesher migrate` first"
        raise Refused(msg) from error
