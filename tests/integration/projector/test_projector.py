"""The projector on real Kafka and Postgres."""

import asyncio
from itertools import islice, pairwise
from random import Random
from typing import Any

import asyncpg
import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import CollectorRegistry, Counter

from schemas import envelope
from schemas.envelope import Event
from schemas.errors import StateConflict, Superseded
from services.adapters import clock
from services.adapters.postgres import open_pool
from services.adapters.topics import ensure
from services.projector.batch import fold
from services.projector.meters import Meters
from services.projector.project import Projector
from services.projector.upsert import Move, apply, positions
from services.settings import Settings
from tests.facts import churn_risk, health_changed, histories
from tests.integration.projector.projecting import offsets, projecting, send, tell, until, until_applied
from tests.integration.projector.replay import logs, replayed, stored
from tests.unit.projector.test_rows import record

NOISE = [("health", b"x", b"{"), ("churn-risk", b"x", None), ("upsell", None, b"{}")]


async def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    """A query's rows."""
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


def counted(metric: Counter) -> float:
    """A counter's sum over its labels."""
    return sum(s.value for family in metric.collect() for s in family.samples if s.name.endswith("_total"))


async def test_rows_equal_a_replay_of_the_facts(topics: Settings, database: str) -> None:
    await send(topics, NOISE)
    await tell(topics, histories(seed=1, accounts=40, decisions=30))
    await send(topics, NOISE)

    async with projecting(topics, database):
        await until_applied(topics, database)

    assert await stored(database) == replayed((await logs(topics)).values())


async def test_inputs_become_activities_and_people(topics: Settings, database: str) -> None:
    def event(kind: str, at: str, data: bytes) -> tuple[str, bytes, bytes]:
        made = Event(id=at, source="test", type=f"kesher.{kind}", subject="acme", time=at, data=msgspec.Raw(data))
        topic = "profiles" if kind.startswith("profile") else "support"
        return topic, b"acme", envelope.encode(made)

    await send(
        topics,
        [
            event("profile.member_added", "2026-01-01", b'{"user":"noa","role":"champion"}'),
            event("profile.member_added", "2026-01-02", b'{"user":"eli"}'),
            event("profile.member_removed", "2026-01-03", b'{"user":"noa"}'),
            event("support.ticket_opened", "2026-01-04", b'{"ticket":"7","mine":"kept\\u0000"}'),
            event("support.ticket_opened", "2026-01-04", b'{"priority":"tremendous"}'),
        ],
    )
    async with projecting(topics, database):
        await until_applied(topics, database)

    assert await rows(database, "SELECT user_id, role, left_at IS NULL FROM members ORDER BY 1") == [
        ("eli", None, True),
        ("noa", "champion", False),
    ]
    told = await rows(database, "SELECT type, data->>'mine' FROM activities WHERE type ~ 'support' ORDER BY at")
    assert told == [("kesher.support.ticket_opened", "kept�")]
    assert await rows(database, "SELECT * FROM accounts") == []


@pytest.mark.parametrize("seed", range(3))
async def test_rows_are_the_same_however_the_facts_are_cut_into_batches(
    seed: int, database: str, postgres: str
) -> None:
    records = [record(told) for told in histories(seed, accounts=12, decisions=25)]
    chance = Random(seed)
    pool = await open_pool(database)
    await positions(pool, [("kesher.health", 0)], {})
    left, written = iter(records), 0
    generations: dict[tuple[str, int], int] = {}
    while some := list(islice(left, chance.choice((1, 3, 50)))):
        batch = fold(some, "kesher", generations)
        generations = batch.generations
        await apply(pool, batch, [Move("kesher.health", 0, written, written + 1, 1)])
        written += 1
    await pool.close()

    by_topic: dict[str, list[bytes]] = {}
    for one in records:
        by_topic.setdefault(one.topic, []).append(one.value or b"")
    assert await stored(database) == replayed(by_topic.values())


async def test_offsets_that_another_moved_undo_the_whole_batch(database: str) -> None:
    pool = await open_pool(database)
    await positions(pool, [("kesher.health", 0), ("kesher.health", 1)], {})
    batch = fold([record(health_changed("acme", 1))], "kesher", {})
    await apply(pool, batch, [Move("kesher.health", 0, 0, 1, 1)])

    with pytest.raises(Superseded, match=r"kesher.health\[0\] at 0"):
        await apply(
            pool,
            fold([record(health_changed("acme", 2)), record(health_changed("other", 1))], "kesher", {}),
            [Move("kesher.health", 0, 0, 5, 1), Move("kesher.health", 1, 0, 5, 1)],
        )
    await pool.close()

    assert await rows(database, "SELECT account_id, sequence FROM accounts") == [("acme", 1)]
    assert await rows(database, "SELECT next_offset FROM projector_offsets ORDER BY 1") == [(0,), (1,)]


async def test_a_record_that_postgres_cannot_hold_is_skipped_and_its_neighbours_stay(
    topics: Settings, database: str
) -> None:
    facts = list(histories(seed=5, accounts=10, decisions=10))
    await tell(topics, facts[:60])
    await tell(topics, [churn_risk("raised", "account-0003", 999, episode=2**40), health_changed("vast", 2**70)])
    await tell(topics, facts[60:])

    async with projecting(topics, database) as projector:
        await until_applied(topics, database)

    assert counted(projector._meters.unreadable) == 2
    expected = replayed(
        [value for value in log if b"vast" not in value and b"1099511627776" not in value]
        for log in (await logs(topics)).values()
    )
    assert await stored(database) == expected


async def test_two_projectors_fighting_over_every_partition_write_each_record_once(
    topics: Settings, database: str
) -> None:
    seen: list[dict[tuple[str, int], int]] = []

    async def watch() -> None:
        while True:
            seen.append(await offsets(database))
            await asyncio.sleep(0.01)  # samples of what must never go back

    watching = asyncio.create_task(watch())
    async with projecting(topics, database, "one") as one, projecting(topics, database, "two") as two:
        told = histories(seed=3, accounts=25, decisions=80)
        while some := list(islice(told, 300)):
            await tell(topics, some)
        await until_applied(topics, database)
    watching.cancel()

    assert counted(one._meters.conflicts) + counted(two._meters.conflicts) > 0
    assert await stored(database) == replayed((await logs(topics)).values())
    for before, after in pairwise(seen):
        assert all(after[place] >= offset for place, offset in before.items())


async def test_a_topic_that_was_deleted_and_made_again_is_refused(topics: Settings, database: str) -> None:
    await tell(topics, histories(seed=2, accounts=5, decisions=3))
    async with projecting(topics, database):
        await until_applied(topics, database)
    health = f"{topics.prefix}.health"
    admin = AIOKafkaAdminClient(bootstrap_servers=topics.kafka_bootstrap_servers)
    await admin.start()
    await admin.delete_topics([health])
    await admin.close()

    async def made_again() -> bool:
        return health in (await ensure(topics)).created

    await until(made_again)
    await tell(topics, histories(seed=2, accounts=50, decisions=9))

    pool = await open_pool(database)
    projector = Projector(topics, pool, Meters(CollectorRegistry()), clock.now)
    with pytest.raises(StateConflict, match=rf"{health}: deleted and made again .* --rebuild"):
        await asyncio.wait_for(projector.run(asyncio.Event()), 30)
    await pool.close()


async def test_missing_topics_are_waited_for_with_a_reason(kafka: str, prefix: str, database: str) -> None:
    settings = Settings(kafka_bootstrap_servers=kafka, prefix=prefix, partitions=2)

    async with projecting(settings, database) as projector:

        async def told() -> bool:
            return "kesher topics" in str(projector.trouble)

        await until(told)
        await ensure(settings)
        await tell(settings, [health_changed("acme", 1)])
        await until_applied(settings, database)

        assert projector.trouble is None
