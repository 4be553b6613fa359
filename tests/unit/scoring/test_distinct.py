"""Distinct values: how far off the estimate is, and that windows slide."""

import numpy as np
import pytest

from streams.scoring.distinct import CELLS, cell_of, distinct_count
from streams.scoring.hashes import hashed


def estimates(n: int, times: int = 60) -> np.ndarray:
    cells = np.zeros((times, CELLS), np.uint16)
    for i in range(times):
        cells[i, cell_of(hashed([f"user-{i}-{k}" for k in range(n)]))] = 5
    return distinct_count(cells, np.full(times, 3))


@pytest.mark.parametrize(("n", "error"), [(1, 0.1), (5, 0.12), (30, 0.11), (100, 0.12), (300, 0.2), (1000, 0.4)])
def test_the_standard_error_is_what_the_documentation_says(n: int, error: float) -> None:
    found = estimates(n)

    assert abs(found.mean() / n - 1) < error / 2
    assert found.std() / n < error


def test_values_last_seen_before_the_window_are_not_counted() -> None:
    cells = np.zeros((1, CELLS), np.uint16)
    cells[0, cell_of(hashed([f"u{k}" for k in range(20)]))] = 10

    assert distinct_count(cells, np.array([11]))[0] == 0
    assert distinct_count(cells, np.array([10]))[0] == pytest.approx(20, rel=0.25)
