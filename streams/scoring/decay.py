"""The arithmetic that forgets: forward decay with half-lives (Cormode et al., ICDE 2009).

A sum S kept at instant t is worth S * 2^(-(u - t) / h) at u; adding events in any order gives the same sum."""

import numpy as np
from numpy.typing import NDArray

DAY = 86_400.0
LN2 = float(np.log(2.0))
Floats = NDArray[np.float64]


class Decay:
    """Factors for many half-lives (seconds, infinity allowed), each distinct one computed once."""

    def __init__(self, half_lives: tuple[float, ...]) -> None:
        distinct, self._which = np.unique(np.array(half_lives, np.float64), return_inverse=True)
        self._rates = -1.0 / distinct

    def __call__(self, elapsed: Floats) -> Floats:
        """(n,) seconds >= 0 -> (n, half-lives) factors 2^(-elapsed / h)."""
        return np.exp2(np.multiply.outer(elapsed, self._rates)).take(self._which, axis=1)


def faded(elapsed: Floats, half_life: Floats | float) -> Floats:
    """2^(-elapsed / half_life), with negative ages taken as zero."""
    return np.exp2(-np.maximum(elapsed, 0.0) / half_life)


def youth(age: Floats, half_life: Floats | float) -> Floats:
    """1 - 2^(-age / h): the share of its steady state that a sum of a young account can have reached."""
    return -np.expm1(-LN2 * age / half_life)
