"""Prometheus: the metrics of schemas/metrics.py made real, in a registry of their own per process (or test)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from schemas.metrics import Metric

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Of what /metrics answers."""


def counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    """A new counter in the registry; made twice there, it raises ValueError."""
    return Counter(metric.name, metric.about, metric.labels, registry=registry)


def gauge(metric: Metric, registry: CollectorRegistry) -> Gauge:
    """A new gauge in the registry."""
    return Gauge(metric.name, metric.about, metric.labels, registry=registry)


def histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    """A new histogram in the registry, with the metric's own buckets if it has any."""
    buckets = metric.buckets or Histogram.DEFAULT_BUCKETS
    return Histogram(metric.name, metric.about, metric.labels, registry=registry, buckets=buckets)


def exposed(registry: CollectorRegistry) -> bytes:
    """Every metric of the registry in Prometheus' text format."""
    return generate_latest(registry)
