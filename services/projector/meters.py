"""The projector's metrics, alive in one registry."""

from prometheus_client import CollectorRegistry

from schemas import metrics
from services.adapters.telemetry import counter, gauge, histogram


class Meters:
    """One of each; made twice in a registry it raises ValueError."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = counter(metrics.PROJECTOR_RECORDS, registry)
        self.unreadable = counter(metrics.PROJECTOR_UNREADABLE, registry)
        self.superseded = counter(metrics.PROJECTOR_SUPERSEDED, registry)
        self.conflicts = counter(metrics.PROJECTOR_CONFLICTS, registry)
        self.lag = gauge(metrics.PROJECTOR_LAG, registry)
        self.batch_seconds = histogram(metrics.PROJECTOR_BATCH_SECONDS, registry)
        self.delay_seconds = histogram(metrics.PROJECTOR_DELAY_SECONDS, registry)
        self.thinned = counter(metrics.PROJECTOR_THINNED, registry)
