"""All accounts of a worker as columns: one row each, a dict from key to row, the partition a column.

An all-zero row is an account of which nothing is known.  Instants are epoch seconds; 0 means never."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any, cast

import numpy as np

from streams.scoring.layout import Layout
from streams.scoring.packing import Words, pack, unpack
from streams.scoring.store import Flags, Positions, Rows, Store, words

LAYOUT_KEY = b"\0layout:"
PACKED = 2_048
"""Rows packed at once, so that they fit a cache."""
TAKEN = 1_000
"""Rows taken at once, so that nothing waits long for them."""


class Pool(Store):
    """Blocks of one sidecar.  Block 0 stays zero: it is what an account without data has."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        super().__init__(dtype)
        self._used, self._free = 1, list[int]()

    def allocate(self, n: int) -> Positions:
        """Numbers of `n` zero blocks."""
        again, self._free = self._free[:n], self._free[n:]
        start, self._used = self._used, self._used + n - len(again)
        self.reach(self._used)
        fresh = np.arange(start, self._used)
        return np.concatenate([np.array(again, np.int64), fresh]) if again else fresh

    def release(self, at: Positions) -> None:
        """Take blocks back, zeroed; 0 is ignored."""
        at = at[at > 0]
        self.clear(at)
        self._free += at.tolist()


class Accounts(Store):
    """The rows of every partition that this worker owns."""

    def __init__(self, layout: Layout, partitions: int) -> None:
        super().__init__(layout.dtype, 1024)
        self.layout, self.partitions = layout, partitions
        self.generation = np.zeros(partitions, np.int64)
        self.pools = [Pool(sidecar.dtype) for sidecar in layout.sidecars]
        self.places = {sidecar.key: place for place, sidecar in enumerate(layout.sidecars)}
        """Sidecar -> its place among the pools and in a row's `sidecar`."""
        self.texts: list[bytes] = []
        self.keys: list[bytes | None] = []
        self._index: dict[bytes, int] = {}
        self._free: list[int] = []
        self._dirty = np.zeros(len(self.rows), bool)
        self.calm_until = np.zeros(len(self.rows))
        """Instants before which rows need no look unless an event comes; known to this process alone."""
        self._layouts = {layout.fingerprint: layout}
        self.overflowed = 0
        """Slot entries that found no place."""

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
            strangers = keys if len(missing) == len(keys) else [keys[i] for i in missing.tolist()]
            fresh = dict(zip(strangers, partitions[missing].tolist(), strict=True))
            rows = self._admit(fresh)
            at[missing] = rows if len(fresh) == len(strangers) else self.find(strangers)
        return at

    def _admit(self, fresh: dict[bytes, int]) -> Positions:
        keys, start = list(fresh), len(self.keys)
        again, self._free = self._free[: len(keys)], self._free[len(keys) :]
        for key, row in zip(keys, again, strict=False):
            self.keys[row] = key
        self.keys += keys[len(again) :]
        self.texts += [b""] * (len(keys) - len(again))
        self.reach(len(self.keys))
        if more := len(self.rows) - len(self._dirty):
            self._dirty = np.concatenate([self._dirty, np.zeros(more, bool)])
            self.calm_until = np.concatenate([self.calm_until, np.zeros(more)])
        more_rows = np.arange(start, len(self.keys))
        rows = np.concatenate([np.array(again, np.int64), more_rows]) if again else more_rows
        self._index.update(zip(keys, rows.tolist(), strict=True))
        self.rows["partition"][rows] = np.fromiter(fresh.values(), np.int64, len(keys))
        return rows

    def occupied(self, start: int, stop: int) -> Positions:
        """Rows in [start, stop) that have been folded into: those with an event."""
        stop = min(stop, self.size)
        return start + np.flatnonzero(self.rows["as_of"][start:stop])

    def restless(self, start: int, stop: int, now: float) -> Positions:
        """Rows in [start, stop) with an event that may need a look at `now`."""
        at = start + (self.calm_until[start : min(stop, self.size)] <= now).nonzero()[0]
        return at[self.rows["as_of"][at] > 0]

    def keys_of(self, at: Positions) -> list[bytes]:
        """Keys of occupied rows."""
        return [self.keys[i] or b"" for i in at.tolist()]

    def texts_of(self, at: Positions) -> list[bytes]:
        """Texts of rows."""
        return [self.texts[i] for i in at.tolist()]

    def put(self, at: Positions, rows: Rows) -> None:
        """Write back rows that changed; they leave with the next flush."""
        super().put(at, rows)
        self._dirty[at], self.calm_until[at] = True, 0.0

    # ---- sidecars

    def blocks(self, sidecar: int, rows: Rows) -> Rows:
        """The blocks of one sidecar for gathered rows; zeros where a row has none."""
        return self.pools[sidecar].get(rows["sidecar"][:, sidecar])

    def claim(self, sidecar: int, rows: Rows, which: Positions) -> Positions:
        """Block numbers of `rows[which]`, given to those that had none; `which` may repeat."""
        column = rows["sidecar"][:, sidecar]
        found = column[which]
        if not found.all():
            bare = np.unique(which[found == 0])
            column[bare] = self.pools[sidecar].allocate(len(bare))
            found = column[which]
        return found.astype(np.int64)

    def release(self, sidecar: int, rows: Rows, which: Positions) -> None:
        """Empty the blocks of `rows[which]`."""
        column = rows["sidecar"][:, sidecar]
        self.pools[sidecar].release(column[which].astype(np.int64))
        column[which] = 0

    # ---- to and from the changelog

    def take(self, at: Positions) -> list[bytes]:
        """Changelog values of these rows as they are now, one revision further; they count as written."""
        self.rows["generation"][at] = self.generation[self.rows["partition"][at]]
        self.rows["revision"][at] += 1
        self._dirty[at] = False
        out: list[bytes] = []
        for some in (at[start : start + PACKED] for start in range(0, len(at), PACKED)):
            out += pack(self.layout, self.gathered(some), self.texts_of(some))
        return out

    def unwritten(self) -> list[Positions]:
        """Rows written since they were last taken, some thousand at a time."""
        at = self._dirty[: self.size].nonzero()[0]
        return np.array_split(at, -(-len(at) // TAKEN)) if len(at) else []

    def take_dirty(self, among: Positions | None = None) -> dict[int, list[tuple[bytes, bytes]]]:
        """Partition -> [(key, value)] of the rows, of these or of all, written since they were last taken."""
        at = self._dirty[: self.size].nonzero()[0] if among is None else among[self._dirty[among]]
        out: dict[int, list[tuple[bytes, bytes]]] = {}
        where = self.rows["partition"][at]
        for partition in np.unique(where).tolist():
            mine = at[where == partition]
            out[partition] = list(zip(self.keys_of(mine), self.take(mine), strict=True))
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
            accepted += self._apply_rows(partition, keys[start:gone], cast("Any", values[start:gone]), floor)
            if gone < len(values):
                self.remove([keys[gone]])
                accepted.append(True)
            start = gone + 1
        return accepted

    def _apply_rows(self, partition: int, keys: Sequence[bytes], values: Sequence[bytes], floor: int) -> list[bool]:
        if not keys:
            return []
        found, texts = unpack(self.layout, self._layouts, values)
        core = found[:, : self.layout.core.itemsize // 8].copy().view(self.layout.core)[:, 0]
        known = self.find(keys)
        good = (core["generation"] >= floor) & self._newer(core, known)
        order = np.flatnonzero(good)
        if len(set(keys)) < len(keys):  # of one key the newest, and of equals the last
            order = order[np.lexsort((core["revision"][order], core["generation"][order]))]
            order = np.array(list({keys[i]: i for i in order.tolist()}.values()), np.int64)
        if len(order) < len(keys):
            keys, texts = ([of[i] for i in order.tolist()] for of in (keys, texts))
            known, found = known[order], found[order]
        self._scatter(self.located(known, keys, np.full(len(keys), partition)), found, texts)
        return cast("list[bool]", good.tolist())

    def _newer(self, core: Rows, known: Positions) -> Flags:
        """Whether rows are not older than those at `known`; -1 is older than anything."""
        generation, revision = self.rows["generation"][known], self.rows["revision"][known]
        newer: Flags = (core["generation"] > generation) | (
            (core["generation"] == generation) & (core["revision"] >= revision)
        )
        return newer | (known < 0)

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
            self.keys[row], self.texts[row] = None, b""
        for i, pool in enumerate(self.pools):
            pool.release(self.rows["sidecar"][at, i].astype(np.int64))
        self.clear(at)
        self._dirty[at] = False
        self._free += at.tolist()

    def gathered(self, at: Positions) -> Words:
        """(n, words) rows with their sidecars behind them, in the order of `layout.packed_dtype`; without the wide ones
        where no row has any."""
        rows, layout = self.get(at), self.layout
        has_wide = any(rows["sidecar"][:, i].any() for i in layout.places if layout.sidecars[i].wide)
        out = np.zeros((len(at), layout.words if has_wide else layout.narrow), "<u8")
        start = layout.core.itemsize // 8
        out[:, :start] = words(rows)[:, :start]
        for i in layout.places:
            stop = start + layout.sidecars[i].dtype.itemsize // 8
            if has_wide or not layout.sidecars[i].wide:
                out[:, start:stop] = words(self.blocks(i, rows))
            start = stop
        return out

    def _scatter(self, at: Positions, found: Words, texts: Sequence[bytes]) -> None:
        rows, layout = self.get(at), self.layout
        start = layout.core.itemsize // 8
        words(rows)[:, :start] = found[:, :start]
        for i in layout.places:
            stop = start + layout.sidecars[i].dtype.itemsize // 8
            block = found[:, start:stop]
            has = (block != 0).any(axis=1)
            column = rows["sidecar"][:, i]
            if column.any():
                self.release(i, rows, np.flatnonzero(~has & (column > 0)))
            which = has.nonzero()[0]
            if len(which):
                bare = which[column[which] == 0]
                column[bare] = self.pools[i].allocate(len(bare))
                self.pools[i].put_words(column[which], block[which])
            start = stop
        super().put(at, rows)
        self._dirty[at], self.calm_until[at] = False, 0.0
        for row, text in zip(at.tolist(), texts, strict=True):
            self.texts[row] = text
