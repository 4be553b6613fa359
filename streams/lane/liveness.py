"""When a worker should leave for its supervisor: nothing moves, though there is work and nobody else to blame."""

PATIENCE = 60.0
"""Seconds without progress."""


class Liveness:
    """Judges observations; seconds are monotonic."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._progress: int | None = None
        self._since = 0.0

    def observe(self, now: float, progress: int, lag: int | None, *, held: bool) -> str | None:
        """`progress` changes when records are scored; `lag` counts those waiting, None when the brokers do not answer;
        `held` while an output waits for its acknowledgement.  A sentence when the worker should leave."""
        if progress != self._progress or not lag or held:
            self._progress, self._since = progress, now
            return None
        if now - self._since <= self.patience:
            return None
        return (
            f"no record was scored for {now - self._since:.0f} s though {lag} are waiting and the brokers answer: "
            "leaving, so that the supervisor starts a fresh worker"
        )
