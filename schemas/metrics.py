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

METRICS = (INGEST_EVENTS, INGEST_SECONDS, INGEST_WAITING_BYTES)
