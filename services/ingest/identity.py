"""Which account a user belongs to: what this door has heard lately, else what Postgres knows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import asyncpg

from schemas.errors import RetryLater
from services.adapters.postgres import AWAY

HEARD = timedelta(hours=1)
"""How long the door trusts its own ears; by then the projector has written it down."""
READ = timedelta(seconds=60)
"""How long an answer of Postgres is used again."""
REMEMBERED = 200_000
_FIND = """
SELECT DISTINCT ON (user_id) user_id, account_id FROM members
WHERE user_id = ANY($1) AND left_at IS NULL ORDER BY user_id, joined_at DESC NULLS LAST, account_id
"""


class Members:
    """The latest known account of each user.  `pool` is open; `monotonic` gives seconds."""

    def __init__(self, pool: asyncpg.Pool, monotonic: Callable[[], float]) -> None:
        self._pool = pool
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, str | None]] = {}

    async def accounts(self, users: Iterable[str]) -> dict[str, str]:
        """User -> account, for those that have one.  Raises RetryLater when Postgres is needed and away."""
        now = self._monotonic()
        asked = set(users)
        fresh = {user: self._known[user][1] for user in asked if user in self._known and now < self._known[user][0]}
        missing = sorted(asked - fresh.keys())
        found = await self._read(missing) if missing else {}
        self._keep({user: found.get(user) for user in missing}, READ)
        return {user: account for user, account in (fresh | found).items() if account is not None}

    def heard(self, members: Mapping[str, str | None]) -> None:
        """Users who joined an account, or left (None), by events that Kafka has."""
        self._keep(members, HEARD)

    async def _read(self, users: list[str]) -> dict[str, str]:
        try:
            rows = await self._pool.fetch(_FIND, [user for user in users if "\0" not in user])
        except AWAY as error:
            why = f"whom a user belongs to cannot be read: Postgres does not answer ({error})"
            raise RetryLater(why, timedelta(seconds=5)) from error
        return {row["user_id"]: row["account_id"] for row in rows}

    def _keep(self, members: Mapping[str, str | None], span: timedelta) -> None:
        if len(self._known) + len(members) > REMEMBERED:
            self._known.clear()
        until = self._monotonic() + span.total_seconds()
        self._known.update({user: (until, account) for user, account in members.items()})
