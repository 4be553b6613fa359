"""The merges that rows consist of, each commutative and associative with the empty value as identity.

So the columns after the same events are the same in any order, any batch split and after any crash (law A)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.scoring.layout import DAYS, DECISIONS, Layout
from streams.scoring.packing import Rows

Floats = NDArray[np.float64]


def merge(layout: Layout, a: Rows, b: Rows) -> Rows:
    """Rows a and b describe the same accounts from different events.  Sidecars are merged apart; decisions stay a's."""
    out = a.copy()
    out["as_of"] = as_of = np.maximum(a["as_of"], b["as_of"])
    out["sums"] = a["sums"] * layout.decay(as_of - a["as_of"]) + b["sums"] * layout.decay(as_of - b["as_of"])
    for value, at in (("gauge", "gauge_at"), ("category", "category_at")):
        some = np.flatnonzero(b[at].any(axis=1))  # most batches set few gauges
        if len(some):
            out[value][some] = later(a[value][some], a[at][some], b[value][some], b[at][some])
            out[at][some] = np.maximum(a[at][some], b[at][some])
    out["first"] = earliest(a["first"], b["first"])
    out["latest"] = np.maximum(a["latest"], b["latest"])
    out["day_last"] = np.maximum(a["day_last"], b["day_last"])
    out["day_bits"] = _shifted(a, out) | _shifted(b, out)
    out["offsets"] = np.maximum(a["offsets"], b["offsets"])
    return out


def earliest(a: Floats, b: Floats) -> Floats:
    """Element-wise minimum in which 0 means never."""
    return np.where((a == 0) | ((b != 0) & (b < a)), b, a)


def later(a: NDArray[Any], a_at: Floats, b: NDArray[Any], b_at: Floats) -> NDArray[Any]:
    """Element-wise the value with the later instant; on a tie the larger value."""
    return np.where((b_at > a_at) | ((b_at == a_at) & (b > a)), b, a)


def _shifted(rows: Rows, to: Rows) -> NDArray[np.uint64]:
    """The days of `rows` counted back from the newer last day of `to`: bit i is the day i days before it."""
    return older(rows["day_bits"], to["day_last"].astype(np.int64) - rows["day_last"].astype(np.int64))


def older(bits: NDArray[np.uint64], days: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Bitmaps of days seen from `days` (>= 0) later; what is older than the bitmap is long is forgotten."""
    return np.where(days < DAYS, bits << np.minimum(days, DAYS - 1).astype(np.uint64), np.uint64(0))


def union_recent(blocks: NDArray[np.uint64], more: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n, N) and (n, m) entries `time << 32 | hash` -> the N greatest of each row, in no order; 0 is no entry."""
    joined = np.concatenate([blocks, more], axis=1)
    cut = more.shape[1]
    joined.partition(cut, axis=1)
    return joined[:, cut:]


def union_slots(
    blocks: Rows, name: str, row: NDArray[np.int64], at: Floats, hashes: NDArray[np.uint32], values: Floats
) -> int:
    """Put entries (row, at, hash, value) into the slots of `blocks`, in place: the later instant wins a hash (on a tie
    the larger value), the newest entries stay.  Returns how many found no place."""
    size = blocks[f"{name}.at"].shape[1]
    n = len(blocks)
    rows = np.concatenate([np.repeat(np.arange(n), size), row])
    when = np.concatenate([blocks[f"{name}.at"].ravel(), at])
    key = np.concatenate([blocks[f"{name}.hash"].ravel(), hashes])
    value = np.concatenate([blocks[f"{name}.value"].ravel(), values.astype(np.float32)])
    order = np.lexsort((value, when, key, rows))[::-1]  # the winner of each (row, hash) comes first
    order = order[when[order] > 0]
    same = (rows[order][1:] == rows[order][:-1]) & (key[order][1:] == key[order][:-1])
    order = order[np.concatenate([[True], ~same])] if len(order) else order
    order = order[np.lexsort((-key[order].astype(np.int64), -when[order], rows[order]))]
    starts = np.searchsorted(rows[order], np.arange(n))
    rank = np.arange(len(order)) - starts[rows[order]]
    kept = order[rank < size]
    place = rows[kept], rank[rank < size]
    for field, column in ((".at", when), (".hash", key), (".value", value)):
        blocks[name + field] = 0
        blocks[name + field][place] = column[kept]
    return len(order) - len(kept)


def merge_sidecar(kind: str, name: str, a: Rows, b: Rows) -> Rows:
    """Blocks (n,) of one sidecar of the same accounts -> their merge."""
    out = a.copy()
    if kind == "recent":
        out[name] = union_recent(a[name], b[name])
    elif kind == "slots":
        row = np.repeat(np.arange(len(b)), b[f"{name}.at"].shape[1])
        union_slots(out, name, row, b[f"{name}.at"].ravel(), b[f"{name}.hash"].ravel(), b[f"{name}.value"].ravel())
    else:
        out[name] = np.maximum(a[name], b[name])
    return out


__all__ = ["DECISIONS", "earliest", "later", "merge", "merge_sidecar", "older", "union_recent", "union_slots"]
