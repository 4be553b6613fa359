"""A newcomer's path: the blocks of README.md and docs/ are run as they are written, against `kesher up`.

The word after the language says what a block is: `run` must succeed, `retry` until it does, `gives` is part of what the
block before prints, `scorecard` is a whole one, `events` happen to an account that it judges."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import msgspec
import pytest

from schemas.envelope import instant
from schemas.events import INPUTS
from schemas.scorecard_file import load
from schemas.topics import SOURCES
from streams.scoring.engine import Engine, Slice
from tests.histories import Record

HOUSE = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{page.name}" for page in sorted((HOUSE / "docs").glob("*.md"))))
RUN = ("sh run", "sh retry", "python run", "python retry")
GIVES = ("json gives", "text gives")
START_SECONDS = 120
RETRY_SECONDS = 60
PORTS = ("KESHER_WEB_PORT", "KESHER_INGEST_PORT", "KESHER_SCORER_METRICS_PORT", "KESHER_PROJECTOR_METRICS_PORT")
WRITTEN = ("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:9101", "127.0.0.1:9102")
"""The doors as the pages write them, in the order of PORTS."""


class Block(NamedTuple):
    """A fenced block: the page's line it begins at, its first line without the fence, its text."""

    line: int
    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    text = (HOUSE / page).read_text()
    fences = re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(text.count("\n", 0, found.start()) + 1, found[1].strip(), found[2]) for found in fences]


@dataclass
class Reader:
    """Someone who copies one block after another into a shell."""

    doors: dict[str, str]
    directory: Path
    environment: dict[str, str]
    printed: str = ""
    exported: Path = field(init=False)

    def __post_init__(self) -> None:
        self.exported = self.directory / "shell"
        self.exported.touch()

    def copies(self, block: Block, expected: Block | None) -> None:
        """Run a block; with `retry` until it gives what is expected."""
        deadline = monotonic() + (RETRY_SECONDS if block.kind.endswith("retry") else 0)
        while True:
            trouble = self._tries(block, expected)
            if trouble is None:
                return
            if monotonic() > deadline:
                pytest.fail(f"line {block.line}: {trouble}")
            sleep(0.1)  # the answer may come a moment after the event

    def _tries(self, block: Block, expected: Block | None) -> str | None:
        text = block.text
        for written, real in self.doors.items():
            text = text.replace(written, real)
        command = ["bash", "-c", f'set -eu; . "{self.exported}"; set -a; {text}\nexport -p > "{self.exported}"']
        if block.kind.startswith("python"):
            (self.directory / "written.py").write_text(text)
            command = ["bash", "-c", f'. "{self.exported}"; python "{self.directory}/written.py"']
        ran = subprocess.run(
            command, cwd=HOUSE, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        if ran.returncode:
            return f"ended with {ran.returncode}: {ran.stderr}{ran.stdout}"
        return None if expected is None else lacks(ran.stdout, expected)


def lacks(printed: str, expected: Block) -> str | None:
    """Why what was printed does not hold all that was expected, None when it does."""
    if expected.kind == "text gives":
        missing = [line for line in expected.text.splitlines() if line not in printed]
        return f"{printed}\nlacks {missing}" if missing else None
    try:
        found = msgspec.json.decode(printed)
    except msgspec.DecodeError as error:
        return f"{printed!r} is not JSON: {error}"
    return None if holds(found, msgspec.json.decode(expected.text)) else f"{printed}\ndoes not hold\n{expected.text}"


def holds(found: object, wanted: object) -> bool:
    """All of `wanted` is in `found`; `...` stands for any text, numbers agree to a tenth."""
    match wanted, found:
        case dict(), dict():
            return all(name in found and holds(found[name], value) for name, value in wanted.items())
        case list(), list():
            return len(found) == len(wanted) and all(map(holds, found, wanted))
        case float(), float() | int():
            return found == pytest.approx(wanted, abs=0.1)
        case "...", str():
            return True
    return found == wanted


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`kesher up` on free ports; what the pages write -> what it really is."""
    directory = tmp_path_factory.mktemp("up")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    environment = {**os.environ, **dict(zip(PORTS, ports, strict=True))}
    said = directory / "said"
    with said.open("wb") as out:
        up = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", "up", "--data-dir", str(directory / "data")],
            cwd=HOUSE,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = monotonic() + START_SECONDS
        while "Ctrl-C stops everything" not in said.read_text():
            assert up.poll() is None, said.read_text()
            assert monotonic() < deadline, said.read_text()
            sleep(0.1)  # it takes seconds
        real = {written: f"127.0.0.1:{port}" for written, port in zip(WRITTEN, ports, strict=True)}
        yield {**real, ".kesher/environment": str(directory / "data" / "environment")}
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0, said.read_text()


@pytest.fixture(scope="module")
def reader(doors: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """In the shell that README.md sets up, with nothing of Kesher's set before, and `kesher` wherever it is."""
    ours = ("KESHER_", "DATABASE_URL", "KAFKA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"
    reader = Reader(doors, tmp_path_factory.mktemp("reader"), kept)
    reader.copies(next(block for block in blocks(PAGES[0]) if block.kind == "sh run"), None)
    return reader


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_works_when_it_is_copied(page: str, reader: Reader) -> None:
    shown = blocks(page)
    for block, after in zip(shown, [*shown[1:], None], strict=True):
        if block.kind in RUN:
            reader.copies(block, after if after and after.kind in GIVES else None)


@pytest.mark.parametrize("page", PAGES)
def test_a_scorecard_that_a_page_shows_judges_as_the_page_says(page: str) -> None:
    engine = None
    shown = blocks(page)
    for block, after in zip(shown, [*shown[1:], None], strict=True):
        if block.kind == "yaml scorecard":
            engine = Engine(load(block.text), partitions=1, clamp=False)
        if block.kind == "json events":
            assert engine is not None
            assert after is not None
            told = [health for event in msgspec.json.decode(block.text) for health in happens(engine, event)]
            assert lacks(msgspec.json.encode(told[-1]).decode(), after) is None


def happens(engine: Engine, event: dict[str, object]) -> Iterator[object]:
    """The data of the changes of health that an event of one account makes."""
    source = SOURCES.index(INPUTS[str(event["type"])].topic)
    offset = int(engine.accounts.size and engine.accounts.rows["offsets"].max())
    value = msgspec.json.encode({"id": str(event), "source": "page", "subject": "lea", **event})
    stored = int(instant(str(event["time"])) * 1000)
    reading = engine.read([Slice(source, 0, [Record(b"lea", offset, stored, value)])])
    assert reading.batch is not None
    for decision in engine.absorb(reading.batch):
        yield from (msgspec.json.decode(fact.value)["data"] for fact in decision.facts if fact.topic == "health")


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_setting_and_link_that_a_page_names_exists(page: str) -> None:
    from services.cli.main import VERBS
    from services.settings import Settings, variable

    text = (HOUSE / page).read_text()
    makes = set(re.findall(r"^([a-z]+):.* ## ", (HOUSE / "Makefile").read_text(), re.MULTILINE))
    settings = {variable(name) for name in Settings.model_fields}
    links = set(re.findall(r"\]\(([^)#:]+)[^):]*\)", text))

    assert set(re.findall(r"\bmake ([a-z]+)(?:`|  | DATA| ONLY| ARGS)", text)) <= makes
    assert set(re.findall(r"(?:`|^|\()kesher ([a-z-]+)", text, re.MULTILINE)) <= set(VERBS)
    assert set(re.findall(r"\bKESHER_[A-Z_]+[A-Z]\b", text)) <= settings
    assert [link for link in links if not (HOUSE / page).parent.joinpath(link).exists()] == []
