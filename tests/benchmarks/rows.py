"""A changelog as a scorer with many accounts leaves it, made without waiting for their years: some thousand
histories are folded and judged, and their rows written under as many keys as wanted."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from aiokafka import AIOKafkaProducer

from schemas.topics import CHANGELOG, PROFILES, SOURCES
from streams.lane.outbox import Message as Row
from streams.lane.writer import acknowledged, send
from streams.scoring.engine import Engine, Slice
from tests.benchmarks.stage import World
from tests.benchmarks.traffic import BODY, PARTITIONS, TOPICS, Accounts, Message, Span, accounts, events

TEMPLATES = 4_000
EVENTS_EACH = 80
DAYS = 60
DAY = 86_400.0
AT_ONCE = 20_000
POLL = 20_000


class Record(NamedTuple):
    """What the reader sees of a Kafka record."""

    key: bytes
    offset: int
    timestamp: int
    value: bytes


class Templates(NamedTuple):
    """The layout's own record, and rows by partition."""

    layout: tuple[bytes, bytes]
    rows: list[list[bytes]]


async def write(world: World, templates: Templates, of: Accounts) -> None:
    """A row for each of these accounts."""
    changelog = CHANGELOG.full(world.settings.prefix)
    async with AIOKafkaProducer(
        bootstrap_servers=world.settings.kafka_bootstrap_servers, max_batch_size=512 << 10, acks="all"
    ) as producer:
        for partition in range(PARTITIONS):
            await acknowledged(await send(producer, changelog, partition, [(*templates.layout, ())]))
            rows = _rows(of, partition, templates.rows[partition])
            while several := list(islice(rows, AT_ONCE)):
                await acknowledged(await send(producer, changelog, partition, several))


def _rows(of: Accounts, partition: int, values: Sequence[bytes]) -> Iterator[Row]:
    mine = (key for key, place in zip(of.keys, of.partitions, strict=True) if place == partition)
    return ((key, values[number % len(values)], ()) for number, key in enumerate(mine))


def templates(engine: Engine, now: float) -> Templates:
    """Some thousand histories as they stand at `now`, as rows no source offset holds back; `engine` must be new."""
    made = accounts(TEMPLATES, "template")
    span = Span(now - DAYS * DAY, now - 60)
    offsets: dict[tuple[int, int], int] = {}
    for chunk in (_profiles(made, span.start), *events(made, TEMPLATES * EVENTS_EACH, span, seed=7)):
        reading = engine.read(_slices(chunk, offsets, now))
        assert not reading.rejects, reading.rejects[0].reason
        assert reading.batch is not None
        engine.absorb(reading.batch)
    engine.sweep(now, 0, engine.accounts.size)
    at = np.arange(engine.accounts.size)
    engine.accounts.rows["offsets"][at] = 0
    values: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    for partition, value in zip(engine.accounts.rows["partition"][at].tolist(), engine.accounts.take(at), strict=True):
        values[partition].append(value)
    return Templates(engine.accounts.layout_record(), values)


def _slices(chunk: Sequence[Message], offsets: dict[tuple[int, int], int], now: float) -> list[Slice]:
    """As a poll would find them."""
    found: dict[tuple[int, int], list[Record]] = {}
    for message in chunk:
        place = message.topic, message.partition
        offsets[place] = offset = offsets.get(place, -1) + 1
        found.setdefault(place, []).append(Record(message.key, offset, int(now * 1000), message.value))
    return [Slice(_source(topic), partition, records) for (topic, partition), records in found.items()]


def _source(topic: int) -> int:
    return SOURCES.index(TOPICS[topic] if topic < len(TOPICS) else PROFILES)


def _profiles(of: Accounts, at: float) -> list[Message]:
    """Who these accounts are."""
    time_ = np.datetime_as_string(np.datetime64(int(at * 1000), "ms"))
    return [
        Message(
            len(TOPICS),
            partition,
            key,
            (BODY % ("p", number, "profile.updated", name, time_, _profile(number))).encode(),
        )
        for number, (name, key, partition) in enumerate(zip(*of, strict=True))
    ]


def _profile(number: int) -> str:
    plan, segment = ("starter", "team", "business")[number % 3], ("smb", "midmarket", "enterprise")[number % 3]
    return (
        f'"name":"Company {number}","plan":"{plan}","segment":"{segment}","owner":"csm-{number % 40}",'
        f'"seats_bought":{5 + number % 40},"seats_used":{3 + number % 30}'
    )
