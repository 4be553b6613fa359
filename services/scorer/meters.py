"""The scorer's metrics."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from schemas import metrics
from services.adapters.telemetry import counter, gauge, histogram
from streams.lane.lane import Lane
from streams.lane.meter import Meter


class Meters(Meter):
    """Counts what the lane tells."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._records = counter(metrics.SCORER_RECORDS, registry)
        self._facts = counter(metrics.SCORER_FACTS, registry)
        self._rejects = counter(metrics.SCORER_REJECTS, registry)
        self._rows = counter(metrics.SCORER_ROWS, registry)
        self._poll = histogram(metrics.SCORER_POLL_SECONDS, registry)
        self._deliver = histogram(metrics.SCORER_DELIVERY_SECONDS, registry)
        self._flush = histogram(metrics.SCORER_FLUSH_SECONDS, registry)
        self._sweep = histogram(metrics.SCORER_SWEEP_SECONDS, registry)
        self._recovery = gauge(metrics.SCORER_RECOVERY_SECONDS, registry)
        self._lag = gauge(metrics.SCORER_LAG, registry)

    def watch(self, lane: Lane) -> None:
        """Gauges that are read when somebody asks."""
        accounts = gauge(metrics.SCORER_ACCOUNTS, self._registry)
        accounts.set_function(lambda: len(lane.engine.accounts))
        gauge(metrics.SCORER_UNSENT, self._registry).set_function(lambda: lane.outbox.unsent)
        gauge(metrics.SCORER_PARTITIONS, self._registry).set_function(lambda: len(lane.ledgers))
        gauge(metrics.SCORER_STOPPED, self._registry).set_function(lambda: len(lane.stopped))

    def polled(self, records: int, seconds: float) -> None:
        """A poll was scored."""
        self._records.inc(records)
        self._poll.observe(seconds)

    def decided(self, facts: Mapping[str, int]) -> None:
        """Facts were decided."""
        for topic, count in facts.items():
            self._facts.labels(topic).inc(count)

    def rejected(self, records: int) -> None:
        """Records went to the dead letters."""
        self._rejects.inc(records)

    def delivered(self, facts: int, seconds: float) -> None:
        """Facts were acknowledged."""
        self._deliver.observe(seconds)

    def flushed(self, rows: int, seconds: float) -> None:
        """Rows were stored."""
        self._rows.inc(rows)
        self._flush.observe(seconds)

    def swept(self, rows: int, seconds: float) -> None:
        """Rows were judged for silence."""
        self._sweep.observe(seconds)

    def recovered(self, partitions: int, seconds: float) -> None:
        """The changelog was read."""
        self._recovery.set(seconds)

    def lagging(self, records: int) -> None:
        """Records stored but not scored."""
        self._lag.set(records)
