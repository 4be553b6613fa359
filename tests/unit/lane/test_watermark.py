"""How far event time has come, and when a backlog is behind us."""

from streams.lane.watermark import Watermark

USAGE, SUPPORT = 0, 2


def behind(mode: str = "wall") -> Watermark:
    clock = Watermark(mode)  # type: ignore[arg-type]
    clock.expect({(USAGE, 0): 10, (SUPPORT, 0): 5})
    return clock


def test_nothing_is_judged_before_every_source_that_is_behind_has_shown_an_event() -> None:
    clock = behind()
    clock.saw({USAGE: 100.0})

    assert clock.now(1000.0) is None


def test_while_behind_now_is_the_least_of_what_the_sources_behind_have_shown() -> None:
    clock = behind()
    clock.saw({USAGE: 100.0, SUPPORT: 90.0})

    assert (clock.now(1000.0), clock.cause) == (90.0, "catch_up")


def test_a_source_that_has_passed_its_end_holds_nothing_back() -> None:
    clock = behind()
    clock.saw({USAGE: 100.0, SUPPORT: 90.0})
    clock.passed((SUPPORT, 0), 5)

    assert clock.now(1000.0) == 100.0
    assert not clock.caught_up


def test_caught_up_now_is_the_clock_and_facts_are_caused_by_events() -> None:
    clock = behind()
    clock.passed((USAGE, 0), 12)
    clock.passed((SUPPORT, 0), 5)

    assert (clock.now(1000.0), clock.cause) == (1000.0, "event")


def test_in_event_time_now_is_never_the_clock() -> None:
    clock = behind("event")
    clock.saw({USAGE: 100.0, SUPPORT: 90.0})
    clock.passed((USAGE, 0), 10)
    clock.passed((SUPPORT, 0), 5)

    assert (clock.now(1000.0), clock.cause) == (100.0, "event")


def test_a_late_event_does_not_turn_time_back() -> None:
    clock = Watermark("event", {USAGE: 100.0})
    clock.saw({USAGE: 50.0})

    assert clock.now(0.0) == 100.0


def test_a_source_is_behind_again_only_after_a_minute_and_until_the_end_it_had_then() -> None:
    clock = Watermark("wall")
    clock.fell_behind((USAGE, 0), stored=941.0, wall=1000.0, end=50)
    assert clock.caught_up

    clock.fell_behind((USAGE, 0), stored=939.0, wall=1000.0, end=50)
    assert not clock.caught_up

    clock.passed((USAGE, 0), 49)
    assert not clock.caught_up

    clock.passed((USAGE, 0), 50)
    assert clock.caught_up


def test_partitions_that_went_away_hold_nothing_back() -> None:
    clock = behind()
    clock.forget([0])

    assert clock.caught_up
