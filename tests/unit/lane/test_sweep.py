"""Every row is looked at once a minute."""

from streams.lane.sweep import SLICE, Sweep


def seen(sweep: Sweep, now: float, size: int) -> list[int]:
    return [row for start, stop in sweep.due(now, size) for row in range(start, stop)]


def test_in_a_minute_of_ticks_every_row_is_seen_once() -> None:
    sweep = Sweep(0.0)
    rows = [row for second in range(1, 61) for row in seen(sweep, float(second), 1000)]

    assert sorted(rows) == list(range(1000))


def test_missed_ticks_are_caught_up_but_never_more_than_one_round() -> None:
    sweep = Sweep(0.0)

    assert sorted(seen(sweep, 600.0, 100)) == list(range(100))
    assert seen(sweep, 600.0, 100) == []


def test_a_large_table_is_seen_in_slices() -> None:
    assert [stop - start for start, stop in Sweep(0.0).due(60.0, 3 * SLICE)] == [SLICE] * 3


def test_what_was_interrupted_is_still_due() -> None:
    sweep = Sweep(0.0)
    for _ in sweep.due(60.0, 2 * SLICE):
        break

    assert sum(stop - start for start, stop in sweep.due(60.0, 2 * SLICE)) == 2 * SLICE


def test_an_empty_table_needs_no_looking_at() -> None:
    assert seen(Sweep(0.0), 30.0, 0) == []
