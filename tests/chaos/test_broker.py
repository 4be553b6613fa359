"""A broker that dies and comes back: its workers wait, and nothing is lost or counted twice."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.topics import ensure
from services.settings import Settings
from streams.scoring.engine import Engine
from tests.chaos.verify import check
from tests.chaos.world import World

pytestmark = pytest.mark.chaos


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A Kafka of the test's own, to be killed."""
    broker = EmbeddedKafka(tmp_path / "kafka")
    broker.start()
    yield broker
    broker.stop()


@pytest.mark.parametrize("away", [3, 30])
async def test_a_broker_outage_is_waited_out(
    broker: EmbeddedKafka, prefix: str, tmp_path: Path, engine: Engine, away: float
) -> None:
    """30 s is beyond the session timeout; the worker neither ends nor forgets."""
    settings = Settings(
        kafka_bootstrap_servers=f"127.0.0.1:{broker.port}",
        prefix=prefix,
        partitions=4,
        session_timeout_seconds=6.0,
        commit_seconds=0.7,
    )
    await ensure(settings)
    world = World(settings, tmp_path)
    try:
        worker = world.worker()
        async with world.traffic(500):
            await world.moved()
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(away)
            await asyncio.to_thread(broker.start)
            await world.moved()
        await world.settled()
        assert worker.process.poll() is None
        assert await worker.end(signal.SIGTERM) == 0
        await check(settings, engine)
        assert len(worker.words().splitlines()) < 40 + 10 * away
    finally:
        await world.close()
