"""The merges that rows consist of, each commutative and associative with the empty value as identity.

So the columns after the same events are the same in any order, any batch split and after any crash (law A)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.scoring.layout import DAYS, Layout
from streams.scoring.store import Rows, copied

Floats = NDArray[np.float64]


def merge(layout: Layout, a: Rows, b: Rows) -> Rows:
    """Rows a and b describe the same accounts from different events.  Sidecars are merged apart; decisions stay a's."""
    out = copied(a)
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


def earliest(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.uint32]:
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
