"""Health history grows old: a point a minute for a week, then the last of each hour, thinned a little at a time."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg

FINE = timedelta(days=7)
"""For so long a point a minute is kept."""
_LOCK = 0x7468696E

_THIN = """
WITH due AS (
  SELECT DISTINCT account_id, date_trunc('hour', bucket, 'UTC') AS hour
  FROM (SELECT account_id, bucket FROM health_history WHERE NOT hourly AND bucket < $1 ORDER BY bucket LIMIT $2) AS old
), ranked AS (
  SELECT point.account_id, point.bucket,
         point.bucket = max(point.bucket) OVER (PARTITION BY point.account_id, due.hour) AS last
  FROM due JOIN health_history AS point
    ON point.account_id = due.account_id AND point.bucket >= due.hour AND point.bucket < due.hour + interval '1 hour'
), dropped AS (
  DELETE FROM health_history AS point USING ranked
  WHERE NOT ranked.last AND point.account_id = ranked.account_id AND point.bucket = ranked.bucket RETURNING 1
), kept AS (
  UPDATE health_history AS point SET hourly = true FROM ranked
  WHERE ranked.last AND point.account_id = ranked.account_id AND point.bucket = ranked.bucket RETURNING 1
)
SELECT (SELECT count(*) FROM dropped) AS dropped, (SELECT count(*) FROM kept) AS kept
"""


async def thin(pool: "asyncpg.Pool[Any]", now: datetime, limit: int = 10_000) -> tuple[int, int]:
    """Thin the hours of the `limit` oldest points that are due; returns points dropped and kept, (0, 0) when none is.

    Only whole hours are thinned.  A point that comes late into a thinned hour makes it due again.  Several projectors
    may call it; one works, the others find nothing to do."""
    before = (now - FINE).replace(minute=0, second=0, microsecond=0)
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return 0, 0
        done = await connection.fetchrow(_THIN, before, limit)
        return done["dropped"], done["kept"]
