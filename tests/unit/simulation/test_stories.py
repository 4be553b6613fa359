"""Each story happens at the accounts, on the days and in the way that its programme says."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import pytest

from schemas import envelope
from streams.simulation import cast
from streams.simulation.stories import Story
from streams.simulation.weather import on_cluster
from streams.simulation.world import World, events

WORLD = World(accounts=120, seed=1, start=date(2025, 11, 6))
DAYS = 80


class Happening(NamedTuple):
    day: float
    type: str
    account: str
    data: dict[str, Any]


@pytest.fixture(scope="module")
def happenings() -> list[Happening]:
    """Everything that happens to all of them; days count from the stories' Monday."""
    return list(read())


def read() -> Iterator[Happening]:
    """Without the others' usage, which is most of it."""
    cast_keys = {role.account.encode() for role in cast.CAST}
    for at, topic, key, value in events(WORLD, DAYS):
        if topic == "usage" and key not in cast_keys:
            continue
        event = envelope.read(value)
        day = (at - WORLD.instant(WORLD.monday)) / 86_400
        yield Happening(day, event.type.removeprefix("kesher."), event.subject, json.loads(bytes(event.data)))


def of(story: str) -> list[str]:
    return [role.account for role in cast.CAST if role.story == story]


def uses(happenings: list[Happening], account: str) -> Counter[int]:
    """Uses by day."""
    found = (one for one in happenings if one.account == account and one.type == "usage.tracked")
    return Counter(int(one.day // 1) for one in found)


def test_the_stories_begin_on_the_first_monday_after_the_history() -> None:
    monday = date.fromordinal(WORLD.start.toordinal() + WORLD.monday)

    assert monday.weekday() == 0
    assert 0 <= WORLD.monday - WORLD.history < 7


def test_there_are_four_stories_each_with_accounts_moments_and_both_languages() -> None:
    stories = WORLD.stories()

    assert {story.name for story in stories} == {"silent-decline", "outage-week", "champion-leaves", "growth-surge"}
    for story in stories:
        assert story.moments == sorted(story.moments, key=lambda moment: moment.at)
        assert {moment.account for moment in story.moments} <= {account for account, _ in story.accounts}
        for told in (story.title, story.watch, *(moment.told for moment in story.moments)):
            assert any("א" <= letter <= "ת" for letter in told.hebrew), told
            assert told.english.isascii(), told


def test_every_moment_of_the_programme_is_an_event_at_that_account_at_that_time() -> None:
    happened = {(at, key.decode()) for at, _, key, _ in events(WORLD, DAYS)}

    for story in WORLD.stories():
        for moment in story.moments:
            assert (moment.at, moment.account) in happened, moment


def test_all_turns_come_within_eleven_days() -> None:
    first = WORLD.instant(WORLD.monday)

    assert all(first <= moment.at < first + 11 * 86_400 for story in WORLD.stories() for moment in story.moments)


def test_silent_decline_fades_and_then_stops_without_a_complaint(happenings: list[Happening]) -> None:
    (account,) = of("silent-decline")
    used = uses(happenings, account)
    before, fading = (sum(used[day] for day in span) for span in (range(-39, -25), range(-11, 3)))

    assert 0 < fading < 0.5 * before
    assert not any(used[day] for day in range(cast.STOPS, DAYS))
    assert not [one for one in happenings if one.account == account and one.day > 0 and "urgent" in one.data.values()]


def test_outage_week_brings_urgent_tickets_and_detractors_to_many_accounts(happenings: list[Happening]) -> None:
    hit = {account for account, here in zip(WORLD.people.ids, on_cluster(WORLD.people), strict=True) if here}
    week = [one for one in happenings if cast.OUTAGE[0] <= one.day < cast.OUTAGE[-1] + 2]
    urgent = {one.account for one in week if one.type == "support.ticket_opened" and one.data["priority"] == "urgent"}
    scores = [one.data["score"] for one in week if one.account in hit and one.data.get("metric") == "nps"]

    assert set(of("outage-week")) <= urgent
    assert len(urgent & hit) > 0.5 * len(hit) > 5
    assert sum(score <= 6 for score in scores) > 0.8 * len(scores) > 4


def test_the_champion_leaves_forty_days_before_renewal_and_use_drops(happenings: list[Happening]) -> None:
    (account,) = of("champion-leaves")
    ours = [one for one in happenings if one.account == account]
    (left,) = [one for one in ours if one.type == "profile.member_removed" and one.data["role"] == "champion"]
    renewal = date.fromisoformat(next(one.data["renews_at"] for one in ours if one.type == "profile.updated"))
    used = uses(happenings, account)

    assert (renewal - WORLD.start).days - WORLD.monday - int(left.day) == cast.RENEWS_AFTER
    assert sum(used[day] for day in range(2, 16)) < 0.4 * sum(used[day] for day in range(-13, 1))
    assert any(one.type == "usage.viewed" and one.data["name"] == "cancel" and one.day > left.day for one in ours)


def test_growth_surge_fills_the_seats_meets_the_limit_and_buys_more(happenings: list[Happening]) -> None:
    (account,) = of("growth-surge")
    ours = [one for one in happenings if one.account == account]
    counted = [(one.day, one.data["seats_used"]) for one in ours if "seats_used" in one.data]
    limits = [one.day for one in ours if one.type == "usage.limit_reached"]
    (bought,) = [one for one in ours if one.type == "purchase.subscription_changed" and one.day > 0]
    filling = [seats for day, seats in counted if day < cast.BUYS]

    assert filling == sorted(filling)
    assert filling[0] < 0.5 * filling[-1]
    assert filling[-1] == 20
    assert limits
    assert cast.FULL < limits[0] < bought.day
    assert bought.data["seats"] == 30
    assert any(one.data.get("score") == 10 for one in ours if cast.FULL < one.day < bought.day)


def test_a_world_smaller_than_the_cast_tells_the_stories_it_can() -> None:
    stories: list[Story] = World(2, 1, date(2026, 1, 4)).stories()

    assert [story.name for story in stories] == ["silent-decline", "outage-week"]
