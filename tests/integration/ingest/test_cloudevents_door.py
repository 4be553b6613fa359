"""CloudEvents over real HTTP, into real Kafka."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.integration.ingest.opened_door import OpenDoor

EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/shop",
    "type": "kesher.purchase.order_placed",
    "subject": "לקוח 7",
    "time": "2026-03-01T12:00:00+02:00",
    "data": {"amount": "12.50", "currency": "ILS", "basket": ["a", "b"]},
}
KEPT = EVENT | {"topic": "purchases", "time": "2026-03-01T10:00:00.000Z"}
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


def binary(event: dict[str, Any]) -> dict[str, str]:
    """The attributes as headers."""
    attributes = {name: value for name, value in event.items() if name != "data"}
    return {"Content-Type": "application/json"} | {f"ce-{n}": quote(str(v), safe="/:+") for n, v in attributes.items()}


async def test_a_structured_event_keeps_every_attribute(door: OpenDoor) -> None:
    traced = {"traceparent": "00-ab-cd-01", "backfill": True}

    answer = await door.http.post("/v1/events", content=msgspec.json.encode(EVENT | traced), headers=STRUCTURED)

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert await door.events() == [KEPT | traced]


async def test_a_binary_event_is_the_same_event(door: OpenDoor) -> None:
    answer = await door.http.post("/v1/events", json=EVENT["data"], headers=binary(EVENT | {"backfill": "true"}))

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.text
    assert await door.events() == [KEPT | {"backfill": True}]


async def test_a_batch_keeps_the_neighbours_of_a_bad_event(door: OpenDoor) -> None:
    bad = [
        EVENT | {"id": "absent subject", "subject": None},
        EVENT | {"id": "february", "time": "2026-02-31T00:00:00Z"},
        EVENT | {"id": "amount", "data": {"amount": 1e308}},
        EVENT | {"id": "family", "type": "com.acme.made"},
        EVENT | {"id": "reserved", "subject": "user:7"},
        EVENT | {"id": "version", "specversion": "0.3"},
        EVENT | {"id": "binary", "data_base64": "e30="},
        EVENT | {"id": "control", "subject": "a\0b"},
        EVENT | {"id": "long", "subject": "x" * 10_000},
        EVENT | {"id": "huge", "data": {"reason": "x" * 40_000}},
        17,
    ]
    batch = [EVENT | {"id": "first"}, *bad, EVENT | {"id": "last"}]

    answer = await door.http.post("/v1/events", content=msgspec.json.encode(batch), headers=BATCHED)

    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    rejected = answer.json()["rejected"]
    assert [one["index"] for one in rejected] == list(range(1, len(bad) + 1))
    assert [one["id"] for one in rejected] == [*(one["id"] for one in bad if isinstance(one, dict)), None]
    assert all(one["reason"] for one in rejected)
    assert sorted(event["id"] for event in await door.events()) == ["first", "last"]


async def test_an_unknown_type_of_a_known_family_is_carried(door: OpenDoor) -> None:
    event = EVENT | {"type": "kesher.usage.dreamt_of", "data": {"depth": [1, {"a": None}]}}

    answer = await door.http.post("/v1/events", content=msgspec.json.encode(event), headers=STRUCTURED)

    assert answer.status_code == 200
    assert [event["topic"] for event in await door.events()] == ["usage"]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", STRUCTURED, 400),
        (b"[]", STRUCTURED, 400),
        (b"{}", BATCHED, 400),
        (b"[{]", BATCHED, 400),
        (b"\xff", binary(EVENT), 400),
        (b"{}", binary(EVENT | {"type": ""}), 400),
        (b"{}", binary(EVENT) | {"ce-subject": "%ff"}, 400),
        (b"{}", binary(EVENT) | {"Content-Type": "text/xml"}, 400),
        (b"", binary(EVENT | {"subject": ""}), 400),
        (b"{" * 100_000, BATCHED, 400),
        (b" " * 32_769, STRUCTURED, 413),
        (b" " * 512_001, BATCHED, 413),
        (b"{}", STRUCTURED | {"Content-Encoding": "zstd"}, 415),
    ],
)
async def test_what_cannot_be_read_is_refused(
    door: OpenDoor, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await door.http.post("/v1/events", content=content, headers=headers)

    assert answer.status_code == status, answer.text
    assert await door.events() == []


async def test_an_empty_batch_is_fine(door: OpenDoor) -> None:
    answer = await door.http.post("/v1/events", content=b"[]", headers=BATCHED)

    assert (answer.status_code, answer.json()["success"]) == (200, True)
