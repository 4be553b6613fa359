"""Entries into the wide columns of gathered rows: ids seen lately, slots, and different values.

Each is a merge: the same entries give the same blocks in any order and any batches.  Entries go in by waves, in each
of which no account occurs twice."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streams.scoring.batch import Flags, Floats, Ints
from streams.scoring.columns import Accounts
from streams.scoring.distinct import cell_of
from streams.scoring.instants import EPOCH
from streams.scoring.layout import RECENT, RECENT_REST, Sidecar
from streams.scoring.store import Rows, starts_of

KEPT = 7 * 86_400
"""Seconds before an account's newest event for which ids are remembered."""
HASH = np.uint64(32)
DAY_BITS = np.uint32(16)


def unite(accounts: Accounts, rows: Rows, others: Rows) -> None:
    """Enter what the sidecars of `others` hold into those of `rows`, account by account."""
    for place, sidecar in enumerate(accounts.layout.sidecars):
        blocks = accounts.blocks(place, others)
        match sidecar.kind:
            case "recent":
                owner, column = np.nonzero(blocks[sidecar.name])
                found = blocks[sidecar.name][owner, column]
                remember(accounts, rows, owner, (found >> HASH).astype(np.float64) + EPOCH, found.astype(np.uint32))
            case "slots":
                owner, column = np.nonzero(blocks[f"{sidecar.name}.at"])
                parts = (blocks[f"{sidecar.name}.{part}"][owner, column] for part in ("at", "hash", "value"))
                put_slots(accounts, sidecar, rows, owner, *parts)
            case "few":
                owner, column = np.nonzero(blocks[sidecar.key])
                found = blocks[sidecar.key][owner, column]
                put_distinct(accounts, sidecar.name, rows, owner, found >> DAY_BITS, found & np.uint32(0xFFFF))
            case "many":
                some = others["sidecar"][:, place].nonzero()[0]
                _to_many(accounts, sidecar.name, rows, some)
                block = rows["sidecar"][some, place]
                mine = accounts.pools[place].rows[sidecar.key]
                mine[block] = np.maximum(mine[block], blocks[sidecar.key][some])


# ---- recent ids: the N greatest `time << 32 | hash` of the last days; a busy account's spill over into a second block


def known(accounts: Accounts, rows: Rows, place: Ints, ids: NDArray[np.uint32]) -> Flags:
    """Which of the ids, each of the account rows[place], its account has seen lately."""
    found = np.zeros(len(ids), bool)
    for name in (RECENT, RECENT_REST):
        sidecar = accounts.places.get(name)
        if sidecar is not None:
            block = rows["sidecar"][place, sidecar]
            some = block.nonzero()[0]
            if len(some):
                entries = accounts.pools[sidecar].rows[name].take(block[some], axis=0)
                seen = entries.view(np.uint32)[:, ::2]  # the lower halves
                found[some] |= (seen == ids[some, None]).any(axis=1)
    return found


def remember(accounts: Accounts, rows: Rows, owner: Ints, times: Floats, ids: NDArray[np.uint32]) -> None:
    """The ids of new events of rows[owner]; owners ascend."""
    cut = np.maximum(rows["as_of"] - EPOCH - KEPT, 1.0).astype(np.uint64) << HASH
    entries = ((times - EPOCH).astype(np.uint64) << HASH) | ids
    late = entries < cut[owner]
    if late.any():
        owner, entries = owner[~late], entries[~late]
    size = accounts.layout.recent
    rank = _ranks(owner)
    if rank.max(initial=0) >= size:  # only the newest can stay anyway
        order = np.lexsort((~entries, owner))
        owner, entries = owner[order], entries[order]
        rank = _ranks(owner)
        owner, entries = owner[rank < size], entries[rank < size]
    for some in _waves(owner):
        mine = owner[some]
        spilled = _enter(accounts, RECENT, rows, mine, entries[some], cut[mine])
        place = accounts.places.get(RECENT_REST)
        if place is None:
            continue
        over = spilled.nonzero()[0]
        if len(over):
            _enter(accounts, RECENT_REST, rows, mine[over], spilled[over], cut[mine[over]])
        if rows["sidecar"][mine, place].any():  # where the first block had room, the second holds only what is too old
            accounts.release(place, rows, mine[(spilled == 0) & (rows["sidecar"][mine, place] > 0)])


def _enter(
    accounts: Accounts, name: str, rows: Rows, owner: Ints, entries: NDArray[np.uint64], cut: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Put one entry into the block of each owner -> what had to make room for it, 0 where nothing."""
    block = accounts.claim(accounts.places[name], rows, owner)
    column = accounts.pools[accounts.places[name]].rows[name]
    found = column.take(block, axis=0)
    found[found < cut[:, None]] = 0
    at, least = np.arange(len(block)), found.argmin(axis=1)
    low = found[at, least]
    found[at, least] = np.maximum(low, entries)
    column[block] = found
    spilled: NDArray[np.uint64] = np.minimum(low, entries)
    return spilled


# ---- slots: the latest value of each hash, the newest entries stay


def put_slots(
    accounts: Accounts,
    sidecar: Sidecar,
    rows: Rows,
    owner: Ints,
    at: Floats,
    hashes: NDArray[np.uint32],
    values: NDArray[np.float32],
) -> None:
    """Entries of rows[owner]: the later instant wins a hash, on a tie the larger value; of equally old entries the one
    with the larger hash stays.  What finds no place is counted in `accounts.overflowed`."""
    order = np.lexsort((values, at, hashes, owner))
    owner, at, hashes, values = owner[order], at[order], hashes[order], values[order]
    if not starts_of(owner).all():
        last = np.roll(starts_of(owner) | starts_of(hashes), -1)  # of each (owner, hash)
        order = last.nonzero()[0]
        order = order[np.lexsort((~hashes[order], -at[order], owner[order]))]
        kept = _ranks(owner[order]) < sidecar.size  # only the newest can stay anyway
        accounts.overflowed += len(kept) - int(np.count_nonzero(kept))
        order = order[kept]
        owner, at, hashes, values = owner[order], at[order], hashes[order], values[order]
    place = accounts.places[sidecar.name]
    for some in _waves(owner):
        block = accounts.claim(place, rows, owner[some])
        found = accounts.pools[place].get(block)
        accounts.overflowed += _settle(found, sidecar.name, at[some], hashes[some], values[some])
        accounts.pools[place].put(block, found)


def _settle(found: Rows, name: str, at: Floats, hashes: NDArray[np.uint32], values: NDArray[np.float32]) -> int:
    """Put one entry into each block, in place -> how many were lost."""
    ats, keys, kept = (found[f"{name}.{part}"] for part in ("at", "hash", "value"))
    each = np.arange(len(found))
    same = (keys == hashes[:, None]) & (ats > 0)
    hit = same.any(axis=1)
    oldest = ats == ats.min(axis=1)[:, None]
    place = np.where(hit, same.argmax(axis=1), np.where(oldest, keys, np.uint32(0xFFFFFFFF)).argmin(axis=1))
    old_at = ats[each, place]
    tie = np.where(hit, values > kept[each, place], hashes > keys[each, place])
    wins = ((at > old_at) | ((at == old_at) & tie)).nonzero()[0]
    ats[wins, place[wins]], keys[wins, place[wins]], kept[wins, place[wins]] = at[wins], hashes[wins], values[wins]
    return int((~hit & (old_at > 0)).sum())


# ---- different values: exactly while they are few, then by the last day of each cell


def put_distinct(
    accounts: Accounts, name: str, rows: Rows, owner: Ints, hashes: NDArray[np.uint32], days: NDArray[np.uint32]
) -> None:
    """Values of rows[owner], as 16-bit hashes, each seen on a day."""
    key = (owner.astype(np.uint64) << HASH) | (hashes.astype(np.uint64) << np.uint64(16)) | days.astype(np.uint64)
    key.sort()
    key = key[np.roll(starts_of(key >> np.uint64(16)), -1)]  # the last day of each (owner, hash)
    owner, entries = (key >> HASH).astype(np.int64), key.astype(np.uint32)
    many = accounts.places[f"{name}.many"]
    full = rows["sidecar"][:, many] > 0
    few = (~full[owner]).nonzero()[0]
    for wave in _waves(owner[few]):
        some = few[wave]
        some = some[~full[owner[some]]]
        found_no_room = _insert(accounts, name, rows, owner[some], entries[some])
        full[found_no_room] = True
    grown = (full & (rows["sidecar"][:, many] == 0)).nonzero()[0]
    if len(grown):
        _to_many(accounts, name, rows, grown)
    if full.any():
        some = full[owner].nonzero()[0]
        block = rows["sidecar"][owner[some], many]
        cells = accounts.pools[many].rows[f"{name}.many"]
        np.maximum.at(cells, (block, cell_of(entries[some] >> DAY_BITS)), entries[some].astype(np.uint16))


def _insert(accounts: Accounts, name: str, rows: Rows, owner: Ints, entries: NDArray[np.uint32]) -> Ints:
    """Put one entry into the list of each owner -> the owners whose list is full of others."""
    place = accounts.places[f"{name}.few"]
    block = accounts.claim(place, rows, owner)
    column = accounts.pools[place].rows[f"{name}.few"]
    found = column.take(block, axis=0)
    empty = found == 0
    same = ((found >> DAY_BITS) == (entries >> DAY_BITS)[:, None]) & ~empty
    hit = same.any(axis=1)
    where = np.where(hit, same.argmax(axis=1), empty.argmax(axis=1))
    fits = hit | empty[:, -1]  # filled from the front
    room = fits.nonzero()[0]
    column[block[room], where[room]] = np.maximum(found[room, where[room]], entries[room])
    full: Ints = owner[~fits]
    return full


def _to_many(accounts: Accounts, name: str, rows: Rows, owner: Ints) -> None:
    """From the list to the cells."""
    few, many = accounts.places[f"{name}.few"], accounts.places[f"{name}.many"]
    block = accounts.claim(many, rows, owner)
    found = accounts.pools[few].rows[f"{name}.few"].take(rows["sidecar"][owner, few], axis=0)
    row, column = np.nonzero(found)
    cells = accounts.pools[many].rows[f"{name}.many"]
    entries = found[row, column]
    np.maximum.at(cells, (block[row], cell_of(entries >> DAY_BITS)), entries.astype(np.uint16))
    accounts.release(few, rows, owner)


def _ranks(owner: Ints) -> Ints:
    """Ascending owners -> 0, 1, 2 ... within each."""
    each = np.arange(len(owner))
    first = starts_of(owner)
    return each - np.maximum.accumulate(np.where(first, each, 0))


def _waves(owner: Ints) -> Iterator[Ints]:
    """Positions of the first entry of each of the ascending owners, then of the second, and so on."""
    first = starts_of(owner)
    if first.all():
        if len(owner):
            yield np.arange(len(owner))
        return
    rank = _ranks(owner)
    for wave in range(int(rank.max()) + 1):
        yield (rank == wave).nonzero()[0]
