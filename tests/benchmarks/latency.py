"""From an event that is produced to its churn-risk fact in a consumer's hands, under a steady load, all on one machine.

Clocks are the machine's own; an event's `time` is when it was sent, and a fact's `time` is its event's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, time

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition

from schemas.envelope import instant
from schemas.topics import CHURN_RISK
from tests.benchmarks.figures import Figure, Runs
from tests.benchmarks.load import MARK, TRIGGERS
from tests.benchmarks.stage import PATIENCE, RECORDS, Contestant, Stage, World, free_port
from tests.benchmarks.traffic import PARTITIONS, Span, accounts, events

LOAD = "tests.benchmarks.load"
ECHO = "tests.benchmarks.peers.echo"
WARM_UP, SECONDS = 4.0, 15.0
KNOWN = 5_000
HISTORY = 300_000
DAY = 86_400.0
Progress = Callable[[str], None]


class Told(msgspec.Struct):
    """What is looked at of a fact, or of an event that came back."""

    subject: str
    time: str


async def warm_up(stage: Stage, seconds: float = 45.0) -> None:
    """A broker that was just started compiles itself for a minute, and takes a whole core for it."""
    world = await stage.world()
    scorer = ("services.cli.main", "scorer")
    with (
        world.process(scorer, Path(world.task.report), KESHER_SCORER_METRICS_PORT=str(free_port())),
        world.running(LOAD, replace(world.task, known=KNOWN), "10000", str(seconds), "0"),
    ):
        await asyncio.sleep(seconds)


@dataclass
class Latency:
    """One rate of events per second; at the higher one the bare loop is measured, too."""

    rate: int

    @property
    def name(self) -> str:
        """For people."""
        return f"from event to fact at {self.rate:,} events/s"

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What is measured."""
        mark = f"{self.rate // 1000}k"
        common = (
            Figure(f"event_to_fact_p50_ms_{mark}", "ms", most=50),
            Figure(f"event_to_fact_p99_ms_{mark}", "ms", most=150),
        )
        share = Figure(f"core_share_at_{mark}", "of a core", most=0.35 if self.rate <= 2_000 else None)
        if self.rate <= 2_000:
            return (*common, share)
        return (*common, Figure(f"event_to_fact_p99_vs_aiokafka_echo_{mark}", "times the echo's p99", most=4), share)

    async def run(self, stage: Stage, progress: Progress) -> Runs:
        """One round."""
        world, mark = await stage.world(), f"{self.rate // 1000}k"
        progress("producing history")
        span = Span(time() - 10 * DAY, time() - 60)
        await world.produce(events(accounts(KNOWN), HISTORY, span, seed=stage.round))
        progress("the scorer")
        late, share, facts = await self._scorer(world)
        p50, p99 = np.percentile(late, (50, 99)).tolist()
        against = f"{self.rate:,} events/s, {facts:,.0f} facts/s; {len(late):,} timed"
        found = {
            f"event_to_fact_p50_ms_{mark}": (p50, against),
            f"event_to_fact_p99_ms_{mark}": (p99, against),
            f"core_share_at_{mark}": (share, f"{self.rate:,} events/s"),
        }
        if self.rate > 2_000:
            progress("the echo")
            echo = float(np.percentile(await self._echo(world), 99))
            found[f"event_to_fact_p99_vs_aiokafka_echo_{mark}"] = (p99 / echo, f"aiokafka echo: p99 {echo:.0f} ms")
        return found

    async def _scorer(self, world: World) -> tuple[list[float], float, float]:
        """-> latencies in ms, share of a core, facts per second."""
        port = free_port()
        report = Path(world.task.report)
        with world.process(("services.cli.main", "scorer"), report, KESHER_SCORER_METRICS_PORT=str(port)) as scorer:
            await _read_all(port, HISTORY, scorer)
            async with _listening(world, CHURN_RISK.full(world.settings.prefix)) as consumer:
                before, began = _facts(scorer.metrics(port)), monotonic()
                late, share = await self._under_load(world, consumer, scorer, seed=1)
                return late, share, (_facts(scorer.metrics(port)) - before) / (monotonic() - began)

    async def _echo(self, world: World) -> list[float]:
        topic = f"{world.settings.prefix}.echo"
        admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap_servers)
        await admin.start()
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        await admin.close()
        with world.running(ECHO, world.task) as echo:
            await asyncio.to_thread(echo.report)
            async with _listening(world, topic) as consumer:
                return (await self._under_load(world, consumer, echo, seed=2))[0]

    async def _under_load(
        self, world: World, consumer: AIOKafkaConsumer, worker: Contestant, seed: int
    ) -> tuple[list[float], float]:
        task = replace(world.task, known=KNOWN)
        with world.running(LOAD, task, str(self.rate), str(WARM_UP + SECONDS), str(seed)) as load:
            await asyncio.to_thread(load.report)
            await _heard(consumer, WARM_UP)
            began, cpu = monotonic(), worker.cpu()
            late = await _heard(consumer, SECONDS)
            share = (worker.cpu() - cpu) / (monotonic() - began)
        if len(late) < SECONDS * TRIGGERS / 10:
            worker.fail(f"told only {len(late)} facts in {SECONDS:.0f} s")
        return late, share


async def _heard(consumer: AIOKafkaConsumer, seconds: float) -> list[float]:
    """Listen for so long -> milliseconds from event to now of each payment that failed."""
    late, until, decode = [], monotonic() + seconds, msgspec.json.Decoder(Told).decode
    while (left := until - monotonic()) > 0:
        found = await consumer.getmany(timeout_ms=max(int(left * 1000), 1))
        now = time()
        for record in (record for records in found.values() for record in records):
            told = decode(record.value)
            if told.subject.startswith(MARK):
                late.append((now - instant(told.time)) * 1000)
    return late


@asynccontextmanager
async def _listening(world: World, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that reads what comes from now on."""
    async with AIOKafkaConsumer(
        bootstrap_servers=world.settings.kafka_bootstrap_servers, enable_auto_commit=False
    ) as consumer:
        tps = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(tps)
        await consumer.seek_to_end(*tps)
        yield consumer


async def _read_all(port: int, records: int, scorer: Contestant) -> None:
    """Until the scorer's own metrics say that so many records are scored and nothing waits to leave."""
    deadline = monotonic() + PATIENCE
    while (await asyncio.to_thread(scorer.metrics, port)).get(RECORDS, 0) < records:
        if monotonic() > deadline:
            scorer.fail(f"did not score {records:,} records within {PATIENCE:.0f} s")
        await asyncio.sleep(0.5)
    await asyncio.sleep(3.0)  # what the backlog left unjudged is judged within a second or two


def _facts(metrics: Mapping[str, float]) -> float:
    return sum(value for name, value in metrics.items() if name.startswith("kesher_scorer_facts_total{"))
