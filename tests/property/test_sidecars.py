"""Wide columns hold the same whatever the order and the batches of their entries: what plain Python says they hold."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from streams.scoring import sidecars
from streams.scoring.columns import Accounts
from streams.scoring.compile import compile_model
from streams.scoring.distinct import cell_of
from streams.scoring.instants import EPOCH
from streams.scoring.layout import CELLS, FEW

LAYOUT = compile_model(load(DEFAULT)).layout
SLOTS = next(sidecar for sidecar in LAYOUT.sidecars if sidecar.kind == "slots")
NOW = EPOCH + 1_000_000_000.0
OWNERS = 3
quick = settings(max_examples=60, deadline=None)


def batches(entry: st.SearchStrategy[tuple[int, int, int]]) -> st.SearchStrategy[list[list[tuple[int, int, int]]]]:
    """Entries (owner, hash, something), in batches."""
    return st.lists(st.lists(st.tuples(st.integers(0, OWNERS - 1), entry).map(lambda e: (e[0], *e[1])), max_size=80))


def columns(batch: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    return [np.array(column, np.int64) for column in zip(*sorted(batch, key=lambda e: e[0]), strict=True)]


def fresh() -> tuple[Accounts, np.ndarray]:
    accounts = Accounts(LAYOUT, 1)
    return accounts, np.zeros(OWNERS, LAYOUT.dtype)


@given(batches(st.tuples(st.integers(1, 200), st.integers(0, 20 * 86_400))))
@quick
def test_the_newest_ids_of_the_last_days_are_remembered(found: list[list[tuple[int, int, int]]]) -> None:
    accounts, rows = fresh()
    seen: list[set[tuple[int, int]]] = [set() for _ in range(OWNERS)]
    for batch in filter(None, found):
        new = [e for i, e in enumerate(batch) if e not in batch[:i] and (e[2], e[1]) not in seen[e[0]]]
        if not new:
            continue
        owner, ids, ago = columns(new)
        for o, i, a in new:
            seen[o].add((a, i))
        np.maximum.at(rows["as_of"], owner, NOW - ago)
        sidecars.remember(accounts, rows, owner, NOW - ago, ids.astype(np.uint32))

    for owner in range(OWNERS):
        newest = min((a for a, _ in seen[owner]), default=0)
        expected = sorted((-a, i) for a, i in seen[owner] if a <= newest + sidecars.KEPT)[-LAYOUT.recent :]
        place = np.full(len(expected), owner)
        ids = np.array([i for _, i in expected], np.uint32)
        assert sidecars.known(accounts, rows, place, ids).all()
        held = np.concatenate(
            [accounts.blocks(accounts.places[name], rows[[owner]])[name].ravel() for name in ("recent", "recent_rest")]
        )
        assert np.count_nonzero(held) == len(set(expected))


@given(batches(st.tuples(st.integers(1, 12), st.integers(1, 50))))
@quick
def test_slots_hold_the_latest_of_each_hash_and_the_newest_of_all(found: list[list[tuple[int, int, int]]]) -> None:
    accounts, rows = fresh()
    latest: list[dict[int, tuple[int, int]]] = [{} for _ in range(OWNERS)]
    for batch in filter(None, found):
        owner, hashes, at = columns(batch)
        values = (hashes * at % 7).astype(np.float32)
        sidecars.put_slots(accounts, SLOTS, rows, owner, at.astype(np.float64), hashes.astype(np.uint32), values)
        for o, h, t in batch:
            latest[o][h] = max(latest[o].get(h, (0, 0)), (t, h * t % 7))

    for owner in range(OWNERS):
        expected = sorted((t, h, v) for h, (t, v) in latest[owner].items())[-SLOTS.size :]
        block = accounts.blocks(accounts.places[SLOTS.name], rows[[owner]])[0]
        parts = zip(*(block[f"{SLOTS.name}.{part}"].tolist() for part in ("at", "hash", "value")), strict=True)
        assert sorted(part for part in parts if part[0]) == expected


@given(batches(st.tuples(st.integers(0, 40), st.integers(1, 60))))
@quick
def test_different_values_are_listed_while_few_and_marked_in_cells_beyond(
    found: list[list[tuple[int, int, int]]],
) -> None:
    accounts, rows = fresh()
    name = next(sidecar.name for sidecar in LAYOUT.sidecars if sidecar.kind == "few")
    last: list[dict[int, int]] = [{} for _ in range(OWNERS)]
    for batch in filter(None, found):
        owner, hashes, days = columns([(o, h * 1_601, d) for o, h, d in batch])
        sidecars.put_distinct(accounts, name, rows, owner, hashes.astype(np.uint32), days.astype(np.uint32))
        for o, h, d in batch:
            last[o][h * 1_601] = max(last[o].get(h * 1_601, 0), d)

    for owner in range(OWNERS):
        few, many = (
            accounts.blocks(accounts.places[f"{name}.{k}"], rows[[owner]])[f"{name}.{k}"][0] for k in ("few", "many")
        )
        if len(last[owner]) <= FEW:
            assert sorted(few[few > 0].tolist()) == sorted(h << 16 | d for h, d in last[owner].items())
            assert not many.any()
        else:
            cells = np.zeros(CELLS, np.uint16)
            np.maximum.at(cells, cell_of(np.array(list(last[owner]), np.uint32)), list(last[owner].values()))
            assert not few.any()
            assert many.tolist() == cells.tolist()


@given(
    batches(st.tuples(st.integers(0, 40), st.integers(1, 60))),
    batches(st.tuples(st.integers(0, 40), st.integers(1, 60))),
)
@quick
def test_united_sidecars_are_those_of_both_histories(
    one: list[list[tuple[int, int, int]]], two: list[list[tuple[int, int, int]]]
) -> None:
    accounts, rows = fresh()
    others, both = rows.copy(), rows.copy()
    for target, found in ((rows, one), (others, two), (both, [*one, *two])):
        for batch in filter(None, found):
            owner, hashes, at = columns(batch)
            days, ids = at.astype(np.uint32), hashes.astype(np.uint32)
            np.maximum.at(target["as_of"], owner, EPOCH + at * 86_400)
            sidecars.put_distinct(accounts, "active_users", target, owner, ids, days)
            sidecars.put_slots(accounts, SLOTS, target, owner, at.astype(np.float64), ids, at.astype(np.float32))

    rows["as_of"] = np.maximum(rows["as_of"], others["as_of"])
    sidecars.unite(accounts, rows, others)

    for place, sidecar in enumerate(LAYOUT.sidecars):
        for field in sidecar.dtype.names or ():
            left, right = (np.sort(accounts.blocks(place, of)[field].reshape(OWNERS, -1)) for of in (rows, both))
            np.testing.assert_array_equal(left, right, err_msg=field)
