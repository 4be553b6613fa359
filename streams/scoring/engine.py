"""The scoring of one worker: read records, fold them into rows, judge the rows, tell what changed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from schemas.envelope import SKEW_SECONDS
from schemas.events.fact import Cause
from schemas.scorecard import Scorecard
from streams.scoring.batch import Batch, Misplacement, Reading, Record, Reject, Slice
from streams.scoring.columns import Accounts
from streams.scoring.compile import compile_model
from streams.scoring.fold import fold
from streams.scoring.judge import judge
from streams.scoring.read import Reader
from streams.scoring.store import Positions, Rows, picked
from streams.scoring.tell import Fact, tell, untold

KEPT = ("signals", "signal_since", "levels", "band", "stage", "stage_since")
"""What a judgement leaves behind, beside what is told."""


class Decision(NamedTuple):
    """An account about which something is told: its row as it stands with that decision, and the facts."""

    partition: int
    key: bytes
    row: bytes
    facts: list[Fact]


class Engine:
    """All accounts of a worker and the scorecard that judges them.  Never raises on what `read` gave."""

    def __init__(
        self,
        card: Scorecard,
        partitions: int,
        *,
        base_currency: str = "USD",
        rates: Mapping[str, float] | None = None,
        clamp: bool = True,
    ) -> None:
        self.model = compile_model(card)
        self.accounts = Accounts(self.model.layout, partitions)
        self._reader = Reader(self.model, self.accounts, base_currency=base_currency, rates=rates, clamp=clamp)

    def read(self, slices: Sequence[Slice]) -> Reading:
        """Decode and check the records of a poll, over all topics and partitions at once."""
        return self._reader.read(slices)

    def absorb(self, batch: Batch, cause: Cause = "event", *, defer: bool = False) -> list[Decision]:
        """Fold a batch and judge every account it touched at the account's own event time.  `cause` is `event` or
        `catch_up`; accounts that only got backfilled events say `backfill`.  With `defer` nothing is judged yet: in a
        backlog one topic runs ahead of another, and a judgement would meet half of what happened; see `unsettled`."""
        at, rows, fresh, backfill = fold(self.model, self.accounts, batch)
        new = np.flatnonzero(fresh)
        if defer or len(new) < len(at):
            self.accounts.put(at, rows)
            at, rows, backfill = (at[:0], rows[:0], backfill) if defer else (at[new], picked(rows, new), backfill[new])
        causes: list[Cause] = ["backfill" if b else cause for b in backfill.tolist()]
        return self._judged(at, rows, causes) if len(at) else []

    def unsettled(self, horizon: float = np.inf) -> Positions:
        """Rows with events up to `horizon` that were folded and not judged since."""
        rows = self.accounts.rows[: self.accounts.size]
        return np.flatnonzero((rows["as_of"] > rows["judged"]) & (rows["as_of"] <= horizon))

    def settle(self, at: Positions) -> list[Decision]:
        """Judge rows found by `unsettled`, each at its own event time, but for those settled or gone meanwhile."""
        at = at[at < self.accounts.size]
        at = at[self.accounts.rows["as_of"][at] > self.accounts.rows["judged"][at]]
        return self._judged(at, self.accounts.get(at), ["catch_up"] * len(at)) if len(at) else []

    def _judged(self, at: Positions, rows: Rows, causes: Sequence[Cause]) -> list[Decision]:
        told = tell(judge(self.model, self.accounts, rows, rows["as_of"]), at, causes)
        self.accounts.put(at, rows)
        return self._decisions(at, told)

    def sweep(self, now: float, start: int, stop: int, cause: Cause = "inactivity") -> list[Decision]:
        """Judge rows [start, stop) at `now`: how silence, fading and dwells are noticed without any event."""
        return self.look(now, self.restless(now, start, stop), cause)

    def restless(self, now: float, start: int, stop: int) -> Positions:
        """Rows in [start, stop) that may need a look at `now`: most need none for a while, see `_stirring`.  Accounts
        of which something later is known already, as in a backlog, wait for their time."""
        at = self.accounts.restless(start, stop, now)
        return at[self.accounts.rows["as_of"][at] <= now + SKEW_SECONDS]

    def look(self, now: float, at: Positions, cause: Cause) -> list[Decision]:
        """Judge `restless` rows at `now`, but for those gone meanwhile."""
        at = at[at < self.accounts.size]
        at = at[self.accounts.rows["as_of"][at] > 0]
        at = self._stirring(at, now) if len(at) else at
        return self._judged_silent(at, now, cause) if len(at) else []

    def _stirring(self, at: Positions, now: float) -> Positions:
        """Of rows, those of which something will have to be told or kept in mind soon.  The others are left alone
        until then: they cannot move but by an event, which makes them restless again."""
        ahead = now + self.model.plan.calm * (0.5 + at % 64 / 128)  # not all at once
        rows = self.accounts.get(at)
        before = [rows[name].copy() for name in KEPT]
        stirs = untold(judge(self.model, self.accounts, rows, ahead)).any | _changed(rows, before)
        self.accounts.calm_until[at[~stirs]] = ahead[~stirs]
        restless: Positions = at[stirs]
        return restless

    def _judged_silent(self, at: Positions, now: float, cause: Cause) -> list[Decision]:
        """What is told of rows at `now`, without any event.  Only those that have changed are written back."""
        rows = self.accounts.get(at)
        before = [rows[name].copy() for name in KEPT]
        told = tell(judge(self.model, self.accounts, rows, np.full(len(at), now)), at, [cause] * len(at))
        changed = _changed(rows, before)
        changed[[i for i, _ in told]] = True
        self.accounts.put(at[changed], picked(rows, changed))
        return self._decisions(at, told)

    def _decisions(self, at: Positions, told: list[tuple[int, list[Fact]]]) -> list[Decision]:
        where = at[[i for i, _ in told]] if told else at[:0]
        partitions = self.accounts.rows["partition"][where].tolist()
        keys, values = self.accounts.keys_of(where), self.accounts.take(where) if told else []
        return [
            Decision(partition, key, value, facts)
            for partition, key, value, (_, facts) in zip(partitions, keys, values, told, strict=True)
        ]


def _changed(rows: Rows, before: Sequence[np.ndarray]) -> np.ndarray:
    """(n,) where one of KEPT is not what it was."""
    changed = np.zeros(len(rows), bool)
    for name, was in zip(KEPT, before, strict=True):
        differs = rows[name] != was
        changed |= differs.any(axis=1) if differs.ndim == 2 else differs
    return changed


__all__ = ["Batch", "Decision", "Engine", "Fact", "Misplacement", "Reading", "Record", "Reject", "Slice"]
