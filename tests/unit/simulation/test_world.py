"""The simulated customers: the same seed gives the same bytes, in order, readable, and lived like working people do."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from schemas import envelope
from schemas.envelope import Event
from schemas.events import INPUTS
from streams.simulation.calendars import ZONES, offset_hours
from streams.simulation.personas import PERSONAS
from streams.simulation.spell import Record
from streams.simulation.world import World, events

START = date(2026, 1, 4)
WORLD = World(accounts=60, seed=7, start=START)
GOLDEN = "fa42a257526b2ef0eb384fd1fab841341102190358b43edc796444ff7cdcc8b1"


def digest(records: Iterable[Record]) -> str:
    whole = hashlib.sha256()
    for at, topic, key, value in records:
        whole.update(b"%r %s %s %s\n" % (at, topic.encode(), key, value))
    return whole.hexdigest()


@pytest.fixture(scope="module")
def lived() -> list[Record]:
    return list(events(WORLD, 90))


@pytest.fixture(scope="module")
def told(lived: list[Record]) -> list[Event]:
    return [envelope.read(value) for *_, value in lived]


def test_the_same_seed_gives_the_bytes_it_always_gave(lived: list[Record]) -> None:
    """A changed hash means that every recorded world changed: do it knowingly."""
    assert digest(lived) == GOLDEN


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_with_another_hash_seed_gives_the_same_bytes(hash_seed: str) -> None:
    program = (
        "import hashlib, datetime; from streams.simulation.world import World, events;"
        "w = World(30, 7, datetime.date(2026, 1, 4));"
        "print(hashlib.sha256(b''.join(r[3] for r in events(w, 5))).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    here = hashlib.sha256(b"".join(record[3] for record in events(World(30, 7, START), 5))).hexdigest()

    assert other.stdout.strip() == here


def test_another_seed_gives_another_world() -> None:
    assert digest(events(World(30, 1, START), 3)) != digest(events(World(30, 2, START), 3))


def test_events_come_in_time_order_within_their_days(lived: list[Record]) -> None:
    times = [at for at, *_ in lived]

    assert times == sorted(times)
    assert WORLD.instant(0) <= times[0]
    assert times[-1] < WORLD.instant(90)


def test_every_event_passes_the_border_with_its_own_time_key_and_topic(lived: list[Record], told: list[Event]) -> None:
    for (at, topic, key, _), event in zip(lived, told, strict=True):
        assert event.subject.encode() == key
        assert envelope.instant(event.time or "") == at
        assert INPUTS[event.type].topic.name == topic


def test_no_two_events_share_an_id(told: list[Event]) -> None:
    assert len({event.id for event in told}) == len(told)


def test_events_hold_no_field_that_their_type_does_not_name(told: list[Event]) -> None:
    for event in told:
        known = {field.encode_name for field in msgspec.structs.fields(INPUTS[event.type].data)}
        assert msgspec.json.decode(event.data).keys() <= known, event


def test_fewer_days_are_the_beginning_of_more(lived: list[Record]) -> None:
    few = list(events(WORLD, 20))

    assert few == lived[: len(few)]


@pytest.mark.parametrize("day", [0.37, 61.25, 89.9])
def test_from_any_instant_on_the_same_events_follow(lived: list[Record], day: float) -> None:
    since = WORLD.instant(day)

    assert list(events(WORLD, 90, since)) == [record for record in lived if record[0] >= since]


def test_only_history_says_that_it_is_history() -> None:
    world = World(30, 7, START, history=5, backfill=True)
    for at, _, _, value in events(world, 10):
        assert envelope.read(value).backfill == (at < world.instant(5))


def test_all_kinds_of_event_occur(told: list[Event]) -> None:
    missing = INPUTS.keys() - {event.type for event in told}

    assert missing <= {"kesher.purchase.order_placed", "kesher.purchase.refund_issued"}


def test_working_weeks_begin_on_sunday_in_israel_and_on_monday_elsewhere(told: list[Event]) -> None:
    used: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    places = {account: place for place, account in enumerate(WORLD.people.ids)}
    for event in told:
        if event.type == "kesher.usage.tracked":
            place = places[event.subject]
            moment = datetime.fromtimestamp(envelope.instant(event.time or ""), UTC)
            zone = ZONES[WORLD.people.zone[place]]
            local = moment + timedelta(hours=offset_hours(zone, moment.date()))
            used[bool(WORLD.people.hebrew[place])][f"{local:%a}"] += 1
    israel, elsewhere = used[True], used[False]

    assert max(israel["Fri"], israel["Sat"]) < 0.2 * min(israel[day] for day in ("Sun", "Mon", "Tue", "Wed", "Thu"))
    weekdays = ("Mon", "Tue", "Wed", "Thu", "Fri")
    assert max(elsewhere["Sat"], elsewhere["Sun"]) < 0.2 * min(elsewhere[day] for day in weekdays)


def test_people_work_by_day_in_their_own_zone(told: list[Event]) -> None:
    hours: Counter[int] = Counter()
    places = {account: place for place, account in enumerate(WORLD.people.ids)}
    for event in told:
        if event.type == "kesher.usage.tracked":
            moment = datetime.fromtimestamp(envelope.instant(event.time or ""), UTC)
            zone = ZONES[WORLD.people.zone[places[event.subject]]]
            hours[int((moment.hour + moment.minute / 60 + offset_hours(zone, moment.date())) % 24)] += 1

    assert sum(hours[hour] for hour in range(8, 18)) > 0.85 * sum(hours.values())


def test_every_persona_lives_here() -> None:
    people = World(300, 1, START).people

    assert {PERSONAS[persona].name for persona in people.persona} == {persona.name for persona in PERSONAS}


def test_israeli_customers_have_hebrew_names_and_owners(told: list[Event]) -> None:
    def in_hebrew(text: str) -> bool:
        return any("א" <= letter <= "ת" for letter in text)

    people = dict(zip(WORLD.people.ids, WORLD.people.hebrew.tolist(), strict=True))
    for event in told:
        profile = msgspec.json.decode(event.data)
        if event.type == "kesher.profile.updated" and "name" in profile:
            assert {in_hebrew(profile[field]) for field in ("name", "owner")} == {people[event.subject]}
    assert 0.2 < sum(people.values()) / len(people) < 0.6


def test_tickets_are_resolved_after_they_were_opened(told: list[Event]) -> None:
    opened: set[tuple[str, str]] = set()
    for event in told:
        if event.type.startswith("kesher.support"):
            ticket = (event.subject, msgspec.json.decode(event.data)["ticket"])
            assert event.type == "kesher.support.ticket_opened" or ticket in opened
            opened.add(ticket)


def test_paying_customers_pay_once_a_month(told: list[Event]) -> None:
    paid = Counter(event.subject for event in told if event.type == "kesher.purchase.invoice_paid")
    months = Counter(paid.values())

    assert months[3] > 0.7 * sum(months.values())
    assert max(months) <= 4
