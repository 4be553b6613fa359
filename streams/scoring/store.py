"""Growing arrays of fixed-size records, moved as whole blocks of bytes: NumPy would copy a structured record field by
field, at twenty times the cost."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Store:
    """Records of one structured type; those never written are zero."""

    def __init__(self, dtype: np.dtype[np.void], size: int = 64) -> None:
        self._raw = np.zeros(size, f"V{dtype.itemsize}")
        self.rows: Rows = self._raw.view(dtype)
        """All of them, in place: `rows[column]` reads and writes one column."""

    def get(self, at: Positions) -> Rows:
        """A copy of the records `at`."""
        return cast("Rows", self._raw.take(at).view(self.rows.dtype))

    def put(self, at: Positions, rows: Rows) -> None:
        """Write records that `get` or `picked` gave."""
        self._raw[at] = rows.view(self._raw.dtype)

    def put_words(self, at: Positions, found: NDArray[np.uint64]) -> None:
        """Write records given as (n, words)."""
        self._raw.view("<u8").reshape(len(self._raw), -1)[at] = found

    def clear(self, at: Positions) -> None:
        """Records of zeros."""
        self._raw[at] = np.zeros(1, self._raw.dtype)

    def reach(self, size: int) -> None:
        """Have at least `size` records.  Growing fourfold copies little, and what is never written takes no memory."""
        if size > len(self._raw):
            out = np.zeros(max(size, 4 * len(self._raw)), self._raw.dtype)
            out[: len(self._raw)] = self._raw
            self._raw, self.rows = out, out.view(self.rows.dtype)


def picked(rows: Rows, at: Any) -> Rows:
    """Some of these records, copied."""
    return cast("Rows", rows.view(f"V{rows.dtype.itemsize}")[at].view(rows.dtype))


def copied(rows: Rows) -> Rows:
    """All of these records, copied."""
    return cast("Rows", rows.view(f"V{rows.dtype.itemsize}").copy().view(rows.dtype))


def words(rows: Rows) -> NDArray[np.uint64]:
    """(n, words) the same records as eight-byte words, in place."""
    return rows.view("<u8").reshape(len(rows), rows.dtype.itemsize // 8)


def starts_of(column: NDArray[Any]) -> Flags:
    """Where each run of equal values begins."""
    first = np.ones(len(column), bool)
    np.not_equal(column[1:], column[:-1], out=first[1:])
    return first
