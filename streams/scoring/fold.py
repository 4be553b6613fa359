"""A batch of events merged into the rows of its accounts.  Every step equals a merge with the row that these events
alone would make, so neither order nor batch cuts matter; an event below a row's next offset is in it already."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import EARLIEST
from streams.scoring.columns import Accounts
from streams.scoring.compile import Model
from streams.scoring.layout import CELLS
from streams.scoring.merge import merge, older, union_recent, union_slots
from streams.scoring.packing import Rows
from streams.scoring.read import Batch, Sets, SlotSets, day_of
from streams.scoring.texts import joined_texts

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_EPOCH = EARLIEST.timestamp()
_WIDTH = 8
_COARSE = ((0.0, 64), (0.75, 32), (0.9375, 32))
"""Where the share of hashes and the cells of each level of a distinct column begin: (share below, cells)."""


class Folded(NamedTuple):
    """What a batch did: the rows it touched, merged; whether each has a new event, and only backfilled ones."""

    at: Ints
    rows: Rows
    fresh: Flags
    backfill: Flags


class _Group(NamedTuple):
    """Events brought together by account: event order, where each account starts, the account of each place, and
    which events are new."""

    order: Ints
    starts: Ints
    place: Ints
    fresh: Flags


def fold(model: Model, accounts: Accounts, batch: Batch) -> Folded:
    """Merge the events of a batch that are not in their rows yet."""
    at = accounts.locate(batch.keys, batch.partition)
    order, starts = grouped(at)
    touched = at[order[starts]]
    rows = accounts.rows[touched]
    place = np.repeat(np.arange(len(touched)), np.diff(starts, append=len(at)))
    fresh = batch.offsets[order] >= rows["offsets"][place, batch.source[order]]
    fresh &= ~_known(accounts, rows, place, batch.ids[order], fresh)
    group = _Group(order, starts, place, fresh)
    _remember(accounts, rows, group, batch)
    rows = merge(model.layout, rows, _delta(model, batch, group))
    _sidecars(model, accounts, rows, batch, group)
    _set_texts(accounts, touched, batch, group)
    any_fresh = np.logical_or.reduceat(fresh, starts)
    return Folded(touched, rows, any_fresh, any_fresh & ~np.logical_or.reduceat(fresh & ~batch.backfill[order], starts))


def grouped(at: Ints) -> tuple[Ints, Ints]:
    """Stable order that brings equal rows together, and where each group starts in it."""
    n = len(at)
    tagged = np.sort(at * n + np.arange(n))                 # one plain sort is faster than a stable argsort
    rows, order = np.divmod(tagged, n)
    return order, np.flatnonzero(np.diff(rows, prepend=-1))


def _delta(model: Model, batch: Batch, group: _Group) -> Rows:
    """What the events alone amount to: one row per account, folded from nothing.  Events not new add nothing."""
    order, starts, place, fresh = group
    kinds = np.where(fresh, batch.kinds[order], 0)
    times = np.where(fresh, batch.times[order], 0.0)
    delta = np.zeros(len(starts), model.layout.dtype)
    delta["as_of"] = as_of = np.maximum.reduceat(times, starts)
    added = model.plain[kinds] + model.scaled[kinds] * batch.amounts[order, None]
    added *= model.layout.decay(as_of[place] - times)
    delta["sums"] = np.add.reduceat(added, starts)
    delta["latest"] = np.maximum.reduceat(np.where(model.latest[kinds], times[:, None], 0.0), starts)
    first = np.minimum.reduceat(np.where(model.first[kinds], times[:, None], np.inf), starts)
    delta["first"] = np.where(np.isinf(first), 0.0, first)
    delta["offsets"][place, batch.source[order]] = batch.offsets[order] + 1     # ascending: the last one stays
    for sets, column in ((batch.gauges, "gauge"), (batch.categories, "category")):
        if len(sets.event):
            _set_last(delta, sets, column, batch, group)
    for column, events in batch.days.items():
        _mark_days(delta, column, events, batch, group)
    return delta


def _live(group: _Group, events: Ints) -> tuple[Ints, Ints]:
    """Of these events the new ones, and the account place of each."""
    place, fresh = np.empty_like(group.place), np.empty_like(group.fresh)
    place[group.order], fresh[group.order] = group.place, group.fresh
    alive = fresh[events]
    return np.flatnonzero(alive), place[events[alive]]


def _set_last(delta: Rows, sets: Sets, column: str, batch: Batch, group: _Group) -> None:
    """Last write wins by event time, the larger value on a tie."""
    live, row = _live(group, sets.event)
    value, place, when = sets.value[live], sets.place[live], batch.times[sets.event[live]]
    last = np.lexsort((value, when))                        # the winner of each cell is written last
    delta[column][row[last], place[last]] = value[last]
    delta[f"{column}_at"][row[last], place[last]] = when[last]


def _mark_days(delta: Rows, column: int, events: Ints, batch: Batch, group: _Group) -> None:
    live, row = _live(group, events)
    if not len(live):
        return
    day = day_of(batch.times[events[live]]).astype(np.int64)
    last = np.zeros(len(delta), np.int64)
    np.maximum.at(last, row, day)
    bits = np.zeros(len(delta), np.uint64)
    np.bitwise_or.at(bits, row, older(np.ones(len(day), np.uint64), last[row] - day))
    delta["day_last"][:, column], delta["day_bits"][:, column] = last, bits


# ---- recent ids

def _known(accounts: Accounts, rows: Rows, place: Ints, ids: NDArray[np.uint32], fresh: Flags) -> Flags:
    """Which events have an id that their account has seen lately, in an earlier batch or earlier in this one."""
    blocks = accounts.pools[0].blocks["recent"]
    seen = blocks.view("<u4").reshape(len(blocks), -1)[:, ::2]
    known = (seen[rows["sidecar"][place, 0]] == ids[:, None]).any(axis=1)
    tagged = (place.astype(np.uint64) << np.uint64(32)) | ids
    ordered = np.sort(tagged[fresh])
    if (ordered[1:] == ordered[:-1]).any():
        order = np.lexsort((~fresh, tagged))                # of equal ids the first new one stays
        again = tagged[order][1:] == tagged[order][:-1]
        known[order[1:][again]] = True
    return known


def _remember(accounts: Accounts, rows: Rows, group: _Group, batch: Batch) -> None:
    """The new ids enter the accounts' recent ones: the greatest (time, hash) stay."""
    new = np.flatnonzero(group.fresh)
    if not len(new):
        return
    times = (batch.times[group.order[new]] - _EPOCH).astype(np.uint64)
    entries = (times << np.uint64(32)) | batch.ids[group.order[new]]
    owner = group.place[new]
    block = accounts.claim(0, rows, owner)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    rank = np.arange(len(new)) - np.repeat(starts, np.diff(starts, append=len(new)))
    recent = accounts.pools[0].blocks["recent"]
    for low in range(0, int(rank.max()) + 1, _WIDTH):
        some = (rank >= low) & (rank < low + _WIDTH)
        blocks, which = np.unique(block[some], return_inverse=True)
        more = np.zeros((len(blocks), min(_WIDTH, int(rank[some].max()) - low + 1)), np.uint64)
        more[which, rank[some] - low] = entries[some]
        recent[blocks] = union_recent(recent[blocks], more)


# ---- the other sidecars

def _sidecars(model: Model, accounts: Accounts, rows: Rows, batch: Batch, group: _Group) -> None:
    sidecars = list(model.layout.sidecars)
    slots = [i for i, sidecar in enumerate(sidecars) if sidecar.kind == "slots"]
    distinct = [i for i, sidecar in enumerate(sidecars) if sidecar.kind == "distinct"]
    for place, entries in batch.slots.items():
        _fill_slots(accounts, slots[place], sidecars[slots[place]].name, rows, entries, batch, group)
    for place, sets in batch.distinct.items():
        _fill_cells(accounts, distinct[place], sidecars[distinct[place]].name, rows, sets, batch, group)


def _fill_slots(accounts: Accounts, sidecar: int, name: str, rows: Rows, entries: SlotSets, batch: Batch, group: _Group) -> None:
    live, row = _live(group, entries.event)
    if len(live):
        blocks, which = np.unique(accounts.claim(sidecar, rows, row), return_inverse=True)
        found = accounts.pools[sidecar].blocks[blocks]
        accounts.overflowed += union_slots(found, name, which, batch.times[entries.event[live]], entries.hash[live], entries.value[live])
        accounts.pools[sidecar].blocks[blocks] = found


def _fill_cells(accounts: Accounts, sidecar: int, name: str, rows: Rows, sets: Sets, batch: Batch, group: _Group) -> None:
    live, row = _live(group, sets.event)
    if len(live):
        block = accounts.claim(sidecar, rows, row)
        cells = accounts.pools[sidecar].blocks[name]
        np.maximum.at(cells, (block, cell_of(sets.value[live])), day_of(batch.times[sets.event[live]]))


def cell_of(hashes: NDArray[np.uint64]) -> Ints:
    """Hash -> one of the CELLS cells: three quarters of the hashes share the first 64, each next 32 a quarter as many."""
    share = (hashes >> np.uint64(11)).astype(np.float64) / 2.0**53
    cell = ((hashes >> np.uint64(1)) & np.uint64(0x3FF)).astype(np.int64)      # bit 0 is always set
    out = cell % 64
    start = 0
    for below, cells in _COARSE:
        out = np.where(share >= below, start + cell % cells, out)
        start += cells
    return out


def distinct_count(cells: NDArray[np.uint16], since: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, CELLS) last days of the cells, (n,) first day counted -> estimated number of different values since then.

    A multiresolution bitmap (Estan, Varghese and Fisk, 2006): each level is counted linearly (Whang et al., 1990), and
    levels too full to tell are inferred from the sparser ones.  Standard error 8 % up to 100 values, 16 % at 300,
    30 % at 1,000; beyond 2,000 it stays there."""
    live = cells >= np.maximum(since, 1)[:, None]
    shares = np.diff([*(below for below, _ in _COARSE), 1.0])
    starts = np.cumsum([0, *(size for _, size in _COARSE)])
    filled = np.stack([live[:, a:b].sum(axis=1) for a, b in zip(starts, starts[1:], strict=False)], axis=1).astype(float)
    sizes = np.diff(starts).astype(float)
    counts = -sizes * np.log1p(-np.minimum(filled, sizes - 0.5) / sizes)
    usable = filled <= 0.93 * sizes
    usable[:, -1] = True
    usable = np.logical_and.accumulate(usable[:, ::-1], axis=1)[:, ::-1]
    return (counts * usable).sum(axis=1) / (shares * usable).sum(axis=1)


def _set_texts(accounts: Accounts, touched: Ints, batch: Batch, group: _Group) -> None:
    if batch.texts:
        live, row = _live(group, np.array([event for event, _ in batch.texts], np.int64))
        for i, place in zip(live.tolist(), row.tolist(), strict=True):
            event, found = batch.texts[i]
            number = int(touched[place])
            accounts.texts[number] = joined_texts(accounts.texts.get(number, b""), found, float(batch.times[event]))


__all__ = ["CELLS", "Folded", "cell_of", "distinct_count", "fold", "grouped"]
