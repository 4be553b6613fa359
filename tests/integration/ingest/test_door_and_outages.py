"""What the door says while Kafka or Postgres is away, and to browsers and monitors."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.topics import ensure
from services.settings import Settings
from tests.integration.ingest.opened_door import OpenDoor, opened, until_ready

CALL = {"event": "x", "userId": "u", "messageId": "m"}


@pytest.fixture
def broker(data_directory: Path) -> Iterator[EmbeddedKafka]:
    """A broker of the test's own, to be stopped and started."""
    broker = EmbeddedKafka(data_directory)
    yield broker
    broker.stop()


async def test_nothing_is_taken_before_kafka_has_ever_been_there(settings_for: Callable[..., Settings]) -> None:
    async with opened(settings_for(kafka_bootstrap_servers="127.0.0.1:1")) as door:
        answer = await door.http.post("/v1/track", json=CALL)
        ready = await door.http.get("/readyz")

        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["Kafka has not been reached yet"])
        assert (await door.http.get("/healthz")).status_code == 200


async def test_an_outage_of_kafka_is_never_a_success_and_heals(
    broker: EmbeddedKafka, settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(kafka_bootstrap_servers=broker.start(), produce_timeout_seconds=3.0)
    await ensure(settings)
    async with opened(settings) as door:
        await until_ready(door)
        assert (await door.http.post("/v1/track", json=CALL)).status_code == 200
        broker.stop()

        batch = [CALL | {"type": "track", "messageId": "a"}, {"type": "alias", "messageId": "b"}]
        first = await door.http.post("/v1/batch", json={"batch": batch})
        second = await door.http.post("/v1/track", json=CALL | {"messageId": "c"})

        assert (first.status_code, first.json()["success"], first.json()["accepted"]) == (503, False, 0)
        assert [one["id"] for one in first.json()["unacknowledged"]] == ["a"]
        assert "Retry-After" in first.headers
        assert second.status_code == 429
        assert "Kafka does not acknowledge" in (await door.http.get("/readyz")).json()["reasons"]

        broker.start()
        await until_ready(door, seconds=30)
        assert (await door.http.post("/v1/track", json=CALL | {"messageId": "d"})).status_code == 200
        assert {event["id"] for event in await door.events()} == {"m", "a", "d"}


async def test_more_waiting_bytes_than_allowed_are_turned_down(
    broker: EmbeddedKafka, settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(kafka_bootstrap_servers=broker.start(), produce_timeout_seconds=3.0, max_waiting_bytes=100)
    await ensure(settings)
    async with opened(settings) as door:
        await until_ready(door)
        assert (await door.http.post("/v1/track", json=CALL)).status_code == 200
        broker.stop()

        assert (await door.http.post("/v1/track", json=CALL)).status_code == 503
        assert (await door.http.post("/v1/track", json=CALL)).status_code == 429


async def test_without_postgres_a_known_key_and_user_still_pass(door: OpenDoor) -> None:
    assert (await door.http.post("/v1/track", json=CALL)).status_code == 200
    await door.pool.close()

    assert (await door.http.post("/v1/track", json=CALL)).status_code == 200
    stranger = await door.http.post("/v1/track", json=CALL | {"userId": "stranger"})
    assert (stranger.status_code, stranger.headers["content-type"]) == (503, "application/problem+json")
    assert (await door.http.post("/v1/track", json=CALL, auth=("another key", ""))).status_code == 503
    assert (await door.http.get("/readyz")).status_code == 503


async def test_pages_of_other_sites_may_send_only_when_allowed(
    door: OpenDoor, settings_for: Callable[..., Settings]
) -> None:
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}

    closed = await door.http.options("/v1/track", headers=preflight)
    async with opened(settings_for(cors_origins="https://shop.example")) as open_door:
        asked = await open_door.http.options("/v1/track", headers=preflight)
        stranger = await open_door.http.options("/v1/track", headers=preflight | {"Origin": "https://evil.example"})
        metrics = await open_door.http.get("/metrics", headers=preflight)

    assert (closed.status_code, "access-control-allow-origin" in closed.headers) == (204, False)
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in stranger.headers
    assert "access-control-allow-origin" not in metrics.headers


async def test_what_passes_is_counted_by_outcome(door: OpenDoor) -> None:
    await door.http.post("/v1/batch", json={"batch": [CALL | {"type": "track"}, {"type": "alias"}, {}]})

    metrics = (await door.http.get("/metrics")).text

    for outcome in ("accepted", "rejected", "ignored"):
        assert f'kesher_ingest_events_total{{dialect="segment",outcome="{outcome}"}} 1.0' in metrics
    assert 'route="/v1/batch",status="200"' in metrics
    assert "kesher_ingest_waiting_bytes 0.0" in metrics


@pytest.mark.parametrize("path", ["healthz", "readyz", "metrics"])
async def test_probes_answer_head_requests(door: OpenDoor, path: str) -> None:
    assert (await door.http.head(f"/{path}")).status_code == 200


async def test_an_unknown_path_is_a_problem_in_words(door: OpenDoor) -> None:
    answer = await door.http.post("/v1/nothing")

    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
