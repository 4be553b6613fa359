"""`kesher topics`: everything is created once, drift is told and corrected where nothing can be lost."""

import asyncio
from datetime import timedelta

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.errors import Refused, RetryLater
from schemas.topics import CHANGELOG, HEALTH, SCORECARDS, TOPICS, USAGE
from services.adapters.topic_ids import topic_ids
from services.adapters.topic_shapes import Shape, judge, wanted
from services.adapters.topics import Report, check, connected, ensure
from services.settings import Settings

YEAR = timedelta(days=365)


async def test_every_topic_is_created_and_a_second_time_kept(kafka: str, prefix: str) -> None:
    settings = Settings(kafka_bootstrap_servers=kafka, prefix=prefix, partitions=3)
    names = {topic.full(prefix) for topic in TOPICS}

    assert set((await ensure(settings)).created) == names
    again = await ensure(settings)
    assert set(again.kept) == names
    assert not again.created
    assert not again.remarks
    async with connected(kafka) as admin:
        described = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics()}
    assert described[USAGE.full(prefix)] == 3
    assert described[SCORECARDS.full(prefix)] == 1


async def test_two_processes_may_create_them_at_once(kafka: str, prefix: str) -> None:
    settings = Settings(kafka_bootstrap_servers=kafka, prefix=prefix)

    await asyncio.gather(ensure(settings), ensure(settings))

    assert not (await check(settings)).created


async def test_another_partition_count_is_refused_in_a_sentence(topics: Settings) -> None:
    with pytest.raises(Refused, match=r"4 partitions are there and 16 are wanted.*KESHER_PARTITIONS=4"):
        await ensure(topics.model_copy(update={"partitions": 16}))


async def test_longer_retention_is_set_and_shorter_is_left_to_a_person(topics: Settings) -> None:
    await ensure(topics.model_copy(update={"retention_days": 500}))
    shorter = topics.model_copy(update={"retention_days": 30})

    report = await eventually_remarked(shorter)

    assert not report.corrected
    assert "lowering it deletes records" in report.remarks[0]


async def test_settings_of_a_persons_own_survive_a_correction(topics: Settings) -> None:
    name = HEALTH.full(topics.prefix)
    async with connected(topics.kafka_bootstrap_servers) as admin:
        own = {"cleanup.policy": "compact", "retention.ms": str(400 * 86_400_000), "segment.bytes": "33554432"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, own)])
        await eventually_set(topics, name, "cleanup.policy", "compact")
        await ensure(topics)

        values = await eventually_set(topics, name, "cleanup.policy", "delete")
        assert values["segment.bytes"] == "33554432"


async def test_a_topic_made_again_has_another_id(topics: Settings) -> None:
    name = USAGE.full(topics.prefix)
    first = await topic_ids(topics.kafka_bootstrap_servers, [name, "no-such-topic"])
    async with connected(topics.kafka_bootstrap_servers) as admin:
        await admin.delete_topics([name])
    async with asyncio.timeout(60):
        while await topic_ids(topics.kafka_bootstrap_servers, [name]):
            await asyncio.sleep(0.05)
    await ensure(topics)
    second = await topic_ids(topics.kafka_bootstrap_servers, [name])

    assert set(first) == {name}
    assert len(first[name]) == len(second[name]) == 22
    assert first != second


async def test_a_kafka_that_is_away_is_said_to_be_away(unused_tcp_port: int) -> None:
    settings = Settings(kafka_bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")

    with pytest.raises(RetryLater, match="no Kafka answers"):
        await ensure(settings)
    with pytest.raises(RetryLater, match="KAFKA_BOOTSTRAP_SERVERS"):
        await topic_ids(settings.kafka_bootstrap_servers, ["any"])


def test_three_brokers_mean_three_replicas_of_which_two_must_be_in_sync() -> None:
    shape = wanted(CHANGELOG, partitions=8, retention=YEAR, brokers=5)

    assert shape.replicas == 3
    assert shape.settings["min.insync.replicas"] == "2"
    assert shape.settings["unclean.leader.election.enable"] == "false"
    assert shape.settings["cleanup.policy"] == "compact"
    assert int(shape.settings["min.compaction.lag.ms"]) >= 3_600_000


def test_a_longer_compaction_lag_is_nobodys_mistake() -> None:
    shape = wanted(CHANGELOG, partitions=8, retention=YEAR, brokers=1)
    longer = Shape(8, 1, {**shape.settings, "min.compaction.lag.ms": "7200000"})

    assert not judge(shape, longer).corrections


def test_a_changelog_that_was_not_compacted_is_corrected_and_remarked() -> None:
    shape = wanted(CHANGELOG, partitions=8, retention=YEAR, brokers=1)

    verdict = judge(shape, Shape(8, 1, {**shape.settings, "cleanup.policy": "delete"}))

    assert verdict.corrections == {"cleanup.policy": "compact"}
    assert "may be missing" in verdict.remarks[0]


def test_records_kept_for_ever_are_not_shortened() -> None:
    shape = wanted(USAGE, partitions=8, retention=YEAR, brokers=1)

    assert not judge(shape, Shape(8, 1, {**shape.settings, "retention.ms": "-1"})).corrections


def test_too_few_replicas_are_told_and_not_demanded() -> None:
    shape = wanted(USAGE, partitions=8, retention=YEAR, brokers=3)

    verdict = judge(shape, Shape(8, 1, {**shape.settings, "min.insync.replicas": "1"}))

    assert not verdict.corrections
    assert any("only 1 of 3 replicas" in remark for remark in verdict.remarks)


async def eventually_remarked(settings: Settings) -> Report:
    """Kafka shows a changed setting some moments after it took it."""
    async with asyncio.timeout(60):
        while not (report := await check(settings)).remarks:
            await asyncio.sleep(0.05)
    return report


async def eventually_set(settings: Settings, name: str, setting: str, value: str) -> dict[str, str]:
    async with asyncio.timeout(60), connected(settings.kafka_bootstrap_servers) as admin:
        while True:
            answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
            values = {entry[0]: entry[1] for entry in answers[0].resources[0][4]}
            if values[setting] == value:
                return values
            await asyncio.sleep(0.05)
