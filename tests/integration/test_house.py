"""A house starts, watches and stops its processes; what a killed one left behind is no obstacle."""

import asyncio
import io
import os
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from schemas.errors import Refused
from services.cli.house import House
from services.cli.resident import Process
from services.cli.screen import Screen
from services.settings import Settings


async def test_a_house_keeps_its_data_and_its_kafka_address_from_one_life_to_the_next(
    directory: Path, said: io.StringIO, free_port: int
) -> None:
    async with house(directory, said, free_port) as first:
        await first.start()
        await first.add(ingest(free_port))
        await first.ready()
        addresses = first.settings.kafka_bootstrap_servers, first.settings.database_url
    async with house(directory, said, free_port) as second:
        await second.start()
        await second.add(ingest(free_port))
        await second.ready()

        assert (second.settings.kafka_bootstrap_servers, second.settings.database_url) == addresses


async def test_a_shell_that_reads_the_environment_file_works_on_the_house_by_name(
    directory: Path, said: io.StringIO, free_port: int, kafka: str, database: str
) -> None:
    """`kesher` is on the PATH there, and every setting that was given is set."""
    async with house(directory, said, free_port, kafka, database) as home:
        await home.start()
        script = f'. "{home.environment_file}"; command -v kesher; env'
        shell = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", script), env={"PATH": "/usr/bin:/bin"}, stdout=asyncio.subprocess.PIPE
        )
        kesher, *variables = (await shell.communicate())[0].decode().splitlines()

        assert Path(kesher).parent == Path(sys.executable).parent
        assert {f"KESHER_INGEST_PORT={free_port}", f"DATABASE_URL={database}", "KESHER_PARTITIONS=2"} <= {*variables}


async def test_a_house_starts_from_a_shell_that_has_read_its_environment_file(
    directory: Path, said: io.StringIO, free_port: int
) -> None:
    """The addresses in there are the house's own: it starts those brokers instead of looking for them."""
    async with house(directory, said, free_port) as first:
        await first.start()
        addresses = first.settings.kafka_bootstrap_servers, first.settings.database_url
    async with house(directory, said, free_port, *addresses) as second:
        await second.start()

        assert second.kafka is not None
        assert second.postgres is not None
        assert (second.settings.kafka_bootstrap_servers, second.settings.database_url) == addresses


async def test_a_database_that_is_away_is_told_before_anything_starts(
    directory: Path, said: io.StringIO, free_port: int, kafka: str
) -> None:
    async with house(directory, said, 0, kafka, f"postgresql://kesher@127.0.0.1:{free_port}/kesher") as home:
        with pytest.raises(Refused, match=f"Postgres does not answer at .*:{free_port}/kesher"):
            await home.start()


async def test_a_killed_process_is_started_again_and_its_last_words_are_shown(
    directory: Path, said: io.StringIO, free_port: int, kafka: str, database: str
) -> None:
    async with house(directory, said, free_port, kafka, database) as home:
        await home.start()
        await home.add(ingest(free_port))
        await home.ready()
        first = pid_of(directory)
        os.kill(first, signal.SIGKILL)

        assert await another_pid(directory, first) != first
        assert "ingest ended with SIGKILL; starting it again in 1 s" in said.getvalue()


async def test_a_process_that_cannot_work_is_given_up_with_its_own_words(
    directory: Path, said: io.StringIO, kafka: str, database: str
) -> None:
    async with house(directory, said, 0, kafka, database) as home:
        await home.start()
        await home.add(Process("mistake", ("no-such-verb",), port=1))
        with pytest.raises(Refused, match=r"(?s)mistake is not ready: it ended 4 times.*No such command"):
            await home.ready()


async def test_a_process_that_never_gets_ready_is_named_with_its_reason(
    directory: Path, said: io.StringIO, kafka: str, database: str, free_port: int
) -> None:
    async with house(directory, said, free_port, kafka, database) as home:
        await home.start()
        await home.add(Process("ingest", ("ingest",), port=1))
        with pytest.raises(Refused, match="ingest is not ready: it has not answered yet"):
            await home.ready(timedelta(seconds=1))


async def test_only_one_house_lives_in_a_directory(
    directory: Path, said: io.StringIO, kafka: str, database: str
) -> None:
    async with house(directory, said, 0, kafka, database) as home:
        await home.start()
        async with house(directory, said, 0, kafka, database) as other:
            with pytest.raises(Refused, match="another kesher already runs in"):
                await other.start()


async def test_a_taken_port_is_told_before_anything_starts_on_it(
    directory: Path, said: io.StringIO, kafka: str, database: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with house(directory, said, port, kafka, database) as home:
            await home.start()
            with pytest.raises(Refused, match=f"ingest cannot listen on 127.0.0.1:{port}"):
                await home.add(ingest(port))


async def test_a_house_that_was_killed_leaves_nothing_in_the_way(
    directory: Path, said: io.StringIO, free_port: int
) -> None:
    """kill -9 of the house leaves brokers and processes running; the next house replaces them."""
    script = Path(__file__).with_name("a_house.py")
    life = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), str(directory), str(free_port)), stdout=asyncio.subprocess.PIPE
    )
    assert life.stdout is not None
    async with asyncio.timeout(60):
        while b"ready" not in await life.stdout.readline():
            pass
    orphan = pid_of(directory)
    life.kill()
    await life.wait()

    async with house(directory, said, free_port) as home:
        await home.start()
        await home.add(ingest(free_port))
        await home.ready()
        assert pid_of(directory) != orphan


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "house"


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def free_port(unused_tcp_port: int) -> int:
    return unused_tcp_port


def house(
    directory: Path, said: io.StringIO, port: int, kafka: str | None = None, database: str | None = None
) -> House:
    """A house whose brokers are the session's own, or embedded when none are given."""
    given = {"kafka_bootstrap_servers": kafka, "database_url": database}
    settings = Settings(ingest_port=port, partitions=2, **{name: one for name, one in given.items() if one is not None})
    return House(settings, directory, Screen(Console(file=said, width=200)), heap="256m")


def ingest(port: int) -> Process:
    return Process("ingest", ("ingest",), port)


def pid_of(directory: Path) -> int:
    return int((directory / "run" / "ingest.pid").read_text())


async def another_pid(directory: Path, first: int) -> int:
    async with asyncio.timeout(60):
        while (now := pid_of(directory)) == first:
            await asyncio.sleep(0.05)
    return now
