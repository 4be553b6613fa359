"""The order in which everything leaves: deciding rows -> their facts -> other rows -> source offsets, each awaited.

A row that decides carries its facts in its headers, so that after a crash in between the very same facts leave."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from schemas.errors import StateConflict, Superseded
from streams.lane import changelog
from streams.lane.changelog import Checkpoint, Ledger
from streams.lane.meter import Meter
from streams.lane.outbox import Message, Outbox, Outgoing, drop
from streams.lane.writer import Changelog, acknowledged, send
from streams.scoring.columns import Accounts

Rows = dict[int, list[tuple[bytes, bytes]]]
Positions = Mapping[int, Mapping[int, int]]
"""partition -> source -> next offset"""


class Dispatch:
    """Sends what the outbox and the rows hold, for the partitions in `ledgers`."""

    def __init__(
        self, outbox: Outbox, log: Changelog, accounts: Accounts, meter: Meter, clock: Callable[[], float]
    ) -> None:
        self.outbox, self.log, self.accounts, self.meter, self.clock = outbox, log, accounts, meter, clock
        self.ledgers: dict[int, Ledger] = {}
        self.failure: BaseException | None = None
        self.superseded: Callable[[int, Superseded], None] = lambda _partition, _error: None
        self.settled = asyncio.Event()
        """Set whenever facts have left; who waits for room clears it."""
        self.waiting = asyncio.Event()
        """Set while something waits to be delivered."""
        self.under_way = 0
        """Deliveries and flushes that wait for an acknowledgement."""
        self._facts, self._rows = asyncio.Lock(), asyncio.Lock()

    def wake(self) -> None:
        """Something may have been queued."""
        if self.outbox:
            self.waiting.set()

    async def deliver(self) -> None:
        """Deciding rows, then their facts and dead letters."""
        async with self._facts:
            await self._deliver(self._take())

    async def flush(self, positions: Positions, newest: Mapping[int, float]) -> None:
        """Everything up to this instant, for the partitions in `positions`: deciding rows, facts, other rows, and a
        checkpoint that says which records and facts are settled.

        Rows leave some at a time, so that facts are not held up behind them; one that has changed again meanwhile
        leaves as it is then, after the facts that it knows of."""
        async with self._rows:
            held = dict(self.ledgers)
            now = {number: (dict(at), dict(newest)) for number, at in positions.items()}
            for some in self.accounts.unwritten():
                async with self._facts:
                    outgoing, rows = self._take(), self.accounts.take_dirty(some)
                    with self._undoing(rows):
                        await self._deliver(outgoing)
                with self._undoing(rows):
                    await self._store({n: taken for n, taken in rows.items() if self._still(n, held)})
            await self.deliver()
            await self._settle(
                {
                    number: Checkpoint(told=held[number].told, positions=at, newest=seen)
                    for number, (at, seen) in now.items()
                    if self._still(number, held)
                }
            )

    def _still(self, number: int, held: Mapping[int, Ledger]) -> bool:
        """Whether a partition is ours, and has been without a break."""
        return number in held and self.ledgers.get(number) is held[number]

    def _take(self) -> Outgoing:
        if self.failure is not None:
            raise StateConflict("nothing leaves after a failure") from self.failure
        self.waiting.clear()
        return self.outbox.take()

    @contextmanager
    def _undoing(self, rows: Rows) -> Iterator[None]:
        """Rows that were taken but not stored for sure are dirty again."""
        try:
            yield
        except BaseException:
            for number, taken in rows.items():
                self.accounts.mark_dirty(number, [key for key, _ in taken])
            raise

    async def _deliver(self, outgoing: Outgoing) -> None:
        if not outgoing:
            return
        began = self.clock()
        held = dict(self.ledgers)
        self.under_way += 1
        try:
            lasts = await self._store_deciding(outgoing, held)
            batches = [await send(self.log.producer, *place, messages) for place, messages in outgoing.messages.items()]
            await asyncio.gather(*map(acknowledged, batches))
        except BaseException:
            self._drop_lost(outgoing, held)
            self.outbox.restore(outgoing)
            self.wake()
            raise
        finally:
            self.under_way -= 1
        for ledger, last in lasts:
            ledger.told = max(ledger.told, last)
        self.outbox.settle(outgoing)
        self.meter.delivered(outgoing.size, self.clock() - began)
        self.settled.set()

    async def _store_deciding(self, outgoing: Outgoing, held: Mapping[int, Ledger]) -> list[tuple[Ledger, int]]:
        """Store the deciding rows -> each ledger and the offset of its last one."""
        numbers = list(outgoing.rows)
        lasts = await asyncio.gather(*(self._write(number, outgoing.rows[number]) for number in numbers))
        self._drop_lost(outgoing, held)
        return [
            (held[n], last) for n, last in zip(numbers, lasts, strict=True) if n in held and last != changelog.UNSET
        ]

    def _drop_lost(self, outgoing: Outgoing, held: Mapping[int, Ledger]) -> None:
        """What belongs to a partition that was lost meanwhile is its new owner's to say."""
        partitions = outgoing.rows.keys() | {place[1] for place in outgoing.messages}
        self.outbox.unsent -= drop(outgoing, {n for n in partitions if not self._still(n, held)})

    async def _store(self, rows: Rows) -> None:
        """Rows that decide nothing."""
        began = self.clock()
        await self._write_all({n: [(key, row, ()) for key, row in taken] for n, taken in rows.items()})
        self.meter.flushed(sum(map(len, rows.values())), self.clock() - began)

    async def _settle(self, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Where each partition stands."""
        messages: dict[int, list[Message]] = {}
        for number, checkpoint in checkpoints.items():
            ledger, own = self.ledgers[number], messages.setdefault(number, [])
            if checkpoint != ledger.checkpoint:
                own.append((changelog.CHECKPOINT, changelog.packed(checkpoint), ()))
            if ledger.window.changed:
                own.append((changelog.REJECTS, ledger.window.packed(), ()))
        ledgers = dict(self.ledgers)
        await self._write_all(messages)
        for number, checkpoint in checkpoints.items():
            ledgers[number].checkpoint = checkpoint

    async def _write_all(self, messages: Mapping[int, Sequence[Message]]) -> None:
        self.under_way += 1
        try:
            await asyncio.gather(*(self._write(number, those) for number, those in messages.items() if those))
        finally:
            self.under_way -= 1

    async def _write(self, number: int, messages: Sequence[Message]) -> int:
        """-> offset of the last message; UNSET when the partition is not ours."""
        ledger = self.ledgers.get(number)
        if ledger is None:
            return changelog.UNSET
        try:
            return await self.log.write(ledger, messages)
        except Superseded as error:
            self.superseded(number, error)
            return changelog.UNSET
