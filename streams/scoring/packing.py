"""Rows to changelog values and back, by name when the layout has changed since.

A value is: fingerprint and length of the texts (4 + 4 bytes), a bitmap of the words that are not zero, those words,
the account's texts padded to whole words."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.errors import StateConflict
from streams.scoring.layout import WORD, Layout

Rows = NDArray[np.void]


def pack(layout: Layout, rows: Rows, texts: Sequence[bytes]) -> list[bytes]:
    """Packed rows (n,) of `layout.packed_dtype` and the texts of each -> n values."""
    words = np.ascontiguousarray(rows).view("<u8").reshape(len(rows), layout.words)
    used = words != 0
    bits = np.packbits(used, axis=1, bitorder="little")
    head = np.zeros((len(rows), _head(layout)), "<u8")
    head[:, 0] = layout.fingerprint | (np.fromiter(map(len, texts), np.uint64, len(rows)) << np.uint64(32))
    head.view("u1")[:, WORD : WORD + bits.shape[1]] = bits
    keep = np.hstack([np.ones(head.shape, bool), used])
    blob = np.hstack([head, words])[keep].tobytes()
    ends = (keep.sum(axis=1).cumsum() * WORD).tolist()
    return [
        blob[start:end] + text.ljust(-(-len(text) // WORD) * WORD, b"\0") if text else blob[start:end]
        for start, end, text in zip([0, *ends], ends, texts, strict=False)
    ]


def unpack(layout: Layout, layouts: Mapping[int, Layout], values: Sequence[bytes]) -> tuple[Rows, list[bytes]]:
    """Values -> rows of `layout` and their texts.  Rows of older layouts, found in `layouts` by fingerprint, are moved
    over by name.  Raises StateConflict for a fingerprint nobody knows."""
    heads = [int.from_bytes(value[:WORD], "little") for value in values]
    prints, texts = [h & 0xFFFFFFFF for h in heads], []
    bodies = []
    for value, head in zip(values, heads, strict=True):
        size = head >> 32
        cut = len(value) - -(-size // WORD) * WORD
        bodies.append(value[:cut] if size else value)
        texts.append(value[cut : cut + size] if size else b"")
    rows = np.zeros(len(values), layout.packed_dtype)
    for fingerprint in set(prints):
        at = [i for i, found in enumerate(prints) if found == fingerprint]
        old = layout if fingerprint == layout.fingerprint else layouts.get(fingerprint)
        if old is None:
            raise StateConflict(
                f"the changelog holds a row of layout {fingerprint:08x}, whose layout record is missing"
            )
        found = _unpack(old, [bodies[i] for i in at])
        rows[at] = found if old is layout else moved(old, layout, found)
    return rows, texts


def _unpack(layout: Layout, values: Sequence[bytes]) -> Rows:
    lengths = np.fromiter(map(len, values), np.int64, len(values)) // WORD
    blob = np.frombuffer(b"".join(values), "<u8")
    starts = lengths.cumsum() - lengths
    heads = starts[:, None] + np.arange(_head(layout))
    bits = blob[heads[:, 1:]].view("u1")
    used = np.unpackbits(bits, axis=1, bitorder="little")[:, : layout.words].astype(bool)
    body = np.ones(len(blob), bool)
    body[heads] = False
    words = np.zeros((len(values), layout.words), "<u8")
    words[used] = blob[body]
    return words.view(layout.packed_dtype).reshape(-1)


def moved(old: Layout, new: Layout, rows: Rows) -> Rows:
    """Rows of one layout in another: columns of the same name keep their values, new ones are empty, gone ones go."""
    out = np.zeros(len(rows), new.packed_dtype)
    for field in new.packed_dtype.names or ():
        if field not in (old.packed_dtype.names or ()) or field == "spare":
            continue
        if field in new.named:
            for place, name in enumerate(new.named[field]):
                if name in old.named[field]:
                    out[field][:, place] = rows[field][:, old.named[field].index(name)]
        elif field in new.coded:
            known = {name: number for number, name in enumerate(new.coded[field])}
            out[field] = np.array([known.get(name, 0) for name in old.coded[field]], np.uint8)[rows[field]]
        elif rows[field].ndim == 2:
            width = min(rows[field].shape[1], out[field].shape[1])
            out[field][:, :width] = rows[field][:, -width:] if field == "recent" else rows[field][:, :width]
        else:
            out[field] = rows[field]
    return out


def _head(layout: Layout) -> int:
    return 1 + -(-layout.words // 64)
