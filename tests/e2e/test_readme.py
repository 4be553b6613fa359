"""A newcomer's path: the blocks of README.md and docs/ are run as they are written, against `kesher up`.

A block's first line says what it is: `sh run` and `python run` must succeed, `sh retry` until it does, `json gives` is
part of what the block before printed, `yaml scorecard` is a whole scorecard."""

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

from schemas.scorecard_file import load
from streams.scoring.engine import Engine

HOUSE = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{page.name}" for page in sorted((HOUSE / "docs").glob("*.md"))))
START_SECONDS = 120
RETRY_SECONDS = 20
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

    def copies(self, block: Block, expected: str | None) -> None:
        """Run a block; with `retry` until it gives what is expected."""
        deadline = monotonic() + (RETRY_SECONDS if block.kind.endswith("retry") else 0)
        while True:
            trouble = self._tries(block, expected)
            if trouble is None:
                return
            if monotonic() > deadline:
                pytest.fail(f"line {block.line}: {trouble}")
            sleep(0.1)  # the answer may come a moment after the event

    def _tries(self, block: Block, expected: str | None) -> str | None:
        text = block.text
        for written, real in self.doors.items():
            text = text.replace(written, real)
        command = ["bash", "-c", f'set -eu; . "{self.exported}"; set -a; {text}\nexport -p > "{self.exported}"']
        if block.kind.startswith("python"):
            (self.directory / "written.py").write_text(text)
            command = ["bash", "-c", f'. "{self.exported}"; python "{self.directory}/written.py"']
        ran = subprocess.run(
            command, cwd=HOUSE, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        if ran.returncode:
            return f"ended with {ran.returncode}: {ran.stderr}{ran.stdout}"
        return None if expected is None else difference(expected, ran.stdout)


def difference(expected: str, printed: str) -> str | None:
    """Why the JSON that was printed does not hold all that was expected, None when it does."""
    try:
        found = msgspec.json.decode(printed)
    except msgspec.DecodeError as error:
        return f"{printed!r} is not JSON: {error}"
    wanted = msgspec.json.decode(expected)
    return None if holds(found, wanted) else f"{printed}\ndoes not hold\n{expected}"


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
    environment = {**os.environ, **dict(zip(PORTS, ports, strict=True)), "KESHER_PARTITIONS": "4"}
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


@pytest.fixture
def reader(doors: dict[str, str], tmp_path: Path) -> Reader:
    """Nothing of Kesher is set in this shell, and the pages' own PATH may not exist on this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KESHER_")}
    kept = {name: value for name, value in kept.items() if name not in ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS")}
    return Reader(doors, tmp_path, kept | {"PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"})


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_works_when_it_is_copied(page: str, reader: Reader) -> None:
    shown = blocks(page)
    for block, after in zip(shown, [*shown[1:], Block(0, "", "")], strict=True):
        if block.kind in ("sh run", "sh retry", "python run", "python retry"):
            reader.copies(block, after.text if after.kind == "json gives" else None)


@pytest.mark.parametrize("page", PAGES)
def test_a_scorecard_that_a_page_shows_compiles(page: str) -> None:
    for block in blocks(page):
        if block.kind == "yaml scorecard":
            assert Engine(load(block.text), partitions=4).accounts.size == 0


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_setting_and_link_that_a_page_names_exists(page: str) -> None:
    from services.cli.main import VERBS
    from services.settings import Settings, variable

    text = (HOUSE / page).read_text()
    makes = set(re.findall(r"^([a-z]+):.* ## ", (HOUSE / "Makefile").read_text(), re.MULTILINE))
    settings = {variable(name) for name in Settings.model_fields}
    links = {link for link in re.findall(r"\]\(([^)#:]+)[^):]*\)", text)}

    assert set(re.findall(r"\bmake ([a-z]+)(?:`|  | DATA| ONLY| ARGS)", text)) <= makes
    assert set(re.findall(r"(?:`|^|\()kesher ([a-z-]+)", text, re.MULTILINE)) <= set(VERBS)
    assert set(re.findall(r"\bKESHER_[A-Z_]+[A-Z]\b", text)) <= settings
    assert [link for link in links if not (HOUSE / page).parent.joinpath(link).exists()] == []
