"""The only reader of clocks and of chance: everything else is told the time."""

import time
from uuid import uuid4


def now() -> float:
    """Epoch seconds, UTC."""
    return time.time()


def monotonic() -> float:
    """Seconds that never go back, for spans and deadlines."""
    return time.monotonic()


def fresh_id() -> str:
    """An id that no one else has: 32 hex digits."""
    return uuid4().hex
