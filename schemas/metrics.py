"""Every Prometheus metric, named once: name, what it counts, its labels.

Units are in the names (seconds, bytes); services/adapters/telemetry.py makes them real."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """A metric without a value.  `buckets` are a histogram's upper bounds, in the unit of its name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_WAITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

INGEST_EVENTS = Metric(
    "kesher_ingest_events_total",
    "counter",
    "Items that came in by HTTP, by dialect and outcome: accepted, rejected, ignored, unacknowledged",
    ("dialect", "outcome"),
)
INGEST_SECONDS = Metric(
    "kesher_ingest_seconds", "histogram", "From an HTTP request to its answer", ("route", "status"), _WAITS
)
INGEST_WAITING_BYTES = Metric("kesher_ingest_waiting_bytes", "gauge", "Bytes sent that Kafka has not acknowledged yet")

WEB_SECONDS = Metric(
    "kesher_web_seconds", "histogram", "From a request to its answer; not of streams", ("route", "status"), _WAITS
)
WEB_STREAMS = Metric("kesher_web_streams", "gauge", "Clients of /api/stream")
WEB_STREAM_ENDS = Metric(
    "kesher_web_stream_ends_total",
    "counter",
    "Streams that ended, by why: left, renewed, stopped, slow, or reset for too_old, too_new, restarted",
    ("why",),
)
WEB_FACTS = Metric(
    "kesher_web_facts_total", "counter", "Fact records read, by outcome: fresh, repeated, unreadable", ("outcome",)
)
WEB_REPLAYS = Metric("kesher_web_replays_total", "counter", "Streams that began with a read from Kafka")

PROJECTOR_RECORDS = Metric("kesher_projector_records_total", "counter", "Records applied to Postgres", ("topic",))
PROJECTOR_UNREADABLE = Metric(
    "kesher_projector_unreadable_total",
    "counter",
    "Records that could not be read or stored, and were skipped",
    ("topic",),
)
PROJECTOR_SUPERSEDED = Metric(
    "kesher_projector_superseded_facts_total",
    "counter",
    "Facts dropped because a newer owner of the partition had spoken",
)
PROJECTOR_CONFLICTS = Metric(
    "kesher_projector_conflicts_total", "counter", "Batches undone because another projector had moved the offsets"
)
PROJECTOR_LAG = Metric(
    "kesher_projector_lag_records", "gauge", "Records of the assigned partitions that wait to be applied", ("topic",)
)
PROJECTOR_BATCH_SECONDS = Metric(
    "kesher_projector_batch_seconds", "histogram", "From a poll's records to their commit in Postgres", (), _WAITS
)
PROJECTOR_DELAY_SECONDS = Metric(
    "kesher_projector_delay_seconds",
    "histogram",
    "From a record's time in Kafka to its commit, oldest of a batch",
    (),
    _WAITS,
)
PROJECTOR_THINNED = Metric(
    "kesher_projector_thinned_points_total", "counter", "Points of health history dropped with age"
)

SCORER_RECORDS = Metric("kesher_scorer_records_total", "counter", "Records read of the sources")
SCORER_FACTS = Metric("kesher_scorer_facts_total", "counter", "Facts decided", ("topic",))
SCORER_REJECTS = Metric("kesher_scorer_rejects_total", "counter", "Records sent to the dead letters")
SCORER_ROWS = Metric("kesher_scorer_rows_stored_total", "counter", "Rows stored in the changelog by commits")
SCORER_POLL_SECONDS = Metric("kesher_scorer_poll_seconds", "histogram", "Scoring one poll", (), _WAITS)
SCORER_DELIVERY_SECONDS = Metric(
    "kesher_scorer_delivery_seconds", "histogram", "From taking decided facts to their acknowledgement", (), _WAITS
)
SCORER_FLUSH_SECONDS = Metric("kesher_scorer_flush_seconds", "histogram", "Storing rows for a commit", (), _WAITS)
SCORER_SWEEP_SECONDS = Metric("kesher_scorer_sweep_seconds", "histogram", "Judging a slice for silence", (), _WAITS)
SCORER_RECOVERY_SECONDS = Metric(
    "kesher_scorer_recovery_seconds", "gauge", "From the last assignment to the first record scored"
)
SCORER_LAG = Metric("kesher_scorer_lag_records", "gauge", "Records stored in the sources but not scored")
SCORER_ACCOUNTS = Metric("kesher_scorer_accounts", "gauge", "Accounts in memory")
SCORER_UNSENT = Metric("kesher_scorer_unsent_facts", "gauge", "Facts decided but not acknowledged")
SCORER_PARTITIONS = Metric("kesher_scorer_partitions", "gauge", "Partitions that this worker owns")
SCORER_STOPPED = Metric("kesher_scorer_stopped_partitions", "gauge", "Partitions that are owned but not scored")

METRICS = (
    INGEST_EVENTS,
    INGEST_SECONDS,
    INGEST_WAITING_BYTES,
    PROJECTOR_RECORDS,
    PROJECTOR_UNREADABLE,
    PROJECTOR_SUPERSEDED,
    PROJECTOR_CONFLICTS,
    PROJECTOR_LAG,
    PROJECTOR_BATCH_SECONDS,
    PROJECTOR_DELAY_SECONDS,
    PROJECTOR_THINNED,
    SCORER_RECORDS,
    SCORER_FACTS,
    SCORER_REJECTS,
    SCORER_ROWS,
    SCORER_POLL_SECONDS,
    SCORER_DELIVERY_SECONDS,
    SCORER_FLUSH_SECONDS,
    SCORER_SWEEP_SECONDS,
    SCORER_RECOVERY_SECONDS,
    SCORER_LAG,
    SCORER_ACCOUNTS,
    SCORER_UNSENT,
    SCORER_PARTITIONS,
    SCORER_STOPPED,
    WEB_SECONDS,
    WEB_STREAMS,
    WEB_STREAM_ENDS,
    WEB_FACTS,
    WEB_REPLAYS,
)
