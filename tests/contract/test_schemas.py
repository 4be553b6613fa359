"""The schemas that are checked in are those of the types, break nobody, and describe what really travels."""

import copy
from datetime import date
from typing import Any

import jsonschema
import msgspec
import pytest

from schemas.compatibility import Side, breaking
from schemas.documents import documents
from schemas.topics import TOPICS
from services.cli.schemas import breaks, everything, stored
from streams.simulation.world import World, events


def test_nothing_that_others_rely_on_was_broken() -> None:
    assert breaks(stored(), everything()) == []


def test_what_is_checked_in_is_what_the_types_say() -> None:
    made, there = everything(), stored()

    assert [path for path in sorted(made.keys() | there.keys()) if made.get(path) != there.get(path)] == [], (
        "run `make schemas`"
    )


def test_simulated_events_are_valid() -> None:
    validators = {
        path.removeprefix("inputs/").removesuffix(".json"): jsonschema.Draft202012Validator(schema)
        for path, schema in documents().items()
        if path.startswith("inputs/")
    }
    seen = set()

    for _, _, _, event in events(World(40, 7, start=date(2026, 1, 5), history=7), 21):
        decoded = msgspec.json.decode(event)
        validators[decoded["type"]].validate(decoded)
        seen.add(decoded["type"])

    assert len(seen) > 10


def test_every_topic_is_in_the_asyncapi_document_and_every_reference_leads_somewhere() -> None:
    made = documents()
    asyncapi = made["asyncapi.json"]

    assert asyncapi["channels"].keys() == {topic.name for topic in TOPICS}
    for reference in _references(asyncapi):
        if reference.startswith("#/"):
            place = asyncapi
            for step in reference[2:].split("/"):
                place = place[step]
        else:
            assert reference.removeprefix("./") in made


def _references(document: Any) -> list[str]:
    match document:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for value in document.values() for found in _references(value)]
        case list():
            return [found for value in document for found in _references(value)]
    return []


ORDER = "inputs/kesher.purchase.order_placed.json"
HEALTH = "facts/kesher.health.changed.json"


def changed(path: str, change: str) -> list[str]:
    """The problems after running a statement over a copy of a document, its data named `data`."""
    side: Side = "inputs" if path.startswith("inputs/") else "facts"
    old = documents()[path]
    new = copy.deepcopy(old)
    name = new["properties"]["data"]["$ref"].rpartition("/")[2]
    exec(change, {"new": new, "data": new["$defs"][name]})  # noqa: S102 -- the statements are those below
    return breaking(side, old, new)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (ORDER, "del data['properties']['amount']"),
        (ORDER, "data['properties']['amount'] = {'type': 'number'}"),
        (ORDER, "data['required'] = ['amount']"),
        (ORDER, "data['properties']['plan']['anyOf'][0]['maxLength'] = 10"),
        (ORDER, "data['properties']['currency']['anyOf'][0]['pattern'] = '^[A-Z]{2}$'"),
        (ORDER, "new['required'].append('time')"),
        ("inputs/kesher.support.ticket_opened.json", "data['properties']['priority']['enum'].remove('low')"),
        (HEALTH, "del data['properties']['reasons']"),
        (HEALTH, "data['required'].remove('coverage')"),
        (HEALTH, "data['properties']['band']['enum'].append('blue')"),
        (HEALTH, "data['properties']['coverage'] = {'anyOf': [{'type': 'number'}, {'type': 'null'}]}"),
    ],
)
def test_a_change_that_breaks_someone_is_named(path: str, change: str) -> None:
    assert changed(path, change) != []


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (ORDER, "data['properties']['coupon'] = {'type': 'string'}"),
        (ORDER, "data['properties']['plan']['anyOf'][0]['maxLength'] = 10_000"),
        (ORDER, "data['description'] = 'other words'"),
        ("inputs/kesher.support.ticket_opened.json", "data['properties']['priority']['enum'].append('whenever')"),
        (HEALTH, "data['properties']['median'] = {'type': 'number'}"),
        (HEALTH, "data['properties']['band']['enum'].remove('amber')"),
    ],
)
def test_a_change_that_breaks_nobody_passes(path: str, change: str) -> None:
    assert changed(path, change) == []


def test_a_type_that_is_gone_is_named() -> None:
    old = documents()
    new = {path: document for path, document in old.items() if path != ORDER}

    assert breaks(old, new) == ["inputs/kesher.purchase.order_placed removed"]
