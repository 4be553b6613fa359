"""The scorer process: an engine in a lane, with probes and metrics beside it, until told to stop."""

import asyncio
import os
import socket
from collections.abc import Mapping
from datetime import timedelta

import msgspec
import structlog
from prometheus_client import CollectorRegistry

from schemas.errors import Refused, RetryLater
from schemas.topics import TOPICS
from services.adapters.clock import now
from services.adapters.health import serve_health
from services.adapters.topic_ids import topic_ids
from services.adapters.topics import check
from services.scorer.meters import Meters
from services.scorer.scorecard import chosen
from services.settings import Settings
from streams.lane.app import LaneApp, Wiring
from streams.lane.lane import Terms
from streams.scoring.engine import Engine

log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Score until SIGINT or SIGTERM; at first, wait for Kafka.

    Refused, before anything starts, for a scorecard that cannot be used; StateConflict when counting on would be wrong;
    any error in scoring."""
    registry = CollectorRegistry()
    app = build(settings, registry)
    asyncio.run(_expect_topics(settings))
    app.beside(serve_health(settings.bind, settings.scorer_metrics_port, registry, app.trouble))
    app.run()


async def _expect_topics(settings: Settings) -> None:
    """Wait for Kafka.  Refused when topics are missing or have another partition count."""
    while True:
        try:
            report = await check(settings)
        except RetryLater as error:
            log.warning(str(error))
            await asyncio.sleep(error.wait.total_seconds())
            continue
        if report.created or report.refusals:
            missing = [f"{name} does not exist" for name in report.created]
            raise Refused("\n".join([*missing, *report.refusals, "run `kesher topics` first"]))
        return


def build(settings: Settings, registry: CollectorRegistry) -> LaneApp:
    """The worker, not started."""
    rates = {currency: float(worth) for currency, worth in settings.rates.items()}
    engine = Engine(
        chosen(settings),
        settings.partitions,
        base_currency=settings.base_currency,
        rates=rates,
        clamp=settings.time == "wall",
    )
    names = [topic.full(settings.prefix) for topic in TOPICS]

    async def ids() -> Mapping[str, str]:
        return await topic_ids(settings.kafka_bootstrap_servers, names)

    wiring = Wiring(
        bootstrap=settings.kafka_bootstrap_servers,
        partitions=settings.partitions,
        topic_ids=ids,
        linger=timedelta(milliseconds=settings.linger_ms),
        commit=timedelta(seconds=settings.commit_seconds),
        session=timedelta(seconds=settings.session_timeout_seconds),
    )
    meters = Meters(registry)
    app = LaneApp(engine, terms(settings), wiring, meters)
    meters.watch(app.lane)
    return app


def terms(settings: Settings) -> Terms:
    """What the settings say about scoring."""
    about = {"host": socket.gethostname(), "pid": os.getpid(), "since": now()}
    return Terms(
        prefix=settings.prefix,
        time=settings.time,
        max_unsent=settings.max_unsent_facts,
        share=settings.dead_letter_share,
        least=settings.dead_letter_least,
        about=msgspec.json.encode(about),
    )
