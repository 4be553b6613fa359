"""Apache Kafka's jars: fetched once per user from Maven Central, checked against `jars.json`, kept in the user's cache.

`installed()` may be called by many processes at once; one fetches, the others wait."""

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from schemas.errors import Refused
from services.adapters.embedded.server import Progress

VERSION = "4.1.0"
_COORDINATES = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
"""Kafka's own dependencies hold no slf4j binding; without one there is no log."""


def home() -> Path:
    """Where this user's copy lives."""
    return platformdirs.user_cache_path("kesher") / f"kafka-{VERSION}"


def class_path() -> str:
    """All jars, always in the same order: the JVM's ahead-of-time cache depends on it."""
    return ":".join(str(home() / "jars" / name) for name in _digests())


@contextmanager
def locked() -> Iterator[None]:
    """One process at a time may change the cache."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(progress: Progress) -> None:
    """Fetch what is missing; call it under the lock.  Refused when Maven Central cannot be reached or a jar differs."""
    target = home() / "jars"
    if target.exists():
        return
    with tempfile.TemporaryDirectory(dir=home(), prefix="fetching-") as scratch:
        _fetch(Path(scratch), progress)
        _check(Path(scratch))
        Path(scratch).rename(target)
        Path(scratch).mkdir()


def _fetch(into: Path, progress: Progress) -> None:
    import jgo  # noqa: PLC0415 -- a third of a second that only a first start needs to spend

    progress(f"fetching Apache Kafka {VERSION} (once, 43 MB)")
    try:
        artifacts = jgo.resolve(_COORDINATES)
        for number, artifact in enumerate(artifacts, 1):
            progress(f"fetching Apache Kafka {VERSION} (once): {number} of {len(artifacts)} jars")
            shutil.copy(artifact.resolve(), into)
    except (OSError, RuntimeError) as error:
        raise Refused(
            f"Apache Kafka's jars could not be fetched from Maven Central: {error}. "
            "Check the network, or set KAFKA_BOOTSTRAP_SERVERS to a Kafka of your own."
        ) from error


def _check(directory: Path) -> None:
    for name, digest in _digests().items():
        file = directory / name
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise Refused(f"{name}, fetched for Apache Kafka {VERSION}, is missing or not the file that it should be")


def _digests() -> dict[str, str]:
    digests: dict[str, str] = json.loads(Path(__file__).with_name("jars.json").read_text())
    return digests
