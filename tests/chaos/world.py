"""Workers as real processes, a producer that never stops, and patience with a deadline."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic, time

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from schemas.topics import SOURCES
from services.settings import Settings
from tests.chaos.traffic import events, produce

ROOT = Path(__file__).parents[2]


class Worker:
    """One `kesher scorer`."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.log = log
        environment = {**settings.environment(), "KESHER_SCORER_METRICS_PORT": str(_free_port())}
        self.port = int(environment["KESHER_SCORER_METRICS_PORT"])
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.cli.main", "scorer"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def send(self, number: signal.Signals) -> None:
        """A signal to this process alone."""
        self.process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM, patience: float = 60.0) -> int:
        """Signal and wait -> exit status.  An unheard SIGTERM fails the test."""
        self.send(number)
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), patience)

    async def unready(self) -> list[str]:
        """What its /readyz complains about; empty when it is ready."""
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=2.0) as client:
                answer = await client.get(f"http://127.0.0.1:{self.port}/readyz")
        except httpx2.TransportError as error:
            return [f"no answer: {error!r}"]
        return list(answer.json()["reasons"])

    def words(self) -> str:
        """All it has said."""
        return self.log.read_text(errors="replace")


class World:
    """Settings, workers and the number of events produced so far."""

    def __init__(self, settings: Settings, directory: Path, *, accounts: int = 300, seed: int = 1) -> None:
        self.settings, self.directory = settings, directory
        self.world = {"accounts": accounts, "seed": seed, "start": time() - 3600, "step": 0.02}
        self.produced = 0
        self.workers: list[Worker] = []
        self._observer: AIOKafkaConsumer | None = None

    def worker(self) -> Worker:
        """A new one, under way."""
        worker = Worker(self.settings, self.directory / f"worker-{len(self.workers)}.log")
        self.workers.append(worker)
        return worker

    async def produce(self, count: int) -> None:
        """So many more events, acknowledged."""
        async with self._producer() as producer:
            await self._produce(producer, count)

    @asynccontextmanager
    async def traffic(self, rate: int) -> AsyncIterator[None]:
        """Events keep coming while inside, about `rate` a second, whatever happens to the broker."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._keep(rate, stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _keep(self, rate: int, stop: asyncio.Event) -> None:
        async with self._producer() as producer:
            while not stop.is_set():
                began = monotonic()
                await self._produce(producer, rate // 10)
                await asyncio.sleep(max(0.1 - (monotonic() - began), 0))

    async def _produce(self, producer: AIOKafkaProducer, count: int) -> None:
        first, self.produced = self.produced, self.produced + count
        await produce(producer, self.settings.prefix, events(first, first + count, **self.world))

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers,
            enable_idempotence=True,
            linger_ms=5,
            request_timeout_ms=120_000,
        )

    async def lag(self, of: Sequence[TopicPartition] = ()) -> int:
        """Events, of all sources or of some partitions, whose offsets are not committed yet."""
        ends, committed = await self._places()
        return sum(end - committed.get(tp, 0) for tp, end in ends.items() if not of or tp in of)

    async def committed(self) -> int:
        """Sum of all committed offsets: it only grows, and only when work is settled."""
        return sum((await self._places())[1].values())

    async def _places(self) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        if self._observer is None:
            self._observer = AIOKafkaConsumer(
                bootstrap_servers=self.settings.kafka_bootstrap_servers,
                group_id=f"{self.settings.prefix}.scorer",
                enable_auto_commit=False,
            )
            await self._observer.start()
            self._observer.assign(self.sources())
        committed = await self._observer._coordinator.fetch_committed_offsets(self.sources())
        ends = await self._observer.end_offsets(self.sources())
        return ends, {tp: meta.offset for tp, meta in committed.items()}

    def sources(self) -> list[TopicPartition]:
        """Every partition of every source."""
        names = [topic.full(self.settings.prefix) for topic in SOURCES]
        return [TopicPartition(name, number) for name in names for number in range(self.settings.partitions)]

    async def settled(self, patience: float = 90.0) -> None:
        """Until every event is scored, told and committed."""
        await self.until(self._caught_up, patience, "all events are committed")

    async def _caught_up(self) -> bool:
        return await self.lag() == 0

    async def at_work(self, worker: Worker, patience: float = 90.0) -> None:
        """Until this worker scores its partitions: there may be nothing to commit that would show it."""

        async def ready() -> bool:
            assert worker.process.poll() is None, worker.words()[-3000:]
            return not await worker.unready()

        await self.until(ready, patience, "the worker is ready")

    async def moved(self, patience: float = 90.0) -> None:
        """Until a commit happens that has not happened yet."""
        before = await self.committed()

        async def more() -> bool:
            return await self.committed() > before

        await self.until(more, patience, "a commit")

    async def until(self, done: Callable[[], Awaitable[bool]], patience: float, what: str) -> None:
        """Ask again and again; fail with what the workers said."""
        deadline = monotonic() + patience
        while not await done():
            if monotonic() > deadline:
                words = "\n".join(worker.words()[-3000:] for worker in self.workers)
                raise AssertionError(f"not within {patience:.0f} s: {what}\n{words}")
            await asyncio.sleep(0.2)

    async def close(self) -> None:
        """End what still runs."""
        if self._observer is not None:
            await self._observer.stop()
        for worker in self.workers:
            if worker.process.poll() is None:
                with suppress(ProcessLookupError):
                    worker.send(signal.SIGCONT)
                await worker.end(signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
