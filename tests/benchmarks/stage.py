"""Where everything is measured: one Kafka of our own, topics of a fresh prefix, contestants as processes."""

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NoReturn
from urllib.request import urlopen
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.topics import ensure
from services.settings import Settings
from streams.lane.writer import acknowledged, send
from tests.benchmarks.traffic import PARTITIONS, TOPICS, Message

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
BATCH_BYTES = 131_072
"""Of a produce batch: what the ingest door uses."""


@dataclass(frozen=True)
class Task:
    """What a contestant is asked: to process so many events of the four topics, from where its group stands."""

    bootstrap: str
    prefix: str
    events: int
    report: str
    known: int = 0
    """Accounts that a contestant without recovery may take as known."""
    rest: float = 0.0
    idle: float = 0.0
    """Seconds to look at it with nothing to do, after the last event: until it is at rest, and then."""
    stay: bool = False
    """Whether to go on after the report, until told to end."""
    directory: str = ""

    @classmethod
    def given(cls) -> "Task":
        """The task in the first argument of this process."""
        return cls(**json.loads(sys.argv[1]))

    @property
    def topics(self) -> list[str]:
        """Full names of the topics."""
        return [topic.full(self.prefix) for topic in TOPICS]

    def tell(self, **figures: Any) -> None:
        """Report; the file appears whole."""
        draft = Path(self.report).with_suffix(".draft")
        draft.write_text(json.dumps(figures))
        draft.rename(self.report)


class Stage:
    """A broker and a directory; one per run of the benchmarks."""

    def __init__(self, directory: Path, bootstrap: str) -> None:
        self.directory, self.bootstrap = directory, bootstrap
        self.round, self.rounds = 0, 1

    async def world(self) -> "World":
        """Fresh topics."""
        prefix = f"b{uuid4().hex[:8]}"
        settings = Settings(kafka_bootstrap_servers=self.bootstrap, prefix=prefix, partitions=PARTITIONS)
        await ensure(settings)
        directory = self.directory / prefix
        directory.mkdir()
        return World(settings, directory)


@contextmanager
def opened() -> Iterator[Stage]:
    """A stage with an embedded Kafka on it."""
    with tempfile.TemporaryDirectory(prefix="kesher-bench-") as directory:
        broker = EmbeddedKafka(Path(directory) / "kafka", heap="1g", optimise=True)
        try:
            yield Stage(Path(directory), broker.start())
        finally:
            broker.stop()


class World:
    """The topics of one prefix, and who works on them."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings, self.directory = settings, directory
        self._runs = 0

    @property
    def task(self) -> Task:
        """An empty one."""
        self._runs += 1
        report = self.directory / f"report-{self._runs}.json"
        return Task(
            self.settings.kafka_bootstrap_servers, self.settings.prefix, 0, str(report), directory=str(self.directory)
        )

    async def produce(self, chunks: Iterable[list[Message]]) -> None:
        """Send all of them, in large batches, and wait until they are stored."""
        names = [topic.full(self.settings.prefix) for topic in TOPICS]
        async with AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers, max_batch_size=BATCH_BYTES, acks="all"
        ) as producer:
            for chunk in chunks:
                places: dict[tuple[int, int], list[Any]] = {}
                for message in chunk:
                    places.setdefault((message.topic, message.partition), []).append((message.key, message.value, ()))
                for (topic, partition), messages in places.items():
                    await acknowledged(await send(producer, names[topic], partition, messages))

    def ask(self, module: str, task: Task, **environment: str) -> dict[str, Any]:
        """Run a contestant to its end -> what it reports."""
        with self.running(module, task, **environment) as contestant:
            return contestant.report()

    @contextmanager
    def running(self, module: str, task: Task, *more: str, **environment: str) -> Iterator["Contestant"]:
        """`python -m <module> <task> ...` at work; it is ended at the end if it has not ended itself."""
        with self.process((module, json.dumps(asdict(task)), *more), Path(task.report), **environment) as contestant:
            yield contestant

    @contextmanager
    def process(self, command: Sequence[str], report: Path, **environment: str) -> Iterator["Contestant"]:
        """`python -m <command>` at work."""
        contestant = Contestant(command, report, {**self.settings.environment(), **environment})
        try:
            yield contestant
        finally:
            contestant.end()


class Contestant:
    """One process; it may write a report."""

    def __init__(self, command: Sequence[str], report: Path, environment: Mapping[str, str]) -> None:
        self.name, self._report, self.log = command[0], report, report.with_suffix(".log")
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env={**environment, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def report(self) -> dict[str, Any]:
        """Wait for its report."""
        deadline, path = monotonic() + PATIENCE, self._report
        while not path.exists():
            if self.process.poll() is not None and not path.exists():
                self.fail("ended without a report")
            if monotonic() > deadline:
                self.fail(f"had nothing to report after {PATIENCE:.0f} s")
            sleep(0.05)
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def cpu(self) -> float:
        """CPU-seconds of all its threads so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def metrics(self, port: int) -> dict[str, float]:
        """What its /metrics says; empty while it does not answer."""
        if self.process.poll() is not None:
            self.fail("ended")
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def end(self) -> None:
        """Ask it to end, and see that it does."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def fail(self, what: str) -> NoReturn:
        """End the benchmarks with what it has said."""
        lines = self.log.read_text(errors="replace").splitlines()[-25:]
        raise SystemExit("\n".join([f"{self.name} {what}; its last lines:", *lines]))


RECORDS = "kesher_scorer_records_total"
"""How many records the scorer says to have scored."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
