"""API keys: who a secret belongs to, read from Postgres and remembered for 30 seconds.

A key that is revoked stops working within that time.  While Postgres is away, a key that was good stays good."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from schemas.errors import RetryLater
from services.adapters.postgres import AWAY

LIFETIME = timedelta(seconds=30)
REMEMBERED = 10_000
"""Answers kept, good and bad, so that a flood of wrong keys cannot eat the memory."""
_FIND = "SELECT key_id, name, scope FROM api_keys WHERE secret_hash = $1 AND revoked_at IS NULL"


@dataclass(frozen=True)
class KeyInfo:
    """A key that works.  `scope` is read, write or admin."""

    key_id: str
    name: str
    scope: str

    def may(self, scope: str) -> bool:
        """Whether the key opens what asks for `scope`; admin opens everything."""
        return self.scope in (scope, "admin")


def hashed(secret: str) -> bytes:
    """What is stored of a secret: its SHA-256, 32 bytes.  Secrets are 128 random bits or more, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Keys:
    """Looks keys up.  `pool` is open; `monotonic` gives seconds."""

    def __init__(self, pool: asyncpg.Pool, monotonic: Callable[[], float]) -> None:
        self._pool = pool
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, KeyInfo | None]] = {}

    async def check(self, secret: str) -> KeyInfo | None:
        """The key of a secret, None when there is none.  Raises RetryLater when Postgres is needed and away."""
        digest = hashed(secret)
        asked_at, info = self._known.get(digest, (float("-inf"), None))
        if self._monotonic() - asked_at < LIFETIME.total_seconds():
            return info
        try:
            row = await self._pool.fetchrow(_FIND, digest)
        except AWAY as error:
            if info is not None:
                return info
            raise RetryLater(f"the key cannot be checked: Postgres does not answer ({error})", LIFETIME) from error
        return self._remember(digest, None if row is None else KeyInfo(**row))

    def _remember(self, digest: bytes, info: KeyInfo | None) -> KeyInfo | None:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[digest] = (self._monotonic(), info)
        return info
