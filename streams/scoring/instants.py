"""RFC 3339 texts to epoch seconds, a column at a time, and instants to day numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import EARLIEST

Floats = NDArray[np.float64]
EPOCH = EARLIEST.timestamp()
_TEMPLATE = {4: b"-", 7: b"-", 10: b"T", 13: b":", 16: b":", -1: b"Z"}
_WHOLE = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]


def instants(texts: Sequence[str]) -> Floats | None:
    """UTC texts of one length -> epoch seconds; None for any other spelling, or when one of them is no time at all or
    too early: then ask `schemas.envelope.instant` one by one."""
    if not texts:
        return np.zeros(0)
    width = len(texts[0])
    grid = np.frombuffer("".join(texts).encode(), np.uint8)
    if len(grid) != len(texts) * width or not 20 <= width <= 30:
        return None
    seconds = _utc_seconds(grid.reshape(-1, width))
    return None if seconds is None or (seconds < EPOCH).any() else seconds


def _utc_seconds(grid: NDArray[np.uint8]) -> Floats | None:
    """(n, width) characters -> (n,) seconds, or None when some text is not YYYY-MM-DDTHH:MM:SS[.fff]Z."""
    if any((grid[:, at] != ord(mark)).any() for at, mark in _TEMPLATE.items()):
        return None
    digits = grid - np.uint8(48)
    fraction, whole = digits[:, 20:-1], digits[:, _WHOLE]
    if (whole > 9).any() or (fraction > 9).any() or (grid.shape[1] > 20 and (grid[:, 19] != ord(".")).any()):
        return None
    century, year, month, day, hour, minute, second = (whole[:, 0::2].astype(np.int64) * 10 + whole[:, 1::2]).T
    if ((month < 1) | (month > 12) | (day < 1) | (hour > 23) | (minute > 59) | (second > 59)).any():
        return None
    months = ((century * 100 + year - 1970) * 12 + month - 1).astype("M8[M]")
    days = months.astype("M8[D]").astype(np.int64) + day - 1
    if (days >= (months + 1).astype("M8[D]").astype(np.int64)).any():
        return None
    parts = 0.1 ** np.arange(1, fraction.shape[1] + 1)
    seconds: Floats = days * 86_400.0 + hour * 3600 + minute * 60 + second + fraction @ parts
    return seconds


def day_of(times: Floats) -> NDArray[np.uint16]:
    """Epoch seconds -> days since 1990 plus one, so that 0 means never."""
    return ((times - EPOCH) // 86_400.0 + 1).astype(np.uint16)


def seconds_of(times: Floats) -> NDArray[np.uint32]:
    """Epoch seconds -> whole seconds since 1990, at least 1, so that 0 means never."""
    return np.maximum(times - EPOCH, 1.0).astype(np.uint32)


def epoch_of(seconds: NDArray[np.uint32]) -> Floats:
    """Whole seconds since 1990 -> epoch seconds; 0 stays 0."""
    return np.where(seconds > 0, seconds + EPOCH, 0.0)
