"""What the administrative verbs share: one piece of work on the database of the settings."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from schemas.errors import Refused
from services.adapters.postgres import AWAY, open_pool, without_password
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
        return asyncio.run(run())
    except AWAY as error:
        url = without_password(settings().database_url)
        msg = f"Postgres does not answer at {url}: {error or type(error).__name__}; start it, or correct DATABASE_URL"
        raise Refused(msg) from error
    except asyncpg.UndefinedTableError as error:
        msg = "the database has no tables of Kesher yet: run `kesher migrate` first"
        raise Refused(msg) from error
