# ruff: noqa: SLF001 (aiokafka's internals; tests/contract/test_pinned_overrides.py pins what is used of them)
"""Records as the lane carries them: everything a poll found, as one stream item.

aiokafka copies each record into a ConsumerRecord and resumes two Python generators per record; the lane takes whole
record batches from its C iterator instead."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import faust
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition

READ_COMMITTED = 1


class Span(NamedTuple):
    """What was read of a topic partition: records of offsets [start, stop), and the log's end as last seen."""

    topic: str
    partition: int
    start: int
    stop: int
    end: int
    records: Sequence[Any]


class Parcel:
    """Several spans that quack like one aiokafka record, so that Faust carries them as one message.

    Its place is that of its first span, its offset that span's last."""

    key = checksum = headers = None
    serialized_key_size = serialized_value_size = 0
    timestamp_type = timestamp = 0

    def __init__(self, spans: Sequence[Span]) -> None:
        first = spans[0]
        self.topic, self.partition, self.offset = first.topic, first.partition, first.stop - 1
        self.spans, self.value = spans, self

    def __len__(self) -> int:
        return sum(len(span.records) for span in self.spans)


class ParcelSchema(faust.Schema[Any, Any]):
    """Passes a Parcel through instead of decoding it."""

    def loads_key(self, app: Any, message: Any, **_options: Any) -> Any:
        """The key, untouched."""
        return message.key

    def loads_value(self, app: Any, message: Any, **_options: Any) -> Any:
        """The parcel, untouched."""
        return message.value


def take(result: FetchResult, limit: int) -> Span | None:
    """Whole record batches of a fetch, until `limit` records are reached; None when the partition moved meanwhile."""
    tp = result._topic_partition
    if not result.check_assignment(tp) or not result.has_more():
        return None
    fetched = result._partition_records
    start = fetched.next_fetch_offset
    records: list[Any] = []
    while fetched._records.has_next() and len(records) < limit:
        batch = fetched._records.next_batch()
        if fetched._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"{tp.topic}:{tp.partition} has a damaged record batch after offset {start}")
        if not _skipped(fetched, batch):
            found = list(batch)
            if found and found[0].offset < fetched.next_fetch_offset:
                found = [record for record in found if record.offset >= fetched.next_fetch_offset]
            records += found
        fetched.next_fetch_offset = batch.next_offset
    result._update_position()
    if not fetched._records.has_next():
        result._partition_records = None
    return Span(tp.topic, tp.partition, start, fetched.next_fetch_offset, _end(result, tp), records)


def _end(result: FetchResult, tp: TopicPartition) -> int:
    return int(result._assignment.state_value(tp).highwater or 0)


def _skipped(fetched: Any, batch: Any) -> bool:
    """Whether a batch holds no data: control records, and records of an aborted transaction."""
    if fetched._isolation_level == READ_COMMITTED and batch.producer_id is not None:
        fetched._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and fetched._contains_abort_marker(batch):
            fetched._aborted_producers.discard(batch.producer_id)
        if batch.is_transactional and batch.producer_id in fetched._aborted_producers:
            return True
    return bool(batch.is_control_batch)
