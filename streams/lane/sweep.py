"""Silence is noticed by looking at every row once a minute, a slice at a time."""

from collections.abc import Iterator

ROUND = 60.0
"""Seconds in which every row is looked at once."""
SLICE = 50_000
"""Rows gone through at once for those that need a look."""


class Sweep:
    """A cursor over rows that catches up what it missed, but never more than one round."""

    def __init__(self, now: float) -> None:
        self._cursor, self._owed, self._last = 0, 0.0, now

    def due(self, now: float, size: int) -> Iterator[tuple[int, int]]:
        """Row ranges [start, stop) that are due at `now` (monotonic seconds), of `size` rows.

        A range counts as done when the next one is asked for."""
        self._owed = min(self._owed + (now - self._last) / ROUND, 1.0)
        self._last = now
        left = int(self._owed * size + 1e-6)  # what is left of a row stays owed
        while left > 0 and size > 0:
            start = self._cursor % size
            stop = min(start + min(left, SLICE), size)
            yield start, stop
            self._cursor, left = stop % size, left - (stop - start)
            self._owed = max(self._owed - (stop - start) / size, 0.0)
