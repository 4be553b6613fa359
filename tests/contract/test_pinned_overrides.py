"""What the lane overrides, calls or reads of Faust and aiokafka must still be there, as it was when it was written.

A failure here means: read the new release's source before moving a pin."""

import inspect
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from faust.app.base import App
from faust.tables.base import Collection
from faust.tables.recovery import Recovery
from faust.tables.table import Table
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import aiokafka as driver

OVERRIDDEN = [
    (App, "_new_transport", "self"),
    (App, "_create_directories", "self"),
    (App, "on_first_start", "self"),
    (App, "on_stop", "self"),
    (driver.Consumer, "_new_consumer_thread", "self"),
    (driver.Consumer, "_wait_next_records", "self timeout"),
    (driver.Consumer, "_add_gap", "self tp offset_from offset_to"),
    (driver.Consumer, "perform_seek", "self"),
    (driver.Consumer, "_commit_tps", "self tps start_new_transaction"),
    (driver.Producer, "_settings_extra", "self"),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer", "self transport"),
    (driver.AIOKafkaConsumerThread, "_fetch_records", "self consumer active_partitions timeout max_records"),
    (Collection, "on_start", "self"),
    (Table, "persisted_offset", "self tp"),
    (Table, "on_rebalance", "self assigned revoked newly_assigned generation_id"),
    (Table, "apply_changelog_batch", "self batch"),
    (Table, "on_recovery_completed", "self active_tps standby_tps"),
]

CALLED = [
    (driver.Consumer, "_commit_offsets", "self offsets start_new_transaction"),
    (driver.Consumer, "pause_partitions", "self tps"),
    (driver.Consumer, "highwaters", "self partitions"),
    (driver.AIOKafkaConsumerThread, "call_thread", "self fun args kwargs"),
    (driver.AIOKafkaConsumerThread, "_ensure_consumer", "self"),
    (driver.Producer, "_ensure_producer", "self"),
    (FetchResult, "check_assignment", "self tp"),
    (FetchResult, "has_more", "self"),
    (FetchResult, "_update_position", "self"),
    (PartitionRecords, "_consume_aborted_up_to", "self batch_offset"),
    (PartitionRecords, "_contains_abort_marker", "self next_batch"),
    (Fetcher, "_notify", "self future"),
    (Fetcher, "_create_fetch_waiter", "self"),
    (GroupCoordinator, "fetch_committed_offsets", "self partitions"),
    (GroupCoordinator, "request_rejoin", "self"),
    (AIOKafkaConsumer, "seek", "self partition offset"),
    (AIOKafkaConsumer, "pause", "self partitions"),
    (AIOKafkaProducer, "create_batch", "self"),
    (AIOKafkaProducer, "send_batch", "self batch topic partition"),
    (BatchBuilder, "append", "self timestamp key value headers"),
    (Recovery, "on_recovery_completed", "self generation_id"),
]

READ = [
    (Fetcher, "_records _wait_consume_future _subscriptions _closed"),
    (FetchResult, "_topic_partition _partition_records _assignment"),
    (PartitionRecords, "next_fetch_offset _records _check_crcs _isolation_level _aborted_producers"),
    (AIOKafkaConsumer, "_fetch_max_wait_ms _isolation_level _fetcher _coordinator _closed"),
    (BaseConsumer, "_read_offset _paused_partitions flow_active"),
    (GroupCoordinator, "generation"),
]


@pytest.mark.parametrize(
    ("package", "pin"), [("faust-streaming", "0.15.3"), ("aiokafka", "0.14.0"), ("mode-streaming", "0.7.1")]
)
def test_the_packages_are_the_pinned_ones(package: str, pin: str) -> None:
    assert version(package) == pin


@pytest.mark.parametrize(
    ("owner", "name", "parameters"), OVERRIDDEN + CALLED, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_a_method_keeps_its_parameters(owner: type, name: str, parameters: str) -> None:
    assert " ".join(inspect.signature(getattr(owner, name)).parameters) == parameters


@pytest.mark.parametrize(("owner", "names"), READ, ids=lambda value: getattr(value, "__name__", ""))
def test_an_attribute_is_still_set(owner: type, names: str) -> None:
    source = inspect.getsource(owner)
    for name in names.split():
        assert re.search(rf"\bself\.{name}\b|^    {name}:", source, re.MULTILINE), f"{owner.__name__}.{name}"


def test_every_override_of_the_lane_is_pinned_here() -> None:
    from streams.lane import app, consumer, table, thread

    ours: list[Any] = [
        app.LaneApp,
        consumer.LaneConsumer,
        consumer.LaneProducer,
        table.ChangelogTable,
        thread.LaneThread,
    ]
    pinned = {name for _, name, _ in OVERRIDDEN}
    for cls in ours:
        above = [base for base in cls.__mro__[1:] if base.__module__.startswith(("faust", "mode"))]
        replaced = {
            name for name in vars(cls) if not name.startswith("__") and any(name in vars(base) for base in above)
        }
        replaced = {name for name in replaced if callable(getattr(cls, name))}
        assert replaced <= pinned, f"{cls.__name__} overrides {sorted(replaced - pinned)}"


def test_a_record_batch_tells_where_the_next_one_begins() -> None:
    for name in ("next_offset", "base_offset", "is_control_batch", "is_transactional", "producer_id", "validate_crc"):
        assert hasattr(DefaultRecordBatch, name)


def test_only_the_lane_imports_faust() -> None:
    root = Path(__file__).parents[2]
    importers = {
        path.relative_to(root).parts[:2]
        for folder in ("schemas", "streams", "services")
        for path in (root / folder).rglob("*.py")
        if re.search(r"^\s*(import faust|from faust)", path.read_text(), re.MULTILINE)
    }
    assert importers == {("streams", "lane")}
