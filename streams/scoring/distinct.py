"""Counting different values in a sliding window: one by one while they are few, then in 128 cells that each remember
the last day they were hit.

Cells merge by maximum, so order and repetition do not matter, and any window can be asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.scoring.batch import Floats, Ints
from streams.scoring.layout import CELLS

_LEVELS = ((0, 64), (12, 32), (15, 32))
"""Of each level: the sixteenths of all hashes that lie below it, and its cells; three quarters of the hashes share the
first 64 cells, three quarters of the rest the next 32, and so on."""
_SIZES = np.array([cells for _, cells in _LEVELS], np.float64)
_SHARES = np.diff([*(below for below, _ in _LEVELS), 16]) / 16
FULL = 0.93
"""A level of which more is filled cannot tell its number any more."""


def cell_of(hashes: NDArray[Any]) -> Ints:
    """16-bit hash -> its cell, of CELLS."""
    share, cell = hashes >> 12, (hashes & 0xFFF).astype(np.int64)
    out, start = cell, 0
    for below, cells in _LEVELS:
        out = np.where(share >= below, start + cell % cells, out)
        start += cells
    return out


def few_count(entries: NDArray[np.uint32], since: NDArray[np.uint16]) -> Ints:
    """(n, FEW) entries `hash << 16 | last day`, (n,) first day counted -> number of different values since then."""
    seen: Ints = (entries.astype(np.uint16) >= since[:, None]).sum(axis=1)
    return seen


def many_count(cells: NDArray[np.uint16], since: NDArray[np.uint16]) -> Floats:
    """(n, CELLS) last days of the cells, (n,) first day counted -> estimated number of different values since then.

    A multiresolution bitmap (Estan, Varghese and Fisk, 2006): each level is counted linearly (Whang et al., 1990), and
    levels too full to tell are inferred from the sparser ones.  Standard error 8 % up to 100 values, 16 % at 300,
    30 % at 1,000; beyond 2,000 it stays there."""
    live = cells >= since[:, None]
    words = np.bitwise_count(np.packbits(live, axis=1, bitorder="little").view("<u4"))
    filled = np.stack([words[:, 0] + words[:, 1], words[:, 2], words[:, 3]], axis=1).astype(np.float64)
    counts = -_SIZES * np.log1p(-np.minimum(filled, _SIZES - 0.5) / _SIZES)
    usable = filled <= FULL * _SIZES
    usable[:, 2] = True
    usable[:, 0] &= usable[:, 1]
    count: Floats = (counts * usable).sum(axis=1) / (_SHARES * usable).sum(axis=1)
    return count


__all__ = ["CELLS", "cell_of", "few_count", "many_count"]
