"""Who has failed too often to be asked again just now.  In memory, per process, bounded."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

FAILURES = 20
"""Within WINDOW, from one address, before it is refused unheard."""
WINDOW = timedelta(minutes=1)
REMEMBERED = 10_000


@dataclass
class _Tries:
    since: float
    failures: int


class Throttle:
    """Counts failures per source; instants are seconds that never go back."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait(self, source: str, at: float) -> float:
        """Seconds until the source may try again; 0 when it may now."""
        tries = self._tries.get(source)
        if tries is None or tries.failures < FAILURES:
            return 0.0
        return max(0.0, tries.since + WINDOW.total_seconds() - at)

    def failed(self, source: str, at: float) -> None:
        """One failure more."""
        tries = self._tries.get(source)
        if tries is None or at >= tries.since + WINDOW.total_seconds():
            self._tries[source] = _Tries(at, 1)
            self._tries.move_to_end(source)
        else:
            tries.failures += 1
        if len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)
