"""A batch of events merged into the rows of its accounts.  Every step equals a merge with the row that these events
alone would make, so neither order nor batch cuts matter; an event below a row's next offset is in it already."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.scoring import sidecars
from streams.scoring.batch import Batch, Flags, Floats, Ints, Sets
from streams.scoring.columns import Accounts
from streams.scoring.compile import Model
from streams.scoring.instants import day_of, seconds_of
from streams.scoring.merge import older
from streams.scoring.store import Rows, starts_of
from streams.scoring.texts import joined_texts

NEVER = np.uint32(0)


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
    account: Ints
    """Of each event in the batch's own order its account, -1 where it is not new."""


def fold(model: Model, accounts: Accounts, batch: Batch) -> Folded:
    """Merge the events of a batch that are not in their rows yet."""
    at = accounts.located(batch.rows, batch.keys, batch.partition)
    order, first = grouped(at)
    starts, place = first.nonzero()[0], np.cumsum(first) - 1
    touched = at[order[starts]]
    rows = accounts.get(touched)
    offsets, source = batch.offsets[order], batch.source[order]
    fresh = offsets >= rows["offsets"][place, source]
    fresh &= ~sidecars.known(accounts, rows, place, batch.ids[order])
    fresh &= ~_repeated(place, batch.ids[order], fresh)
    account = np.empty(len(at), np.int64)
    account[order] = np.where(fresh, place, -1)
    group = _Group(order, starts, place, fresh, account)
    next_ = np.maximum(rows["offsets"][place, source], offsets + 1)
    rows["offsets"][place, source] = next_  # ascending: the last one of an account stays
    _add(model, rows, batch, group)
    _set_sparse(rows, batch, group)
    _fill_sidecars(accounts, rows, batch, group)
    _set_texts(accounts, touched, batch, group)
    if fresh.all() and not batch.backfill.any():
        return Folded(touched, rows, np.ones(len(touched), bool), np.zeros(len(touched), bool))
    any_fresh = np.logical_or.reduceat(fresh, starts)
    return Folded(touched, rows, any_fresh, any_fresh & ~np.logical_or.reduceat(fresh & ~batch.backfill[order], starts))


def grouped(at: Ints) -> tuple[Ints, Flags]:
    """Stable order that brings equal rows together, and which of it begin a group."""
    n = len(at)
    tagged = np.sort(at * n + np.arange(n))  # one plain sort is faster than a stable argsort
    rows, order = np.divmod(tagged, n)
    return order, starts_of(rows)


def _repeated(place: Ints, ids: NDArray[np.uint32], fresh: Flags) -> Flags:
    """Which events have an id that a new one before them in the batch has, too."""
    again = np.zeros(len(ids), bool)
    tagged = (place.astype(np.uint64) << np.uint64(32)) | ids
    if not starts_of(np.sort(tagged[fresh])).all():
        order = np.lexsort((~fresh, tagged))  # of equal ids the first new one stays
        again[order] = ~starts_of(tagged[order])
    return again


def _add(model: Model, rows: Rows, batch: Batch, group: _Group) -> None:
    """Counters, instants and `as_of`.  Events that are not new add nothing."""
    order, starts, place, fresh, _ = group
    kinds, times = batch.said.kinds[order], batch.times[order]
    if not fresh.all():
        kinds, times = np.where(fresh, kinds, 0), np.where(fresh, times, 0.0)
    before, decay = rows["as_of"], model.layout.decay
    now = np.maximum(before, np.maximum.reduceat(times, starts))
    added = model.plain.take(kinds, axis=0) + model.scaled.take(kinds, axis=0) * batch.said.amounts[order, None]
    added *= decay(now[place] - times)
    rows["sums"] = rows["sums"] * decay(now - before) + np.add.reduceat(added, starts)
    rows["as_of"] = now
    seconds = seconds_of(times)[:, None]
    marked = np.where(model.latest.take(kinds, axis=0), seconds, NEVER)
    rows["latest"] = np.maximum(rows["latest"], np.maximum.reduceat(marked, starts))
    marked = np.where(model.first.take(kinds, axis=0), ~seconds, NEVER)  # the greatest complement is the earliest
    first = np.where(rows["first"] > 0, ~rows["first"], NEVER)
    first = np.maximum(first, np.maximum.reduceat(marked, starts))
    rows["first"] = np.where(first > 0, ~first, NEVER)


def _set_sparse(rows: Rows, batch: Batch, group: _Group) -> None:
    """What only some events write: gauges, categories, active days."""
    for sets, column in ((batch.said.gauges, "gauge"), (batch.said.categories, "category")):
        if len(sets.event):
            _set_last(rows, sets, column, batch.times, group)
    for column_of_days, events in batch.said.days.items():
        live, row = _live(group, events)
        if len(live):
            _mark_days(rows, column_of_days, row, day_of(batch.times[events[live]]).astype(np.int64))


def _live(group: _Group, events: Ints) -> tuple[Ints, Ints]:
    """Of these events the new ones, and the account place of each."""
    row = group.account[events]
    if row.min(initial=0) >= 0:
        return np.arange(len(events)), row
    live = (row >= 0).nonzero()[0]
    return live, row[live]


def _set_last(rows: Rows, sets: Sets, column: str, times: Floats, group: _Group) -> None:
    """Last write wins by event time, the larger value on a tie."""
    live, row = _live(group, sets.event)
    value, place, when = sets.value[live], sets.place[live], times[sets.event[live]]
    values, ats = rows[column], rows[f"{column}_at"]
    kept, kept_at = values[row, place], ats[row, place]
    order = np.lexsort((value, when))  # the winner of each cell is written last
    order = order[((when > kept_at) | ((when == kept_at) & (value > kept)))[order]]
    values[row[order], place[order]], ats[row[order], place[order]] = value[order], when[order]


def _mark_days(rows: Rows, column: int, row: Ints, day: Ints) -> None:
    before, last = rows["day_last"][:, column].astype(np.int64), rows["day_last"][:, column].astype(np.int64)
    np.maximum.at(last, row, day)
    bits = older(rows["day_bits"][:, column], last - before)
    np.bitwise_or.at(bits, row, older(np.ones(len(day), np.uint64), last[row] - day))
    rows["day_last"][:, column], rows["day_bits"][:, column] = last, bits


def _fill_sidecars(accounts: Accounts, rows: Rows, batch: Batch, group: _Group) -> None:
    new = group.fresh.nonzero()[0]
    events = group.order[new]
    sidecars.remember(accounts, rows, group.place[new], batch.times[events], batch.ids[events])
    slots = [sidecar for sidecar in accounts.layout.sidecars if sidecar.kind == "slots"]
    for place, entries in batch.said.slots.items():
        live, row = _live(group, entries.event)
        if len(live):
            at, hashes = batch.times[entries.event[live]], entries.hash[live].astype(np.uint32)
            sidecars.put_slots(accounts, slots[place], rows, row, at, hashes, entries.value[live].astype(np.float32))
    distinct = [sidecar.name for sidecar in accounts.layout.sidecars if sidecar.kind == "few"]
    for place, entries in batch.said.distinct.items():
        live, row = _live(group, entries.event)
        if len(live):
            hashes = (entries.hash[live] >> np.uint64(48)).astype(np.uint32)
            days = day_of(batch.times[entries.event[live]]).astype(np.uint32)
            sidecars.put_distinct(accounts, distinct[place], rows, row, hashes, days)


def _set_texts(accounts: Accounts, touched: Ints, batch: Batch, group: _Group) -> None:
    if batch.said.texts:
        live, row = _live(group, np.array([event for event, _ in batch.said.texts], np.int64))
        for i, place in zip(live.tolist(), row.tolist(), strict=True):
            event, found = batch.said.texts[i]
            number = int(touched[place])
            accounts.texts[number] = joined_texts(accounts.texts[number], found, float(batch.times[event]))
