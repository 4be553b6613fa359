"""Distinct values: how far off the estimate is, and that windows slide."""

import numpy as np
import pytest

from streams.scoring.distinct import CELLS, cell_of, few_count, many_count
from streams.scoring.hashes import hashed


def hashes(of: list[str]) -> np.ndarray:
    return hashed(of) >> np.uint64(48)


def estimates(n: int, times: int = 60) -> np.ndarray:
    cells = np.zeros((times, CELLS), np.uint16)
    for i in range(times):
        cells[i, cell_of(hashes([f"user-{i}-{k}" for k in range(n)]))] = 5
    return many_count(cells, np.full(times, 3, np.uint16))


@pytest.mark.parametrize(("n", "error"), [(1, 0.1), (5, 0.12), (30, 0.11), (100, 0.12), (300, 0.2), (1000, 0.4)])
def test_the_standard_error_is_what_the_documentation_says(n: int, error: float) -> None:
    found = estimates(n)

    assert abs(found.mean() / n - 1) < error / 2
    assert found.std() / n < error


def test_values_last_seen_before_the_window_are_not_counted() -> None:
    cells = np.zeros((1, CELLS), np.uint16)
    cells[0, cell_of(hashes([f"u{k}" for k in range(20)]))] = 10

    assert many_count(cells, np.array([11], np.uint16))[0] == 0
    assert many_count(cells, np.array([10], np.uint16))[0] == pytest.approx(20, rel=0.25)


def test_few_values_are_counted_one_by_one() -> None:
    entries = np.array([[7 << 16 | 10, 8 << 16 | 11, 9 << 16 | 12, 0]], np.uint32)

    assert few_count(entries, np.array([11], np.uint16)).tolist() == [2]
