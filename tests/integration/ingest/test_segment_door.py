"""Segment's calls over real HTTP, into real Kafka."""

import base64
import gzip
from typing import Any

import pytest

from tests.integration.ingest.opened_door import WRITE_KEY, OpenDoor

TRACK = {"event": "Report Opened", "userId": "u1", "context": {"groupId": "acme"}, "messageId": "m1"}


async def test_a_track_reaches_its_topic_before_the_answer(door: OpenDoor) -> None:
    answer = await door.http.post("/v1/track", json=TRACK | {"timestamp": "2026-03-01T10:00:00Z"})

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert await door.events() == [
        {
            "topic": "usage",
            "specversion": "1.0",
            "id": "m1",
            "source": "segment:write",
            "type": "kesher.usage.tracked",
            "subject": "acme",
            "time": "2026-03-01T10:00:00.000Z",
            "data": {"name": "Report Opened", "user": "u1"},
        }
    ]


@pytest.mark.parametrize("path", ["track", "t", "identify", "i", "group", "g", "page", "p", "screen", "s"])
async def test_every_call_has_its_path_and_its_short_one(door: OpenDoor, path: str) -> None:
    answer = await door.http.post(f"/v1/{path}", json={**TRACK, "groupId": "acme", "traits": {"name": "Acme"}})

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


async def test_an_alias_is_taken_and_named_as_ignored(door: OpenDoor) -> None:
    answer = await door.http.post("/v1/alias", json={"previousId": "a", "userId": "b", "messageId": "m"})

    assert answer.json()["ignored"] == [
        {"index": 0, "id": "m", "field": None, "reason": "alias is understood but has no effect yet"}
    ]
    assert (answer.status_code, answer.json()["success"]) == (200, True)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Authorization": "Basic " + base64.b64encode(f"{WRITE_KEY}:".encode()).decode()}, {}),
        ({"Authorization": f"Bearer {WRITE_KEY}"}, {}),
        ({}, {"writeKey": WRITE_KEY}),
    ],
)
async def test_the_key_may_be_in_any_of_three_places(
    door: OpenDoor, headers: dict[str, str], body: dict[str, str]
) -> None:
    door.http.auth = None

    for path, call in (("track", TRACK), ("batch", {"batch": [TRACK | {"type": "track"}]})):
        answer = await door.http.post(f"/v1/{path}", json=call | body, headers=headers)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("key", "status"),
    [("nobody", 401), ("a-revoked-key", 401), ("a-read-key", 403), ("-", 401)],
)
async def test_a_key_that_may_not_write_is_turned_away(door: OpenDoor, key: str, status: int) -> None:
    door.http.auth = None
    headers = {"Authorization": f"Bearer {key}"}

    for path in ("track", "batch", "events"):
        answer = await door.http.post(f"/v1/{path}", json=TRACK | {"batch": []}, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    assert await door.events() == []


async def test_a_batch_keeps_the_neighbours_of_a_bad_call(door: OpenDoor) -> None:
    good = TRACK | {"type": "track"}
    batch: list[Any] = [good | {"messageId": "a"}, "no object", good | {"messageId": "b", "userId": {"no": "id"}}]
    batch += [{"type": "order"}, good | {"messageId": "c"}]

    answer = await door.http.post("/v1/batch", json={"batch": batch})

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 2
    assert [(one["index"], one["field"]) for one in answer.json()["rejected"]] == [
        (1, None),
        (2, "userId"),
        (3, "type"),
    ]
    assert sorted(event["id"] for event in await door.events()) == ["a", "c"]


async def test_a_batch_of_bad_calls_alone_is_a_bad_request(door: OpenDoor) -> None:
    answer = await door.http.post("/v1/batch", json={"batch": [{"type": "track", "event": "x"}]})

    assert (answer.status_code, answer.json()["success"], answer.json()["accepted"]) == (400, False, 0)
    assert answer.json()["rejected"][0]["field"] == "userId"


async def test_an_empty_batch_is_fine(door: OpenDoor) -> None:
    answer = await door.http.post("/v1/batch", json={"batch": []})

    assert (answer.status_code, answer.json()["success"]) == (200, True)


async def test_a_call_without_an_id_gets_one(door: OpenDoor) -> None:
    for _ in range(2):
        await door.http.post("/v1/track", json={"event": "x", "userId": "u"})

    first, second = await door.events()
    assert first["id"] != second["id"]
    assert first["subject"] == "user:u"


async def test_a_user_belongs_to_the_account_heard_earlier_in_the_batch_and_later(door: OpenDoor) -> None:
    calls = [{"type": "identify", "userId": "u9", "context": {"groupId": "acme"}, "traits": {"role": "champion"}}]
    await door.http.post("/v1/batch", json={"batch": [*calls, {"type": "track", "event": "x", "userId": "u9"}]})
    await door.http.post("/v1/track", json={"event": "y", "userId": "u9"})

    assert {event["subject"] for event in await door.events()} == {"acme"}


async def test_a_user_belongs_to_the_account_that_postgres_knows(door: OpenDoor) -> None:
    await door.pool.execute("INSERT INTO members (account_id, user_id, joined_at) VALUES ('globex', 'u3', now())")
    await door.pool.execute("INSERT INTO members (account_id, user_id, left_at) VALUES ('globex', 'u4', now())")

    await door.http.post("/v1/track", json={"event": "x", "userId": "u3"})
    await door.http.post("/v1/track", json={"event": "x", "userId": "u4"})

    assert {event["subject"] for event in await door.events()} == {"globex", "user:u4"}


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_packed_body_is_unpacked(door: OpenDoor, encoding: str) -> None:
    body = b'{"event": "x", "userId": "u"}'
    packed = gzip.compress(body) if encoding == "gzip" else body

    answer = await door.http.post("/v1/track", content=packed, headers={"Content-Encoding": encoding})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "content", "headers", "status"),
    [
        ("track", b"{", {}, 400),
        ("track", b"[]", {}, 400),
        ("track", b"", {}, 400),
        ("track", b'{"event": "\xff", "userId": "u"}', {}, 400),
        ("track", b'{"event": "x", "userId": "u", "properties": ' + b"[" * 20_000 + b"]" * 10_000 + b"}", {}, 400),
        ("track", b'{"event": "' + b"x" * 32_768 + b'", "userId": "u"}', {}, 400),
        ("track", gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}, 400),
        ("track", gzip.compress(b'{"event": "x"}')[:-5], {"Content-Encoding": "gzip"}, 400),
        ("track", b"no gzip", {"Content-Encoding": "gzip"}, 400),
        ("track", b"{}", {"Content-Encoding": "br"}, 415),
        ("batch", b"x" * 512_001, {}, 400),
        ("batch", b'{"batch": {}}', {}, 400),
        ("batch", b"[" * 200_000, {}, 400),
        ("batch", b'{"batch": [{"type": "track", "event": "x", "userId": "u"}', {}, 400),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request(
    door: OpenDoor, path: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await door.http.post(f"/v1/{path}", content=content, headers=headers)

    assert answer.status_code == status
    assert len(answer.text) < 2_000
    assert (answer.json().get("detail") or answer.json()["rejected"][0]["reason"]) != ""
    assert await door.events() == []
