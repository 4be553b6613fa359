"""What must be true after any fault: columns equal a recount in plain Python, and every fact left, once."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from schemas.envelope import instant
from schemas.topics import CHANGELOG, FACTS, SOURCES
from services.settings import Settings
from streams.lane.changelog import LAYOUT, OWNER, Ledger, owed
from streams.scoring.compile import BANDS
from streams.scoring.engine import Engine

DAY = 86_400.0
PRIORITIES = {"low": 1, "normal": 1, "high": 2, "urgent": 4}


async def read_all(bootstrap: str, topics: Iterable[str]) -> dict[str, list[Any]]:
    """Every record of these topics, by topic, in log order within each partition."""
    found: dict[str, list[Any]] = {topic: [] for topic in topics}
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        tps = []
        for topic in found:
            await consumer._client._wait_on_metadata(topic)
            tps += [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        ends = await consumer.end_offsets(tps)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                found[tp.topic] += records
    return found


@dataclass
class Counted:
    """An account as a plain loop over its events sees it."""

    offsets: list[int] = field(default_factory=lambda: [0] * len(SOURCES))
    usage: list[tuple[float, float]] = field(default_factory=list)
    support: list[tuple[float, float]] = field(default_factory=list)
    failed: list[tuple[float, float]] = field(default_factory=list)
    spend: list[tuple[float, float]] = field(default_factory=list)
    last: float = 0.0
    """Greatest event time."""

    def sum(self, name: str, half_life: float) -> float:
        """The decayed sum at `last`."""
        return sum(worth * 2 ** ((at - self.last) / half_life) for at, worth in getattr(self, name))


def recount(records: Mapping[str, Sequence[Any]], prefix: str) -> dict[bytes, Counted]:
    """Every event of the sources, one by one."""
    accounts: dict[bytes, Counted] = defaultdict(Counted)
    for source, topic in enumerate(SOURCES):
        for record in records[topic.full(prefix)]:
            account, event = accounts[record.key], json.loads(record.value)
            account.offsets[source] = max(account.offsets[source], record.offset + 1)
            at, data = instant(event["time"]), event["data"]
            account.last = max(account.last, at)
            match event["type"].removeprefix("kesher."):
                case "usage.tracked":
                    account.usage.append((at, data["count"]))
                case "usage.viewed":
                    account.usage.append((at, 0.2 * data["count"]))
                case "support.ticket_opened":
                    account.support.append((at, PRIORITIES[data["priority"]]))
                case "purchase.payment_failed":
                    account.failed.append((at, 1.0))
                case "purchase.invoice_paid":
                    account.spend.append((at, data["amount"]))
    return accounts


@dataclass
class Restored:
    """The changelog as a new worker would read it."""

    engine: Engine
    told: dict[str, bytes]
    """Fact id -> value, of every deciding row that counts."""
    owners: int
    """Owner records."""


def restore(records: Sequence[Any], engine: Engine) -> Restored:
    """Follow the changelog, partition by partition, as recovery does."""
    told: dict[str, bytes] = {}
    for number in {record.partition for record in records}:
        ledger = _Listing(number)
        mine = [record for record in records if record.partition == number]
        ledger.follow(mine, engine.accounts)
        for record in mine:
            if record.offset in ledger.all:
                told |= {name: value for _, name, value in owed(record)}
    return Restored(engine, told, sum(record.key == OWNER for record in records))


class _Listing(Ledger):
    """A ledger that remembers every deciding row."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.all: set[int] = set()

    def settle(self, told: int) -> None:
        self.all |= set(self.deciding)
        super().settle(told)

    def follow(self, records: Sequence[Any], accounts: Any) -> None:
        super().follow(records, accounts)
        self.all |= set(self.deciding)


def check_columns(engine: Engine, counted: Mapping[bytes, Counted]) -> None:
    """Offsets and decayed sums of every account equal the recount."""
    accounts, layout = engine.accounts, engine.model.layout
    assert len(accounts) == len(counted)
    columns = {name: (place, half_life) for place, (name, half_life) in enumerate(layout.counters)}
    for key, count in counted.items():
        row = accounts.rows[accounts.find([key])[0]]
        assert row["offsets"].tolist() == count.offsets, key
        for column, name in (
            ("usage_7d", "usage"),
            ("support_14d", "support"),
            ("failed_28d", "failed"),
            ("spend_90d", "spend"),
        ):
            place, half_life = columns[column]
            decayed = float(row["sums"][place]) * 2 ** ((float(row["as_of"]) - count.last) / half_life)
            assert decayed == pytest.approx(count.sum(name, half_life), rel=1e-9, abs=1e-12), (key, column)


def check_facts(restored: Restored, records: Iterable[Any]) -> list[dict[str, Any]]:
    """No id with two contents, none lost, and what a consumer knows at last is what the row says was told.

    A consumer drops facts of an owner that was superseded in their partition.  Returns the facts it keeps."""
    contents: dict[str, bytes] = {}
    newest: dict[int, int] = defaultdict(int)
    kept: dict[str, dict[str, Any]] = {}
    for record in sorted(records, key=lambda r: (r.partition, r.timestamp, r.topic, r.offset)):
        fact = json.loads(record.value)
        assert contents.setdefault(fact["id"], record.value) == record.value, f"{fact['id']} has two contents"
        assert dict(record.headers)["ce_id"].decode() == fact["id"]
        if fact["generation"] >= newest[record.partition]:
            newest[record.partition] = fact["generation"]
            kept.setdefault(fact["id"], fact)
    missing = restored.told.keys() - contents.keys()
    assert not missing, f"{len(missing)} facts were lost: {sorted(missing)[:3]}"
    assert all(contents[name] == value for name, value in restored.told.items())
    strangers = kept.keys() - restored.told.keys()
    assert not strangers, f"{len(strangers)} facts that no row tells were believed: {sorted(strangers)[:3]}"
    _check_sequences(restored.engine, kept.values())
    return list(kept.values())


def _check_sequences(engine: Engine, facts: Iterable[Mapping[str, Any]]) -> None:
    by_account: dict[bytes, list[Mapping[str, Any]]] = defaultdict(list)
    for fact in facts:
        by_account[fact["subject"].encode()].append(fact)
    for key in filter(None, engine.accounts.keys):
        row = engine.accounts.rows[engine.accounts.find([key])[0]]
        told = sorted(by_account[key], key=lambda fact: (fact["generation"], fact["sequence"]))
        assert {fact["sequence"] for fact in told} >= set(range(1, int(row["sequence"]) + 1)), f"{key!r} misses facts"
        _check_last(engine, row, told)


def _check_last(engine: Engine, row: Any, told: Sequence[Mapping[str, Any]]) -> None:
    health = [fact for fact in told if fact["type"] == "kesher.health.changed"]
    if health:
        assert health[-1]["data"]["band"] == BANDS[row["told_band"]]
        score = health[-1]["data"]["score"]
        assert score is None or score == pytest.approx(float(row["told_score"]), abs=0.01)
    stages = [fact for fact in told if fact["type"] == "kesher.lifecycle.changed"]
    assert (stages[-1]["data"]["to"] if stages else engine.model.stages[0]) == engine.model.stages[row["told_stage"]]


async def check(settings: Settings, engine: Engine) -> tuple[dict[bytes, Counted], list[dict[str, Any]]]:
    """All of the above on what the topics hold now -> (accounts, facts kept).  `engine` must be new."""
    prefix, bootstrap = settings.prefix, settings.kafka_bootstrap_servers
    sources = await read_all(bootstrap, [topic.full(prefix) for topic in SOURCES])
    changelog = (await read_all(bootstrap, [CHANGELOG.full(prefix)]))[CHANGELOG.full(prefix)]
    facts = await read_all(bootstrap, [topic.full(prefix) for topic in FACTS])
    counted = recount(sources, prefix)
    restored = restore(changelog, engine)
    check_columns(restored.engine, counted)
    kept = check_facts(restored, [record for found in facts.values() for record in found])
    assert not any(record.key.startswith(LAYOUT) and record.value is None for record in changelog if record.key)
    return counted, kept
