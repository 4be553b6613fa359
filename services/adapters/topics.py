"""Topics on the broker: created when missing, checked and corrected when there."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.errors import Refused, RetryLater
from schemas.topics import TOPICS
from services.adapters.clock import monotonic
from services.adapters.outage import PAUSE, expecting_kafka
from services.adapters.topic_ids import topic_ids
from services.adapters.topic_shapes import Shape, Verdict, judge, wanted
from services.settings import Settings

__all__ = ["Report", "check", "connected", "ensure", "topic_ids"]
_OWN = 1
"""Where a topic's setting comes from: the topic itself, not the broker's defaults."""
_NAMED = 3
_LEADERS_SECONDS = 30.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Report:
    """What was found; `created` and `corrected` were done, or are to do when only checked."""

    created: tuple[str, ...] = ()
    corrected: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """A topic on the broker; `own` are the settings that it does not inherit."""

    shape: Shape
    own: Mapping[str, str]


async def check(settings: Settings) -> Report:
    """Compare every topic with what it should be and change nothing.  RetryLater while Kafka is away."""
    async with connected(settings.kafka_bootstrap_servers) as admin:
        shapes = await _shapes(admin, settings)
        return _report(shapes, await _find(admin, shapes))


async def ensure(settings: Settings) -> Report:
    """Create what is missing, correct what can be corrected without loss; may run in several processes at once.

    Refused, before anything is changed, when a topic has another partition count.  RetryLater while Kafka is away."""
    async with connected(settings.kafka_bootstrap_servers) as admin:
        shapes = await _shapes(admin, settings)
        found = await _find(admin, shapes)
        report = _report(shapes, found)
        if report.refusals:
            raise Refused("\n".join(report.refusals))
        await _create(admin, {name: shapes[name] for name in report.created})
        await _correct(admin, report.corrected, found)
        return report


@asynccontextmanager
async def connected(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client; RetryLater, with what to do, when Kafka does not answer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000)
    try:
        with expecting_kafka(bootstrap):
            await admin.start()
            yield admin
    finally:
        await admin.close()


async def _shapes(admin: AIOKafkaAdminClient, settings: Settings) -> dict[str, Shape]:
    brokers = len((await admin.describe_cluster())["brokers"])
    retention = timedelta(days=settings.retention_days)
    return {
        topic.full(settings.prefix): wanted(topic, partitions=settings.partitions, retention=retention, brokers=brokers)
        for topic in TOPICS
    }


async def _find(admin: AIOKafkaAdminClient, names: Collection[str]) -> dict[str, _Found]:
    """Those of the names that exist.  All topics are listed, because asking for one by name may create it."""
    described = [one for one in await admin.describe_topics() if one["topic"] in names]
    sizes = {one["topic"]: (len(one["partitions"]), len(one["partitions"][0]["replicas"])) for one in described}
    if not sizes:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sizes]
    found: dict[str, _Found] = {}
    for answer in await admin.describe_configs(resources):
        for _code, _message, _kind, name, entries in answer.resources:
            values = {entry[0]: entry[1] or "" for entry in entries}
            own = {entry[0]: entry[1] or "" for entry in entries if entry[3] == _OWN}
            found[name] = _Found(Shape(*sizes[name], values), own)
    return found


def _report(shapes: Mapping[str, Shape], found: Mapping[str, _Found]) -> Report:
    verdicts: dict[str, Verdict] = {
        name: judge(shape, found[name].shape) for name, shape in shapes.items() if name in found
    }
    return Report(
        created=tuple(name for name in shapes if name not in found),
        corrected={name: verdict.corrections for name, verdict in verdicts.items() if verdict.corrections},
        remarks=_together({name: verdict.remarks for name, verdict in verdicts.items()}),
        refusals=_together({name: verdict.refusals for name, verdict in verdicts.items()}),
        kept=tuple(name for name, verdict in verdicts.items() if not verdict.corrections),
    )


def _together(sentences: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What is said of several topics is said once: `a, b and 5 more: only 1 of 3 replicas ...`."""
    said: dict[str, list[str]] = {}
    for name, ones in sentences.items():
        for one in ones:
            said.setdefault(one, []).append(name)
    return tuple(f"{_listed(names)}: {sentence}" for sentence, names in said.items())


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


async def _create(admin: AIOKafkaAdminClient, shapes: Mapping[str, Shape]) -> None:
    if not shapes:
        return
    answer = await admin.create_topics(
        [
            NewTopic(name, shape.partitions, shape.replicas, topic_configs=dict(shape.settings))
            for name, shape in shapes.items()
        ]
    )
    for name, code, message in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise Refused(f"{name} could not be created: {message or for_code(code).description}")
    await _await_leaders(admin, list(shapes))


async def _await_leaders(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """A new topic can be used once each partition has a leader."""
    deadline = monotonic() + _LEADERS_SECONDS
    while True:
        described = await admin.describe_topics(list(names))
        if all(one["error_code"] == 0 and _led(one["partitions"]) for one in described):
            return
        if monotonic() > deadline:
            raise RetryLater(f"new topics have no leaders after {_LEADERS_SECONDS:.0f} s: is a broker missing?", PAUSE)
        await asyncio.sleep(_POLL_SECONDS)


def _led(partitions: Sequence[Mapping[str, int]]) -> bool:
    return bool(partitions) and all(one["error_code"] == 0 and one["leader"] >= 0 for one in partitions)


async def _correct(
    admin: AIOKafkaAdminClient, corrections: Mapping[str, Mapping[str, str]], found: Mapping[str, _Found]
) -> None:
    """Kafka replaces all of a topic's own settings at once, so the others are sent along."""
    if not corrections:
        return
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, {**found[name].own, **changes})
        for name, changes in corrections.items()
    ]
    for answer in await admin.alter_configs(resources):
        for code, message, _kind, name in answer.resources:
            if code:
                raise Refused(f"the settings of {name} could not be corrected: {message or for_code(code).description}")
