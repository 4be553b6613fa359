"""One child of a house: started, watched, started again when it dies, ended."""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from os import SEEK_END
from pathlib import Path

import httpx2

from schemas.errors import Refused
from services.adapters.clock import monotonic
from services.adapters.embedded.server import end_leftover
from services.cli.screen import Screen
from services.settings import Settings

STOP_SECONDS = 15.0
CALM_SECONDS = 60.0
"""A process that ran this long before it died has a clean record."""
LONGEST_WAIT_SECONDS = 30.0
LAST_LINES = 12
LAST_BYTES = 16_384
LOG_BYTES = 20_000_000
"""A log larger than this makes room at the next start."""


@dataclass(frozen=True)
class Process:
    """One child: `kesher <arguments>`.  `port` is where its /readyz answers; None: ready as soon as it runs.

    With `lasting=False` it may end by itself."""

    name: str
    arguments: tuple[str, ...]
    port: int | None = None
    lasting: bool = True


class Resident:
    """A process in a house; `deaths` in a row so far."""

    def __init__(self, process: Process, settings: Settings, directory: Path, screen: Screen) -> None:
        self.process = process
        self.deaths = 0
        self._settings = settings
        self._screen = screen
        self._log = directory / "logs" / f"{process.name}.log"
        self._pid_file = directory / "run" / f"{process.name}.pid"
        self._log_begins = 0
        self._was_ready = False
        self._why = "it has not answered yet"
        self._stopping = asyncio.Event()
        self._child: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start it, after ending what a killed run left; Refused when another program listens on its port."""
        self._log.parent.mkdir(exist_ok=True)
        self._pid_file.parent.mkdir(exist_ok=True)
        await asyncio.to_thread(end_leftover, self._pid_file, "services.cli.main", signal.SIGTERM)
        if self.process.port:
            _refuse_taken(self._settings.bind, self.process.port, self.process.name)
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.replace(self._log.with_suffix(".previous.log"))
        await self._spawn()
        self._watch = asyncio.create_task(self._live(), name=f"watch {self.process.name}")

    async def end(self) -> None:
        """SIGTERM, and SIGKILL for one that does not listen."""
        self._stopping.set()
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(signal.SIGTERM)
        if self._watch is None:
            return
        await asyncio.wait((self._watch,), timeout=STOP_SECONDS)
        if self._child is not None and self._child.returncode is None:
            self._screen.say(f"{self.process.name} did not stop within {STOP_SECONDS:.0f} s and was killed", "yellow")
            self._child.kill()
        await self._watch

    async def is_ready(self, client: httpx2.AsyncClient) -> bool:
        """Whether it was ready once, or is now."""
        self._was_ready = self._was_ready or await self._answers(client)
        return self._was_ready

    def complaint(self) -> str:
        """Why it is not ready, in a sentence, with its last words."""
        lines = "\n".join(self._last_lines())
        return f"{self.process.name} is not ready: {self._why}. The last lines of {self._log}:\n{lines}".rstrip()

    async def _live(self) -> None:
        while not self._stopping.is_set():
            began = monotonic()
            status = await self._child.wait() if self._child else 0
            if self._stopping.is_set() or (status == 0 and not self.process.lasting):
                return
            self.deaths = 1 if monotonic() - began > CALM_SECONDS else self.deaths + 1
            wait = min(LONGEST_WAIT_SECONDS, 2.0 ** (self.deaths - 1))
            self._tell(status, wait)
            try:
                await asyncio.wait_for(self._stopping.wait(), wait)
            except TimeoutError:
                await self._spawn()

    async def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._log_begins = log.tell()
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.cli.main", *self.process.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._settings.environment(),
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._child.pid))
        if self._stopping.is_set():
            self._child.send_signal(signal.SIGTERM)

    def _tell(self, status: int, wait: float) -> None:
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        self._why = f"it ended {self.deaths} times in a row, at last with {how}"
        self._screen.say(f"{self.process.name} ended with {how}; starting it again in {wait:.0f} s", "yellow")
        for line in self._last_lines():
            self._screen.say(f"  {line}", "dim")

    def _last_lines(self) -> Sequence[str]:
        """What the child said last, of what it said since it was started."""
        with self._log.open("rb") as log:
            log.seek(max(self._log_begins, log.seek(0, SEEK_END) - LAST_BYTES))
            return log.read().decode(errors="replace").splitlines()[-LAST_LINES:]

    async def _answers(self, client: httpx2.AsyncClient) -> bool:
        if self.process.port is None:
            return True
        try:
            answer = await client.get(f"http://{_reachable(self._settings.bind)}:{self.process.port}/readyz")
        except httpx2.HTTPError:
            return False
        self._why = answer.text.strip()
        return answer.status_code == httpx2.codes.OK


def _reachable(bind: str) -> str:
    """Where a door that listens everywhere is found."""
    return "127.0.0.1" if ip_address(bind).is_unspecified else bind


def _refuse_taken(bind: str, port: int, name: str) -> None:
    try:
        socket.create_server((bind, port)).close()
    except OSError as error:
        raise Refused(
            f"{name} cannot listen on {bind}:{port} ({error.strerror}): stop the program that does, or choose another "
            "port (`kesher settings` lists them)"
        ) from error
