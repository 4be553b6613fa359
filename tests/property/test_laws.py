"""The columns are nothing but merges: order, batching, replays, packing and recovery never change them (law A)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from streams.scoring import sidecars
from streams.scoring.engine import Engine
from streams.scoring.layout import DECISIONS
from streams.scoring.merge import merge
from streams.scoring.packing import pack, unpack
from streams.scoring.store import Rows
from streams.scoring.texts import merged_texts, read_texts
from tests.histories import ACCOUNTS, START, Event, cuts_of, engine, feed, histories, of_one, row_of
from tests.reference import Happening

CARD = load(DEFAULT)
LAYOUT = engine(CARD).model.layout
MERGED = [
    name
    for name in LAYOUT.dtype.names or ()
    if name
    not in (
        *DECISIONS,
        "sidecar",
        "offsets",
        "generation",
        "revision",
        "partition",
        "spare",
    )
]
pairs = histories.flatmap(lambda events: st.tuples(st.just(events), st.permutations(events)))
cut_histories = histories.flatmap(lambda events: st.tuples(st.just(events), cuts_of(events)))
quick = settings(max_examples=30, deadline=None)


def whole(of: Engine, account: str) -> dict[str, Any]:
    """Every merged value of an account, its sidecars in a canonical order, its texts."""
    row = of.accounts.get(of.accounts.find([account.encode()]))
    out: dict[str, Any] = {name: row[name][0] for name in MERGED} | wide(of, row)
    out["texts"] = read_texts(of.accounts.texts_of(of.accounts.find([account.encode()]))[0])
    return out


def wide(of: Engine, row: Rows) -> dict[str, Any]:
    """The sidecars of one row, their entries in a canonical order."""
    out: dict[str, Any] = {}
    for place, sidecar in enumerate(LAYOUT.sidecars):
        block = of.accounts.blocks(place, row)[0]
        if sidecar.kind == "slots":
            parts = zip(*(block[f"{sidecar.name}.{part}"].tolist() for part in ("at", "hash", "value")), strict=True)
            out[sidecar.name] = np.array(sorted(parts))
        elif sidecar.kind == "recent":
            out["recent"] = np.sort(np.concatenate([out.get("recent", np.zeros(0, "<u8")), block[sidecar.key]]))
        elif sidecar.kind in {"few", "many"}:
            out[sidecar.key] = np.sort(block[sidecar.key]) if sidecar.kind == "few" else block[sidecar.key]
    return out


def assert_same(a: Engine, b: Engine, *more: str) -> None:
    assert len(a.accounts) == len(b.accounts)
    for account in ACCOUNTS:
        if a.accounts.find([account.encode()])[0] >= 0:
            one, other = whole(a, account), whole(b, account)
            assert one.pop("texts") == other.pop("texts")
            for name in [*one, *more]:
                left, right = (
                    (one[name], other[name]) if name in one else (row_of(a, account)[name], row_of(b, account)[name])
                )
                np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-250, err_msg=f"{account} {name}")


def fed(events: Sequence[Event], cuts: Sequence[int] = ()) -> Engine:
    out = engine(CARD)
    feed(out, events, cuts)
    return out


@given(pairs)
@quick
def test_order_of_arrival_never_changes_the_columns(pair: tuple[list[Event], list[Event]]) -> None:
    in_order, shuffled = pair

    assert_same(fed(in_order), fed(shuffled))


@given(cut_histories)
@quick
def test_where_polls_are_cut_never_changes_the_columns(case: tuple[list[Event], list[int]]) -> None:
    events, cuts = case

    assert_same(fed(events), fed(events, cuts), "offsets")


@given(histories.flatmap(lambda events: st.tuples(st.just(events), st.integers(0, len(events)), cuts_of(events))))
@quick
def test_a_replay_after_a_crash_applies_nothing_twice(case: tuple[list[Event], int, list[int]]) -> None:
    events, crash, cuts = case
    crashed = fed(events[:crash], [c for c in cuts if c <= crash])

    feed(crashed, events, cuts)

    assert_same(fed(events), crashed, "offsets")


@given(
    histories.flatmap(
        lambda events: st.tuples(
            st.just(events), st.lists(st.sampled_from(events), max_size=8) if events else st.just([])
        )
    )
)
@quick
def test_an_id_seen_again_among_the_newest_counts_once(case: tuple[list[Event], list[Event]]) -> None:
    events, again = case

    assert_same(fed(events), fed([*events, *again]))


@given(histories, histories, histories)
@quick
def test_merge_is_commutative_associative_and_has_an_identity(
    one: list[Event], two: list[Event], three: list[Event]
) -> None:
    a, b, c = (of_one_account(events) for events in (one, two, three))
    empty = np.zeros(1, LAYOUT.dtype)

    for left, right in (
        (joined(a, b), joined(b, a)),
        (joined(joined(a, b), c), joined(a, joined(b, c))),
        (joined(a, empty), a),
    ):
        for name in MERGED:
            np.testing.assert_allclose(left[name], right[name], rtol=1e-9, atol=1e-250, err_msg=name)


def of_one_account(events: Sequence[Event]) -> Rows:
    found = fed(of_one(ACCOUNTS[0], events))
    return found.accounts.rows[:1].copy()


def joined(a: Rows, b: Rows) -> Rows:
    return merge(LAYOUT, a, b)


@given(histories, histories)
@quick
def test_merging_two_accounts_equals_having_been_one(mine: list[Event], theirs: list[Event]) -> None:
    """Columns, sidecars and texts of both histories merged, against one account that lived both."""
    theirs = [event._replace(id=f"other-{event.id}") for event in theirs]
    apart = fed([*of_one("acme", mine), *of_one("globex", theirs)])
    together = fed(of_one("acme", [*mine, *theirs]))
    if not mine or not theirs:
        return
    a, b = (apart.accounts.get(apart.accounts.find([name])) for name in (b"acme", b"globex"))
    merged, expected = merge(LAYOUT, a, b), whole(together, "acme")
    sidecars.unite(apart.accounts, merged, b)

    for name in MERGED:
        np.testing.assert_allclose(merged[name][0], expected[name], rtol=1e-9, atol=1e-250, err_msg=name)
    for name, found in wide(apart, merged).items():
        np.testing.assert_array_equal(found, expected[name], err_msg=name)
    texts = [read_texts(text) for text in apart.accounts.texts_of(apart.accounts.find([b"acme", b"globex"]))]
    assert merged_texts(*texts) == expected["texts"]


@given(histories)
@quick
def test_packed_rows_come_back_byte_for_byte(events: list[Event]) -> None:
    found = fed(events)
    at = found.accounts.occupied(0, found.accounts.size)
    rows, texts = found.accounts.gathered(at), found.accounts.texts_of(at)

    again, texts_again = unpack(LAYOUT, {}, pack(LAYOUT, rows, texts))

    assert again.tobytes() == rows.tobytes()
    assert texts_again == texts


@given(cut_histories)
@quick
def test_accounts_recover_from_their_changelog_and_late_writes_of_a_former_owner_never_win(
    case: tuple[list[Event], list[int]],
) -> None:
    events, cuts = case
    living, log = engine(CARD), list[tuple[int, bytes, bytes]]()
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), len(events)], strict=True):
        for decision in feed(living, events[:stop], [start]):
            log.append((decision.partition, decision.key, decision.row))
        log += [
            (partition, key, value) for partition, rows in living.accounts.take_dirty().items() for key, value in rows
        ]
    recovered = engine(CARD)

    for part in (log, log[:1]):
        for partition, key, value in part:
            recovered.accounts.apply(partition, [key], [value])
    in_bulk = engine(CARD)
    for partition in range(3):
        mine = [(key, value) for p, key, value in log if p == partition]
        in_bulk.accounts.apply(partition, [k for k, _ in mine], [v for _, v in mine])

    for other in (recovered, in_bulk):
        assert_same(living, other, *(name for name in LAYOUT.dtype.names or () if name not in ("sidecar", "spare")))


def test_rows_below_the_floor_belong_to_a_former_owner_and_are_ignored() -> None:
    living = engine(CARD)
    events = [Event("acme", what, f"e{i}") for i, what in enumerate(_usage(3))]
    values = []
    for generation, stop in ((5, 1), (9, 2), (5, 3)):
        living.accounts.generation[:] = generation
        feed(living, events[:stop], [stop - 1])
        values.append(living.accounts.take(living.accounts.find([b"acme"]))[0])
    recovered = engine(CARD)
    partition = int(row_of(living, "acme")["partition"])

    assert recovered.accounts.apply(partition, [b"acme"] * 3, values, floor=9) == [False, True, False]
    assert row_of(recovered, "acme")["generation"] == 9


def test_a_tombstone_forgets_an_account_and_frees_its_row_for_another() -> None:
    living = fed([Event("acme", what, f"e{i}") for i, what in enumerate(_usage(3))])
    value = living.accounts.take(living.accounts.find([b"acme"]))[0]
    partition = int(row_of(living, "acme")["partition"])

    living.accounts.apply(partition, [b"acme", b"other"], [None, value])

    assert living.accounts.find([b"acme", b"other"]).tolist() == [-1, 0]
    assert living.accounts.size == 1


def test_discarding_a_partition_forgets_just_its_accounts() -> None:
    living = fed([Event(account, what, f"{account}{i}") for account in ACCOUNTS for i, what in enumerate(_usage(2))])
    gone = int(row_of(living, ACCOUNTS[0])["partition"])
    kept = {a for a in ACCOUNTS if int(row_of(living, a)["partition"]) != gone}

    living.accounts.discard(gone)

    assert {a for a in ACCOUNTS if living.accounts.find([a.encode()])[0] >= 0} == kept
    assert living.accounts.count(gone) == 0


def _usage(n: int) -> list[Happening]:
    return [Happening("usage.tracked", START + i * 3600.0, {"name": "x", "user": "dana"}) for i in range(n)]


def test_a_row_of_an_older_layout_is_moved_by_name() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    changed = text.replace("  failed_28d:\n    half_life: 28d", "  failed_28d:\n    half_life: 14d", 1)
    old, new = fed([Event("acme", what, f"e{i}") for i, what in enumerate(_usage(9))]), engine(load(changed))
    key, layout = old.accounts.layout_record()
    value = old.accounts.take(old.accounts.find([b"acme"]))[0]

    new.accounts.learn(key, layout)
    new.accounts.apply(int(row_of(old, "acme")["partition"]), [b"acme"], [value])

    before, after = row_of(old, "acme"), row_of(new, "acme")
    assert after["sums"][:3] == pytest.approx(before["sums"][:3])
    assert after["offsets"].tolist() == before["offsets"].tolist()
    assert whole(old, "acme")["active_users.few"].tolist() == whole(new, "acme")["active_users.few"].tolist()


def test_a_stage_that_moved_in_the_scorecard_keeps_its_accounts() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    more = text.replace(
        "  - {name: engagement,", "  - {name: curiosity, when: [{reached: champion_left}]}\n  - {name: engagement,", 1
    )
    old, new = fed([Event("acme", what, f"e{i}") for i, what in enumerate(_usage(9))]), engine(load(more))
    key, layout = old.accounts.layout_record()

    new.accounts.learn(key, layout)
    value = old.accounts.take(old.accounts.find([b"acme"]))[0]
    new.accounts.apply(int(row_of(old, "acme")["partition"]), [b"acme"], [value])

    before, after = row_of(old, "acme"), row_of(new, "acme")
    assert new.model.stages[after["stage"]] == old.model.stages[before["stage"]] == "engagement"
    assert new.model.stages[after["told_stage"]] == "engagement"
