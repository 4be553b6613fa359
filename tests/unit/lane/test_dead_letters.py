"""When bad records are too many."""

from hypothesis import given
from hypothesis import strategies as st

from streams.lane.dead_letters import WINDOW, Window


def test_a_few_bad_records_pause_nothing_whatever_their_share() -> None:
    window = Window()
    window.add(99, 99)

    assert not window.flooded(0.2, 100)


def test_above_the_share_and_the_least_number_it_is_a_flood() -> None:
    window = Window()
    window.add(400, 0)
    window.add(100, 100)
    assert not window.flooded(0.2, 100)

    window.add(1, 1)
    assert window.flooded(0.2, 100)


def test_only_the_last_ten_thousand_count() -> None:
    window = Window()
    window.add(1000, 1000)
    window.add(WINDOW, 0)

    assert (window.records, window.bad) == (WINDOW, 0)


@given(st.lists(st.integers(0, 3000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=20))
def test_the_window_counts_exactly_while_it_is_not_full(polls: list[tuple[int, int]]) -> None:
    window = Window()
    for records, bad in polls:
        window.add(records, bad)

    if sum(records for records, _ in polls) <= WINDOW - 100:
        assert window.bad == sum(bad for _, bad in polls)
    assert window.bad <= window.records <= WINDOW


def test_it_survives_a_restart() -> None:
    window = Window()
    window.add(500, 250)
    assert window.changed

    again = Window.restored(window.packed())

    assert (again.records, again.bad) == (500, 250)
    assert not window.changed
    assert again.flooded(0.2, 100)
