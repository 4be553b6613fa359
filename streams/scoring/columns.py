"""All accounts of a worker as columns: one row each, a dict from key to row, the partition a column.

An all-zero row is an account of which nothing is known.  Instants are epoch seconds; 0 means never."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from streams.scoring.layout import Layout
from streams.scoring.packing import Rows, pack, unpack

Positions = NDArray[np.int64]
LAYOUT_KEY = b"\0layout:"


Kind = TypeVar("Kind", bound=np.generic)


class Pool:
    """Blocks of one sidecar.  Block 0 stays zero: it is what an account without data has."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.blocks: Rows = np.zeros(64, dtype)
        self._used, self._free = 1, list[int]()

    def allocate(self, n: int) -> Positions:
        """Numbers of `n` zero blocks."""
        again, self._free = self._free[:n], self._free[n:]
        start, self._used = self._used, self._used + n - len(again)
        self.blocks = grown(self.blocks, self._used)
        return np.array([*again, *range(start, self._used)], np.int64)

    def release(self, at: Positions) -> None:
        """Take blocks back, zeroed; 0 is ignored."""
        at = at[at > 0]
        self.blocks[at] = np.zeros(1, self.blocks.dtype)
        self._free += at.tolist()


def grown(array: NDArray[Kind], size: int) -> NDArray[Kind]:
    """`array`, or a zero-ended copy of at least `size` rows and twice as many as before."""
    if size <= len(array):
        return array
    out = np.zeros(max(size, 2 * len(array)), array.dtype)
    out[: len(array)] = array
    return out


class Accounts:
    """The rows of every partition that this worker owns."""

    def __init__(self, layout: Layout, partitions: int) -> None:
        self.layout, self.partitions = layout, partitions
        self.generation = np.zeros(partitions, np.int64)
        self.rows: Rows = np.zeros(1024, layout.dtype)
        self.pools = [Pool(np.dtype(sidecar.fields)) for sidecar in layout.sidecars]
        self.texts: dict[int, bytes] = {}
        self.keys: list[bytes | None] = []
        self._index: dict[bytes, int] = {}
        self._free: list[int] = []
        self._dirty = np.zeros(1024, bool)
        self._layouts = {layout.fingerprint: layout}
        self.overflowed = 0
        """Slot entries that found no place."""
        self._kept = [
            name for name in layout.packed_dtype.names or () if name in (layout.dtype.names or ()) and name != "spare"
        ]

    def __len__(self) -> int:
        return len(self._index)

    @property
    def size(self) -> int:
        """Rows, those of no account included: the range of a sweep."""
        return len(self.keys)

    def count(self, partition: int) -> int:
        """Accounts of one partition."""
        return len(self._of(partition))

    def find(self, keys: Sequence[bytes | None]) -> Positions:
        """Row of each key, -1 where unknown."""
        return np.fromiter(map(cast("Any", self._index).get, keys, repeat(-1)), np.int64, len(keys))

    def locate(self, keys: Sequence[bytes], partitions: Positions) -> Positions:
        """Row of each key; unknown keys are admitted to their partition with an empty row."""
        return self.located(self.find(keys), keys, partitions)

    def located(self, at: Positions, keys: Sequence[bytes], partitions: Positions) -> Positions:
        """The rows `at` of these keys, where -1 stands for a key to be admitted."""
        missing = np.flatnonzero(at < 0)
        if len(missing):
            fresh = dict(zip([keys[i] for i in missing.tolist()], partitions[missing].tolist(), strict=True))
            self._admit(fresh)
            at[missing] = self.find([keys[i] for i in missing.tolist()])
        return at

    def _admit(self, fresh: dict[bytes, int]) -> None:
        keys = list(fresh)
        again, self._free = self._free[: len(keys)], self._free[len(keys) :]
        for key, row in zip(keys, again, strict=False):
            self.keys[row] = key
        start = len(self.keys)
        self.keys += keys[len(again) :]
        self.rows, self._dirty = grown(self.rows, len(self.keys)), grown(self._dirty, len(self.keys))
        rows = [*again, *range(start, len(self.keys))]
        self._index.update(zip(keys, rows, strict=True))
        self.rows["partition"][rows] = list(fresh.values())

    def occupied(self, start: int, stop: int) -> Positions:
        """Rows in [start, stop) that have been folded into: those with an event."""
        stop = min(stop, self.size)
        return start + np.flatnonzero(self.rows["as_of"][start:stop])

    def keys_of(self, at: Positions) -> list[bytes]:
        """Keys of occupied rows."""
        return [self.keys[i] or b"" for i in at.tolist()]

    def put(self, at: Positions, rows: Rows) -> None:
        """Write back rows that changed; they leave with the next flush."""
        self.rows[at], self._dirty[at] = rows, True

    def blocks(self, sidecar: int, rows: Rows) -> Rows:
        """The blocks of one sidecar for gathered rows; zeros where a row has none."""
        return cast("Rows", self.pools[sidecar].blocks[rows["sidecar"][:, sidecar]])

    def claim(self, sidecar: int, rows: Rows, which: Positions) -> Positions:
        """Block numbers of `rows[which]`, given to those that had none; `which` may repeat."""
        column = rows["sidecar"][:, sidecar]
        bare = np.unique(which[column[which] == 0])
        if len(bare):
            column[bare] = self.pools[sidecar].allocate(len(bare))
        return column[which].astype(np.int64)

    # ---- to and from the changelog

    def take(self, at: Positions) -> list[bytes]:
        """Changelog values of these rows as they are now, one revision further; they count as written."""
        partition = self.rows["partition"][at]
        self.rows["generation"][at] = self.generation[partition]
        self.rows["revision"][at] += 1
        self._dirty[at] = False
        return pack(self.layout, self._gather(at), [self.texts.get(i, b"") for i in at.tolist()])

    def take_dirty(self) -> dict[int, list[tuple[bytes, bytes]]]:
        """Partition -> [(key, value)] of the rows written since they were last taken."""
        at = np.flatnonzero(self._dirty[: self.size])
        out: dict[int, list[tuple[bytes, bytes]]] = {}
        if len(at):
            where = self.rows["partition"][at].tolist()
            for partition, key, value in zip(where, self.keys_of(at), self.take(at), strict=True):
                out.setdefault(partition, []).append((key, value))
        return out

    def mark_dirty(self, partition: int, keys: Sequence[bytes]) -> None:
        """These rows were taken but not written."""
        at = self.find(keys)
        at = at[at >= 0]
        self._dirty[at[self.rows["partition"][at] == partition]] = True

    def layout_record(self) -> tuple[bytes, bytes]:
        """Changelog record that must precede the first row of this layout."""
        return LAYOUT_KEY + b"%08x" % self.layout.fingerprint, self.layout.record

    def learn(self, key: bytes, value: bytes | None) -> None:
        """A layout record of the changelog: rows of that layout can be read from now on."""
        if value is not None:
            self._layouts[int(key.removeprefix(LAYOUT_KEY), 16)] = Layout.parse(value)

    def apply(
        self, partition: int, keys: Sequence[bytes], values: Sequence[bytes | None], floor: int = 0
    ) -> list[bool]:
        """Changelog records in log order -> which were taken over.  None erases.  Rows of a generation below `floor`,
        and rows with a lower (generation, revision) than is known, are a former owner's and are ignored."""
        accepted, start = list[bool](), 0
        for gone in [*(i for i, value in enumerate(values) if value is None), len(values)]:
            accepted += self._apply_rows(
                partition, keys[start:gone], [v for v in values[start:gone] if v is not None], floor
            )
            if gone < len(values):
                self.remove([keys[gone]])
                accepted.append(True)
            start = gone + 1
        return accepted

    def _apply_rows(self, partition: int, keys: Sequence[bytes], values: Sequence[bytes], floor: int) -> list[bool]:
        if not keys:
            return []
        rows, texts = unpack(self.layout, self._layouts, values)
        known = self.find(keys)
        mine = self.rows[["generation", "revision"]][np.maximum(known, 0)]
        newer = (rows["generation"] > mine["generation"]) | (
            (rows["generation"] == mine["generation"]) & (rows["revision"] >= mine["revision"])
        )
        good = (rows["generation"] >= floor) & (newer | (known < 0))
        order = np.lexsort((rows["revision"], rows["generation"]))
        order = order[good[order]]
        at = self.locate([keys[i] for i in order.tolist()], np.full(len(order), partition))
        at, last = np.unique(at[::-1], return_index=True)
        won = order[::-1][last]
        self._scatter(at, rows[won], [texts[i] for i in won.tolist()])
        return [bool(taken) for taken in good]

    def remove(self, keys: Sequence[bytes]) -> None:
        """Forget these accounts."""
        at = self.find(keys)
        self._vacate(np.unique(at[at >= 0]))

    def discard(self, partition: int) -> None:
        """Forget every account of a partition that another worker owns now."""
        self._vacate(self._of(partition))

    def _of(self, partition: int) -> Positions:
        owned = np.fromiter((key is not None for key in self.keys), bool, self.size)
        return np.flatnonzero((self.rows["partition"][: self.size] == partition) & owned)

    def _vacate(self, at: Positions) -> None:
        for row, key in zip(at.tolist(), self.keys_of(at), strict=True):
            del self._index[key]
            self.keys[row] = None
            self.texts.pop(row, None)
        for i, pool in enumerate(self.pools):
            pool.release(self.rows["sidecar"][at, i].astype(np.int64))
        self.rows[at], self._dirty[at] = np.zeros(1, self.layout.dtype), False
        self._free += at.tolist()

    def _gather(self, at: Positions) -> Rows:
        """Rows with their sidecars in them."""
        rows = self.rows[at]
        out = np.zeros(len(at), self.layout.packed_dtype)
        for name in self._kept:
            out[name] = rows[name]
        for i in range(len(self.pools)):
            blocks = self.blocks(i, rows)
            for name in blocks.dtype.names or ():
                out[name] = blocks[name]
        return out

    def _scatter(self, at: Positions, packed: Rows, texts: Sequence[bytes]) -> None:
        rows = self.rows[at]
        for name in self._kept:
            rows[name] = packed[name]
        for i, pool in enumerate(self.pools):
            names = pool.blocks.dtype.names or ()
            has = np.zeros(len(at), bool)
            for name in names:
                has |= packed[name].any(axis=1)
            pool.release(rows["sidecar"][~has, i].astype(np.int64))
            rows["sidecar"][~has, i] = 0
            which = np.flatnonzero(has)
            block = self.claim(i, rows, which)
            for name in names:
                pool.blocks[name][block] = packed[name][which]
        self.rows[at], self._dirty[at] = rows, False
        for row, text in zip(at.tolist(), texts, strict=True):
            if text:
                self.texts[row] = text
            else:
                self.texts.pop(row, None)
