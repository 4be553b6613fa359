"""A batch of events merged into the rows of its accounts.  Every step equals a merge with the row that these events
alone would make, so neither order nor batch cuts matter; an event below a row's next offset is in it already."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.scoring.batch import Batch, Entries, Flags, Ints, Sets
from streams.scoring.columns import Accounts
from streams.scoring.compile import Model
from streams.scoring.distinct import cell_of
from streams.scoring.instants import EPOCH, day_of
from streams.scoring.merge import merge, older, union_slots
from streams.scoring.packing import Rows
from streams.scoring.texts import joined_texts


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
    at = accounts.located(batch.rows, batch.keys, batch.partition)
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
    tagged = np.sort(at * n + np.arange(n))  # one plain sort is faster than a stable argsort
    rows, order = np.divmod(tagged, n)
    return order, np.flatnonzero(np.diff(rows, prepend=-1))


def _delta(model: Model, batch: Batch, group: _Group) -> Rows:
    """What the events alone amount to: one row per account, folded from nothing.  Events not new add nothing."""
    order, starts, place, fresh = group
    kinds = np.where(fresh, batch.said.kinds[order], 0)
    times = np.where(fresh, batch.times[order], 0.0)
    delta = np.zeros(len(starts), model.layout.dtype)
    delta["as_of"] = as_of = np.maximum.reduceat(times, starts)
    added = model.plain[kinds] + model.scaled[kinds] * batch.said.amounts[order, None]
    added *= model.layout.decay(as_of[place] - times)
    delta["sums"] = np.add.reduceat(added, starts)
    delta["latest"] = np.maximum.reduceat(np.where(model.latest[kinds], times[:, None], 0.0), starts)
    first = np.minimum.reduceat(np.where(model.first[kinds], times[:, None], np.inf), starts)
    delta["first"] = np.where(np.isinf(first), 0.0, first)
    delta["offsets"][place, batch.source[order]] = batch.offsets[order] + 1  # ascending: the last one stays
    for sets, column in ((batch.said.gauges, "gauge"), (batch.said.categories, "category")):
        if len(sets.event):
            _set_last(delta, sets, column, batch, group)
    for place_of_days, events in batch.said.days.items():
        _mark_days(delta, place_of_days, events, batch, group)
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
    last = np.lexsort((value, when))  # the winner of each cell is written last
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
    known: Flags = (seen[rows["sidecar"][place, 0]] == ids[:, None]).any(axis=1)
    tagged = (place.astype(np.uint64) << np.uint64(32)) | ids
    ordered = np.sort(tagged[fresh])
    if (ordered[1:] == ordered[:-1]).any():
        order = np.lexsort((~fresh, tagged))  # of equal ids the first new one stays
        again = tagged[order][1:] == tagged[order][:-1]
        known[order[1:][again]] = True
    return known


def _remember(accounts: Accounts, rows: Rows, group: _Group, batch: Batch) -> None:
    """The new ids enter the accounts' recent ones: the greatest (time, hash) stay."""
    new = np.flatnonzero(group.fresh)
    if not len(new):
        return
    times = (batch.times[group.order[new]] - EPOCH).astype(np.uint64)
    entries = (times << np.uint64(32)) | batch.ids[group.order[new]]
    owner = group.place[new]
    block = accounts.claim(0, rows, owner)
    recent = accounts.pools[0].blocks["recent"]
    rank = _ranks(owner)
    if rank.max() >= recent.shape[1]:  # a busy account: only its newest can stay anyway
        order = np.lexsort((~entries, owner))
        entries, rank = entries[order], _ranks(owner)
    for k in range(min(int(rank.max()) + 1, recent.shape[1])):
        some = rank == k
        at, more = block[some], entries[some]
        found = recent[at]
        least = found.argmin(axis=1)
        recent[at, least] = np.maximum(found[np.arange(len(at)), least], more)


def _ranks(owner: Ints) -> Ints:
    """Sorted owners -> 0, 1, 2 ... within each."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    return np.arange(len(owner)) - np.repeat(starts, np.diff(starts, append=len(owner)))


# ---- the other sidecars


def _sidecars(model: Model, accounts: Accounts, rows: Rows, batch: Batch, group: _Group) -> None:
    sidecars = list(model.layout.sidecars)
    slots = [i for i, sidecar in enumerate(sidecars) if sidecar.kind == "slots"]
    distinct = [i for i, sidecar in enumerate(sidecars) if sidecar.kind == "distinct"]
    for place, entries in batch.said.slots.items():
        _fill_slots(accounts, slots[place], sidecars[slots[place]].name, rows, entries, batch, group)
    for place, entries in batch.said.distinct.items():
        _fill_cells(accounts, distinct[place], sidecars[distinct[place]].name, rows, entries, batch, group)


def _fill_slots(
    accounts: Accounts, sidecar: int, name: str, rows: Rows, entries: Entries, batch: Batch, group: _Group
) -> None:
    live, row = _live(group, entries.event)
    if len(live):
        blocks, which = np.unique(accounts.claim(sidecar, rows, row), return_inverse=True)
        found = accounts.pools[sidecar].blocks[blocks]
        accounts.overflowed += union_slots(
            found,
            name,
            which,
            batch.times[entries.event[live]],
            entries.hash[live].astype(np.uint32),
            entries.value[live],
        )
        accounts.pools[sidecar].blocks[blocks] = found


def _fill_cells(
    accounts: Accounts, sidecar: int, name: str, rows: Rows, entries: Entries, batch: Batch, group: _Group
) -> None:
    live, row = _live(group, entries.event)
    if len(live):
        block = accounts.claim(sidecar, rows, row)
        cells = accounts.pools[sidecar].blocks[name]
        np.maximum.at(cells, (block, cell_of(entries.hash[live])), day_of(batch.times[entries.event[live]]))


def _set_texts(accounts: Accounts, touched: Ints, batch: Batch, group: _Group) -> None:
    if batch.said.texts:
        live, row = _live(group, np.array([event for event, _ in batch.said.texts], np.int64))
        for i, place in zip(live.tolist(), row.tolist(), strict=True):
            event, found = batch.said.texts[i]
            number = int(touched[place])
            accounts.texts[number] = joined_texts(accounts.texts.get(number, b""), found, float(batch.times[event]))
