"""A house: the brokers and processes that live in one data directory, started, watched and stopped in order.

async with House(settings, directory, screen) as house:
    await house.start()                           # brokers, topics, tables
    await house.add(*PROCESSES)                   # children, restarted when they die
    await house.ready()                           # until every /readyz is green
"""

import asyncio
import fcntl
import signal
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx2

from schemas.errors import Refused
from services.adapters.clock import monotonic
from services.adapters.embedded.kafka import EmbeddedKafka
from services.adapters.embedded.postgres import EmbeddedPostgres
from services.adapters.embedded.server import end_leftover
from services.adapters.postgres import migrate
from services.adapters.topics import ensure
from services.cli.screen import Screen
from services.settings import Settings

PATIENCE = timedelta(seconds=90)
"""For all processes to become ready."""
STOP_SECONDS = 15.0
CALM_SECONDS = 60.0
"""A process that ran this long and then died is started again at once."""
LONGEST_WAIT_SECONDS = 30.0
HOPELESS = 4
"""Deaths in a row, before ever being ready, after which the house gives up."""
LAST_LINES = 12
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Process:
    """One child: `kesher <arguments>`.  `port` is where its /readyz answers; None: ready as soon as it runs.

    With `lasting=False` it may end by itself."""

    name: str
    arguments: tuple[str, ...]
    port: int | None = None
    lasting: bool = True


class House:
    """Everything that `kesher up` runs; `settings` lead to the brokers once started."""

    def __init__(self, settings: Settings, directory: Path, screen: Screen, *, heap: str = "512m") -> None:
        self.settings = settings
        self.directory = directory.absolute()
        self.screen = screen
        self.kafka: EmbeddedKafka | None = None
        self.postgres: EmbeddedPostgres | None = None
        self._heap = heap
        self._lock: IO[str] | None = None
        self._brokers: list[asyncio.Future[str]] = []
        self._residents: list[_Resident] = []

    async def start(self) -> None:
        """Start the embedded brokers that the settings do not name, create topics and tables.

        Refused when another house uses the directory, or with what a broker said when it does not start."""
        self._lock = _locked(self.directory)
        changes = await self._start_brokers()
        self.settings = self.settings.model_copy(update=changes)
        self.screen.doing("creating topics and tables")
        await asyncio.gather(ensure(self.settings), migrate(self.settings.database_url))

    async def add(self, *processes: Process) -> None:
        """Start children and watch over them."""
        for process in processes:
            resident = _Resident(process, self)
            self._residents.append(resident)
            resident.begin()

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
        """End the children, then the brokers; what they acknowledged stays in the directory."""
        if self._residents:
            self.screen.doing("stopping " + ", ".join(one.process.name for one in self._residents))
        await asyncio.gather(*(one.end() for one in self._residents))
        if self._brokers:
            self.screen.doing("stopping the brokers")
        await asyncio.gather(*self._brokers, return_exceptions=True)
        running = [broker for broker in (self.kafka, self.postgres) if broker is not None]
        await asyncio.gather(*(asyncio.to_thread(broker.stop) for broker in running))
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def _start_brokers(self) -> dict[str, str]:
        """Both at once; returns the settings that lead to them."""
        starts: dict[str, asyncio.Future[str]] = {}
        if "kafka_bootstrap_servers" not in self.settings.model_fields_set:
            self.kafka = EmbeddedKafka(self.directory / "kafka", heap=self._heap)
            start = asyncio.to_thread(self.kafka.start, self.screen.doing)
            starts["kafka_bootstrap_servers"] = asyncio.ensure_future(start)
        if "database_url" not in self.settings.model_fields_set:
            self.postgres = EmbeddedPostgres(self.directory / "postgres")
            starts["database_url"] = asyncio.ensure_future(asyncio.to_thread(self.postgres.start, self.screen.doing))
        self._brokers = list(starts.values())
        return {name: await asyncio.shield(start) for name, start in starts.items()}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        await self.stop()


class _Resident:
    """One child and the task that watches it."""

    def __init__(self, process: Process, house: House) -> None:
        self.process = process
        self.deaths = 0
        self._house = house
        self._was_ready = False
        self._why = "it has not answered yet"
        self._child: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._log = house.directory / "logs" / f"{process.name}.log"
        self._pid_file = house.directory / "run" / f"{process.name}.pid"

    def begin(self) -> None:
        """Start the child and watch it."""
        self._watch = asyncio.create_task(self._live(), name=f"watch {self.process.name}")

    async def end(self) -> None:
        """SIGTERM, and SIGKILL for one that does not listen."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._child is None or self._child.returncode is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._child.wait(), STOP_SECONDS)
        except TimeoutError:
            self._house.screen.say(f"{self.process.name} did not stop within {STOP_SECONDS:.0f} s: killed", "yellow")
            self._child.kill()
            await self._child.wait()

    async def is_ready(self, client: httpx2.AsyncClient) -> bool:
        """Whether it was ready once, or is now."""
        if not self._was_ready:
            self._was_ready = await self._answers(client)
        return self._was_ready

    def complaint(self) -> str:
        """Why it is not ready, in a sentence."""
        lines = "\n".join(_last_lines(self._log)) if self.deaths else ""
        return f"{self.process.name} is not ready: {self._why}; its log is {self._log}\n{lines}".rstrip()

    async def _live(self) -> None:
        while True:
            began = monotonic()
            status = await self._run()
            if status == 0 and not self.process.lasting:
                return
            self.deaths = 1 if monotonic() - began > CALM_SECONDS else self.deaths + 1
            wait = min(LONGEST_WAIT_SECONDS, 2.0 ** (self.deaths - 1))
            self._why = f"it ended {self.deaths} times, the last time with status {status}"
            self._tell(status, wait)
            await asyncio.sleep(wait)

    async def _run(self) -> int:
        for file in (self._log, self._pid_file):
            file.parent.mkdir(exist_ok=True)
        await asyncio.to_thread(end_leftover, self._pid_file, "services.cli.main", signal.SIGTERM)
        with self._log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.cli.main", *self.process.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._house.settings.environment(),
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._child.pid))
        return await self._child.wait()

    def _tell(self, status: int, wait: float) -> None:
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        self._house.screen.say(f"{self.process.name} ended ({how}); starting it again in {wait:.0f} s", "yellow")
        for line in _last_lines(self._log):
            self._house.screen.say(f"  {line}", "dim")

    async def _answers(self, client: httpx2.AsyncClient) -> bool:
        if self.process.port is None or self._child is None:
            return self._child is not None
        settings = self._house.settings
        try:
            answer = await client.get(f"http://{settings.bind}:{self.process.port}/readyz")
        except httpx2.HTTPError:
            return False
        self._why = answer.text.strip()
        return answer.status_code == httpx2.codes.OK


async def until_signal(work: Coroutine[object, object, None]) -> None:
    """Run `work`; SIGINT or SIGTERM cancels it, and its cleaning up is awaited."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()


def _locked(directory: Path) -> IO[str]:
    directory.mkdir(parents=True, exist_ok=True)
    lock = (directory / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        msg = f"another kesher already lives in {directory}: stop it, or choose another --data-dir"
        raise Refused(msg) from None
    return lock


def _last_lines(log: Path) -> Sequence[str]:
    return log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else ()
