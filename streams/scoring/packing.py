"""Rows to changelog values and back, by name when the layout has changed since.

A value is: fingerprint and length of the texts (4 + 4 bytes), a bitmap of the words that are not zero, those words,
the account's texts padded to whole words."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.errors import StateConflict
from streams.scoring.layout import WORD, Layout
from streams.scoring.store import Rows

Words = NDArray[np.uint64]
"""(n, words) packed rows; those at the end may be left out where they are zero."""


def pack(layout: Layout, words: Words, texts: Sequence[bytes]) -> list[bytes]:
    """Packed rows and the texts of each -> n values."""
    used = words != 0
    bits = np.packbits(used, axis=1, bitorder="little")
    head = np.zeros((len(words), _head(layout)), "<u8")
    head[:, 0] = layout.fingerprint | (np.fromiter(map(len, texts), np.uint64, len(words)) << np.uint64(32))
    head.view("u1")[:, WORD : WORD + bits.shape[1]] = bits
    whole, body = head.tobytes(), words[used].tobytes()
    ends = (np.count_nonzero(used, axis=1).cumsum() * WORD).tolist()
    size = _head(layout) * WORD
    return [
        whole[at : at + size] + body[start:end] + text.ljust(-(-len(text) // WORD) * WORD, b"\0")
        for at, start, end, text in zip(range(0, len(whole), size), [0, *ends], ends, texts, strict=False)
    ]


def unpack(layout: Layout, layouts: Mapping[int, Layout], values: Sequence[bytes]) -> tuple[Words, list[bytes]]:
    """Values -> rows of `layout` and their texts.  Rows of older layouts, found in `layouts` by fingerprint, are moved
    over by name.  Raises StateConflict for a fingerprint nobody knows."""
    heads = np.frombuffer(b"".join([value[:WORD] for value in values]), "<u4").reshape(-1, 2)
    sizes = heads[:, 1].tolist()
    prints = np.unique(heads[:, 0]).tolist()
    texts = [
        value[-(-(-size // WORD) * WORD) :][:size] if size else b"" for value, size in zip(values, sizes, strict=True)
    ]
    if prints == [layout.fingerprint]:
        return _unpack(layout, values, heads[:, 1]), texts
    rows = np.zeros((len(values), layout.words), "<u8")
    for fingerprint in prints:
        at = np.flatnonzero(heads[:, 0] == fingerprint)
        old = layout if fingerprint == layout.fingerprint else layouts.get(fingerprint)
        if old is None:
            raise StateConflict(
                f"the changelog holds a row of layout {fingerprint:08x}, whose layout record is missing"
            )
        found = _unpack(old, [values[i] for i in at.tolist()], heads[at, 1])
        rows[at] = _whole(found, old.words) if old is layout else moved(old, layout, _whole(found, old.words))
    return rows, texts


def _unpack(layout: Layout, values: Sequence[bytes], texts: NDArray[np.uint32]) -> Words:
    """The words of values whose texts have these lengths; those that nobody has at the end are left out."""
    blob = np.frombuffer(b"".join(values), "<u8")
    lengths = np.fromiter(map(len, values), np.int64, len(values)) // WORD
    stops = lengths.cumsum()
    starts, size = stops - lengths, _head(layout)
    bits = blob[starts[:, None] + np.arange(1, size)].view("u1")
    width = layout.words if np.unpackbits(bits, axis=1, bitorder="little")[:, layout.narrow :].any() else layout.narrow
    used = np.unpackbits(bits, axis=1, bitorder="little", count=width).view(bool)
    body = np.zeros(len(blob) + 1, np.int8)  # where the words of a row begin and end
    body[starts + size] += 1
    body[stops - -(-texts.astype(np.int64) // WORD)] -= 1
    words = np.zeros((len(values), width), "<u8")
    words[used] = blob[body[:-1].cumsum(dtype=np.int8).view(bool)]
    return words


def _whole(words: Words, width: int) -> Words:
    return words if words.shape[1] == width else np.pad(words, ((0, 0), (0, width - words.shape[1])))


def moved(old: Layout, new: Layout, words: Words) -> Words:
    """Rows of one layout in another: columns of the same name keep their values, new ones are empty, gone ones go."""
    rows: Rows = np.ascontiguousarray(words).view(old.packed_dtype)[:, 0]
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
            newest = np.sort(rows[field], axis=1)[:, ::-1] if field.startswith("recent") else rows[field]
            out[field][:, :width] = newest[:, :width]
        else:
            out[field] = rows[field]
    return out.view("<u8").reshape(len(out), new.words)


def _head(layout: Layout) -> int:
    return 1 + -(-layout.words // 64)
