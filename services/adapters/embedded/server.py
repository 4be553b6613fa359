"""A broker as a child process: what embedded Kafka and Postgres have in common.

A directory serves one server at a time: what a killed run left behind in it is ended before a new start."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import sleep

import psutil  # type: ignore[import-untyped]

from schemas.errors import Refused
from services.adapters.clock import monotonic

Progress = Callable[[str], None]
"""Told in a few words what a long start is doing."""
LINES = 15
POLL_SECONDS = 0.02


def silent(_doing: str) -> None:
    """The progress of someone who does not look."""


class Server:
    """One server process with its log; `name` is what people call it."""

    def __init__(self, name: str, log: Path, patience_seconds: float = 60.0) -> None:
        self.name = name
        self.log = log
        self.patience_seconds = patience_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; Refused when it does not run."""
        if self._process is None:
            raise Refused(f"{self.name} is not running")
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def launch(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start the process in a session of its own, so that a Ctrl-C reaches only whoever stops it in order."""
        if self.alive():
            raise Refused(f"{self.name} is already running (pid {self.pid})")
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".previous.log"))
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=environment,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return once ready; Refused with the log's last lines when the process dies or takes too long."""
        deadline = monotonic() + self.patience_seconds
        while not ready():
            if not self.alive():
                self._fail("stopped while starting")
            if monotonic() > deadline:
                self.kill()
                self._fail(f"was not ready after {self.patience_seconds:.0f} s")
            sleep(POLL_SECONDS)

    def end(self, how: signal.Signals, patience_seconds: float) -> None:
        """Ask the process to end, kill it when it does not; nothing happens when it does not run."""
        if self._process is None:
            return
        if self.alive():
            self._process.send_signal(how)
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """What kill -9 does."""
        self.end(signal.SIGKILL, self.patience_seconds)

    def _fail(self, what: str) -> None:
        lines = self.log.read_text(errors="replace").splitlines()[-LINES:]
        raise Refused("\n".join([f"{self.name} {what}; the last lines of {self.log}:", *lines]))


def end_leftover(pid_file: Path, mark: str, how: signal.Signals, patience_seconds: float = 20.0) -> None:
    """End the process that a killed run left behind: the one in `pid_file`, if `mark` is in its command line.

    A file that names a dead or another process is removed only when someone has that id now, for servers go by it."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if mark in " ".join(process.cmdline()):
            process.send_signal(how)
            _await_end(process, patience_seconds)
        else:
            pid_file.unlink()
    except psutil.ZombieProcess:
        pid_file.unlink()
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        return


def _await_end(process: psutil.Process, patience_seconds: float) -> None:
    try:
        process.wait(patience_seconds)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(patience_seconds)


def is_root() -> bool:
    """Whether this process may do anything (some servers refuse to)."""
    return os.geteuid() == 0
