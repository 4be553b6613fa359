"""The demo remembers where its customers are, and goes on from exactly there."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schemas.errors import Refused
from services.cli.course import Course, Place, Remembered, course, first_day, recall, remember
from services.cli.demo import continued, first_memory, settings_of
from services.cli.programme import due, programme, spoken, timetable
from services.settings import Settings
from streams.simulation.spell import Record

TODAY = datetime(2026, 6, 17, 12, tzinfo=UTC)


def record(at: float, name: str) -> Record:
    return at, "usage", name.encode(), b"{}"


RECORDS = [record(1, "a"), record(2, "b"), record(2, "c"), record(2, "d"), record(3, "e")]


def some(since: float | None) -> Iterator[Record]:
    return (one for one in RECORDS if since is None or one[0] >= since)


@pytest.mark.parametrize("sent", range(len(RECORDS) + 1))
def test_what_follows_a_place_is_what_was_not_sent(sent: int) -> None:
    place = None
    for at, *_ in RECORDS[:sent]:
        place = (place or Place(float("-inf"), 0)).moved(at)

    assert list(Course(some, 0).after(place)) == RECORDS[sent:]


def test_the_simulated_customers_go_on_where_they_were() -> None:
    plan = course(Remembered("simulation", 5, 1, "2026-01-04", 1440, wall=False))
    whole = plan.after(None)
    sent = [next(whole) for _ in range(2_500)]
    place = Place(float("-inf"), 0)
    for at, *_ in sent:
        place = place.moved(at)
    rest = plan.after(place)

    assert [next(rest) for _ in range(100)] == [next(whole) for _ in range(100)]


def test_a_fast_world_begins_to_live_on_a_monday_some_weeks_ago() -> None:
    live = date.fromordinal(first_day(TODAY.date(), wall=False).toordinal() + 60)

    assert live.weekday() == 0
    assert 28 <= (TODAY.date() - live).days < 35


def test_what_is_remembered_is_recalled(tmp_path: Path) -> None:
    lives = Remembered("simulation", 40, 3, "2026-01-04", 1440, wall=False, place=Place(1767484800.123, 2))
    remember(tmp_path / "demo.json", lives)

    assert recall(tmp_path / "demo.json") == lives
    assert recall(tmp_path / "other.json") is None


def test_a_broken_memory_says_what_to_delete(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")

    with pytest.raises(Refused, match="begin anew"):
        recall(tmp_path / "demo.json")


def test_other_customers_are_refused_where_some_already_live(tmp_path: Path) -> None:
    before = first_memory("simulation", 40, 3, None, TODAY)
    fresh = first_memory("simulation", 50, None, None, TODAY)

    with pytest.raises(Refused, match="--accounts 40"):
        continued(before, fresh, 50, None, None, tmp_path)
    assert continued(before, first_memory("simulation", None, None, None, TODAY), None, None, None, tmp_path) == before


def test_another_speed_is_taken_but_not_another_clock(tmp_path: Path) -> None:
    before = first_memory("simulation", None, None, None, TODAY)
    faster = first_memory("simulation", None, None, 5000.0, TODAY)
    wall = first_memory("simulation", None, None, 1.0, TODAY)

    assert continued(before, faster, None, None, 5000.0, tmp_path).speed == 5000
    with pytest.raises(Refused, match="their own time"):
        continued(before, wall, None, None, 1.0, tmp_path)


def test_customers_faster_than_the_wall_clock_are_judged_by_their_own_time() -> None:
    fast = settings_of(Settings(), first_memory("simulation", None, None, None, TODAY))
    wall = settings_of(Settings(), first_memory("simulation", None, None, 1.0, TODAY))

    assert (fast.time, wall.time) == ("event", "wall")
    assert fast.environment()["KESHER_TIME"] == "event"
    assert "ILS" in fast.rates
    assert settings_of(Settings(rates={"EUR": 1}), first_memory("cdnow", None, None, None, TODAY)).rates == {"EUR": 1}


def test_the_programme_takes_each_moment_once_when_its_time_has_come() -> None:
    plan = course(Remembered("simulation", 5, 1, "2026-01-01", 1440, wall=False))
    showings = programme(plan.stories, plan.live)
    everything = list(showings)
    half = everything[len(everything) // 2].moment.at
    first, rest = list(due(showings, half)), list(due(showings, float("inf")))

    assert first + rest == everything
    assert all(showing.moment.at <= half for showing in first)
    assert not programme(plan.stories, everything[-1].moment.at + 1)


@pytest.mark.parametrize("language", ["en", "he"])
def test_the_timetable_has_a_line_for_every_moment(language: str) -> None:
    plan = course(Remembered("simulation", 5, 1, "2026-01-01", 1440, wall=False))
    showings = programme(plan.stories, plan.live)

    assert timetable(showings, plan.live, 1440, language).row_count == len(showings) > 10  # type: ignore[arg-type]


def test_waits_are_spoken_in_minutes_and_long_ones_in_days() -> None:
    assert spoken(timedelta(minutes=7, seconds=18)) == "7:18 min"
    assert spoken(timedelta(days=3, hours=4)) == "3 d 4 h"
