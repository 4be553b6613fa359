"""Who fails too often waits."""

from services.web.throttle import FAILURES, REMEMBERED, WINDOW, Throttle


def test_a_source_waits_after_too_many_failures_until_the_window_ends() -> None:
    throttle = Throttle()
    for number in range(FAILURES):
        assert throttle.wait("a", number) == 0
        throttle.failed("a", number)
    assert throttle.wait("a", 30.0) == WINDOW.total_seconds() - 30.0
    assert throttle.wait("b", 30.0) == 0
    assert throttle.wait("a", WINDOW.total_seconds()) == 0


def test_failures_of_long_ago_are_forgiven() -> None:
    throttle = Throttle()
    for number in range(10 * FAILURES):
        throttle.failed("a", number * WINDOW.total_seconds())
        assert throttle.wait("a", number * WINDOW.total_seconds()) == 0


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle()
    for number in range(REMEMBERED + 10):
        throttle.failed(str(number), 0.0)
    assert len(throttle._tries) == REMEMBERED
