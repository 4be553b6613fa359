"""A house: the brokers and processes that live in one data directory, started, watched and stopped in order.

async with House(settings, directory, screen) as house:
    await house.start()              # brokers, topics, tables
    await house.add(*PROCESSES)      # children, restarted when they die; `ready` waits for them
"""

import asyncio
import fcntl
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from shlex import quote
from types import TracebackType
from typing import IO, Any, Self

import httpx2

from schemas.errors import Refused
from services.adapters.clock import monotonic
from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.embedded.postgres import EmbeddedPostgres
from services.adapters.postgres import expecting_postgres
from services.adapters.revision import is_current
from services.adapters.topics import ensure
from services.cli.resident import Process, Resident
from services.cli.screen import Screen
from services.settings import Settings, variable

PATIENCE = timedelta(seconds=90)
"""For all processes to become ready."""
HOPELESS = 4
"""Deaths before ever being ready, after which the house gives up."""
POLL_SECONDS = 0.1
EMBEDDED = "  # embedded"
"""In the environment file: an address of the house's own, which is not there while the house is not."""


class House:
    """Everything that `kesher up` runs.  Once started, its `settings` lead to the brokers, embedded or not."""

    def __init__(self, settings: Settings, directory: Path, screen: Screen, *, heap: str = "512m") -> None:
        self.settings = settings
        self.directory = directory.absolute()
        self.screen = screen
        self.kafka: EmbeddedKafka | None = None
        self.postgres: EmbeddedPostgres | None = None
        self._heap = heap
        self._lock: IO[str] | None = None
        self._starting: list[asyncio.Future[Any]] = []
        self._residents: list[Resident] = []

    async def start(self) -> None:
        """Start the embedded brokers that the settings do not name; create topics and tables.

        Refused when another house uses the directory, or with what a broker said when it does not start."""
        self._lock = _locked(self.directory)
        if not self.environment_file.exists():  # a first life: seconds of imports, while brokers start
            self._starting.append(asyncio.create_task(asyncio.to_thread(_migrations)))
        self.settings = self.settings.model_copy(update=await self._brokers())
        self._write_environment()
        self.screen.doing("checking topics and tables")
        checks = [asyncio.ensure_future(check) for check in (ensure(self.settings), self._tables())]
        self._starting += checks  # when one refuses, `stop` waits for the other to put its connections away
        await asyncio.gather(*checks)

    async def add(self, *processes: Process) -> None:
        """Start children and watch over them.  Refused when another program listens on one's port."""
        for process in processes:
            resident = Resident(process, self.settings, self.directory, self.screen)
            self._residents.append(resident)
            await resident.begin()

    async def ready(self, patience: timedelta = PATIENCE) -> None:
        """Return once every child is ready; Refused names those that are not, and why."""
        deadline = monotonic() + patience.total_seconds()
        async with httpx2.AsyncClient(trust_env=False, timeout=2.0) as client:
            while waiting := [one for one in self._residents if not await one.is_ready(client)]:
                self.screen.doing("waiting for " + ", ".join(one.process.name for one in waiting))
                hopeless = [one for one in waiting if one.deaths >= HOPELESS]
                if hopeless or monotonic() > deadline:
                    raise Refused("\n".join(one.complaint() for one in hopeless or waiting))
                await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """End the children, then the brokers; what was acknowledged stays in the directory."""
        if self._residents:
            self.screen.doing("stopping " + ", ".join(one.process.name for one in self._residents))
        await asyncio.gather(*(one.end() for one in self._residents))
        self._residents.clear()
        await asyncio.gather(*self._starting, return_exceptions=True)
        running = [broker for broker in (self.kafka, self.postgres) if broker is not None]
        if running:
            self.screen.doing("stopping Kafka and Postgres")
        await asyncio.gather(*(asyncio.to_thread(broker.stop) for broker in running))
        if self._lock is not None:
            self._lock.close()

    async def _brokers(self) -> dict[str, str]:
        """Start both at once; returns the settings that lead to them.  Cancelled, it leaves the starts to `stop`."""
        given = self.settings.model_fields_set - self._remembered()
        starts: dict[str, asyncio.Future[str]] = {}
        if "kafka_bootstrap_servers" not in given:
            self.kafka = EmbeddedKafka(self.directory / "kafka", heap=self._heap)
            start = asyncio.to_thread(self.kafka.start, self.screen.doing)
            starts["kafka_bootstrap_servers"] = asyncio.ensure_future(start)
        if "database_url" not in given:
            self.postgres = EmbeddedPostgres(self.directory / "postgres")
            starts["database_url"] = asyncio.ensure_future(asyncio.to_thread(self.postgres.start, self.screen.doing))
        self._starting += starts.values()
        return {name: await asyncio.shield(start) for name, start in starts.items()}

    async def _tables(self) -> None:
        with expecting_postgres(self.settings.database_url):
            if not await is_current(self.settings.database_url):
                await (await asyncio.to_thread(_migrations))(self.settings.database_url)

    def _remembered(self) -> set[str]:
        """Settings of a shell that has read this house's own environment file."""
        known = self.environment_file.read_text().splitlines() if self.environment_file.exists() else []
        return {name for name in self.settings.model_fields_set if self._exported(name, EMBEDDED) in known}

    @property
    def environment_file(self) -> Path:
        """For a shell: `. FILE` makes `kesher` a command, and every verb of it work on this house."""
        return self.directory / "environment"

    def _write_environment(self) -> None:
        own = {"kafka_bootstrap_servers": self.kafka, "database_url": self.postgres}
        lines = [self._exported(name, EMBEDDED if own.get(name) else "") for name in self.settings.given()]
        path = f'export PATH={quote(str(Path(sys.executable).parent))}:"$PATH"'
        self.environment_file.write_text("\n".join([path, *lines, ""]))
        self.environment_file.chmod(0o600)

    def _exported(self, name: str, remark: str) -> str:
        return f"export {variable(name)}={quote(self.settings.given()[name])}{remark}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        await self.stop()


async def until_signal(work: Coroutine[object, object, None]) -> None:
    """Run `work`; the first SIGINT or SIGTERM cancels it, and its cleaning up is awaited."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, cancel)
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()


def _migrations() -> Callable[[str], Coroutine[object, object, object]]:
    from services.adapters.migrations import migrate

    return migrate


def _locked(directory: Path) -> IO[str]:
    directory.mkdir(parents=True, exist_ok=True)
    lock = (directory / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Refused(
            f"another kesher already runs in {directory}: stop it, or choose another directory with --data-dir"
        ) from None
    return lock
