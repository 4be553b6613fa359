"""Who is asking: a machine with a key or a person with a session.  Answers are remembered for 30 seconds, so a key or
session that ends stops working within that time; what is known stays known while Postgres is away."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from schemas.errors import RetryLater
from services.adapters.access import Keys, hashed
from services.adapters.postgres import AWAY
from services.web.access import Person, person

LIFETIME = timedelta(seconds=30)
REMEMBERED = 10_000
KEY_PREFIX = "kes_"


@dataclass(frozen=True)
class Caller:
    """Someone known.  `scope` is a key's own; a person reads everything.  `person` is None for a key."""

    name: str
    scope: str
    person: Person | None = None

    def may(self, scope: str) -> bool:
        """Whether what asks for `scope` is open; admin opens everything."""
        return self.scope in (scope, "admin")


class Callers:
    """Looks up secrets.  `now` gives epoch seconds, `monotonic` seconds that never go back."""

    def __init__(self, pool: "asyncpg.Pool[Any]", now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._pool = pool
        self._now = now
        self._monotonic = monotonic
        self._keys = Keys(pool, monotonic)
        self._known: dict[bytes, tuple[float, Caller]] = {}

    def known(self, secret: str) -> Caller | None:
        """The caller, if it was found good within the last 30 seconds."""
        asked_at, caller = self._known.get(hashed(secret), (float("-inf"), None))
        fresh = self._monotonic() - asked_at < LIFETIME.total_seconds()
        return caller if fresh and self._lasts(caller) else None

    async def find(self, secret: str) -> Caller | None:
        """The caller, None when there is none.  Raises RetryLater when Postgres is away and the secret is not known."""
        caller = await (self._machine(secret) if secret.startswith(KEY_PREFIX) else self._person(secret))
        if caller is not None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[hashed(secret)] = (self._monotonic(), caller)
        return caller

    def forget(self, secret: str) -> None:
        """Ask anew next time."""
        self._known.pop(hashed(secret), None)

    async def _machine(self, secret: str) -> Caller | None:
        key = await self._keys.check(secret)
        return None if key is None else Caller(key.name, key.scope)

    async def _person(self, secret: str) -> Caller | None:
        try:
            found = await person(self._pool, secret, self._now())
        except AWAY as error:
            _, caller = self._known.get(hashed(secret), (0.0, None))
            if caller is not None and self._lasts(caller):
                return caller
            msg = f"the session cannot be checked: Postgres does not answer ({error})"
            raise RetryLater(msg, LIFETIME) from error
        return None if found is None else Caller(found.email, "read", found)

    def _lasts(self, caller: Caller | None) -> bool:
        return caller is not None and (caller.person is None or caller.person.until > self._now())
