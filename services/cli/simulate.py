"""`kesher simulate`: seeded customers as NDJSON or straight into Kafka."""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.errors import Refused
from streams.simulation.spell import Record
from streams.simulation.world import World, events

app = typer.Typer(add_completion=False)
Accounts = Annotated[int, typer.Option(min=1, help="How many customers")]
Days = Annotated[int, typer.Option(min=1, help="How many days of their lives")]
History = Annotated[int, typer.Option(min=0, help="The stories begin on the first Monday after so many days")]
Out = Annotated[Path, typer.Option(help="File of NDJSON; - is standard output", allow_dash=True)]


@app.command()
def simulate(
    *,
    accounts: Accounts = 300,
    days: Days = 90,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes")] = 1,
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD")] = "2026-01-04",
    history: History = 60,
    out: Out = Path("-"),
    to_kafka: Annotated[bool, typer.Option("--to-kafka", help="Into Kafka's topics instead of a file")] = False,
) -> None:
    """Write the events of simulated customers, one line {topic, key, event} each, in time order."""
    world = World(accounts, seed, _day(start), history)
    with _progress(days) as shown:
        told = _watched(events(world, days), world, shown)
        if to_kafka:
            asyncio.run(_produce(told))
        elif str(out) == "-":
            _to_pipe(told)
        else:
            with out.open("wb") as file:
                _write(told, file)


def line(record: Record) -> bytes:
    """A record as a line of NDJSON; account ids of simulated customers need no escapes."""
    _, topic, key, event = record
    return b'{"topic":"%s","key":"%s","event":%s}\n' % (topic.encode(), key, event)


def _write(records: Iterable[Record], file: BinaryIO) -> None:
    file.writelines(map(line, records))


def _to_pipe(records: Iterable[Record]) -> None:
    """To standard output; a reader that has seen enough ends it quietly."""
    try:
        _write(records, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _produce(records: Iterable[Record]) -> None:
    """Imports here, because a file needs none of them and they take seconds to load."""
    from aiokafka.errors import KafkaError

    from services.adapters.topics import ensure
    from services.cli.sender import Sender
    from services.settings import settings

    await ensure(settings())
    try:
        async with Sender(settings(), None, lambda _place: None) as sender:
            for record in records:
                await sender.send(record)
    except KafkaError as error:
        where = settings().kafka_bootstrap_servers
        hint = "run the same command again: ids stay the same"
        raise Refused(f"Kafka at {where} did not take every event ({error!r}); {hint}") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day like 2026-01-04: {error}") from error


@contextmanager
def _progress(days: int) -> Iterator[Progress]:
    """A bar of days on standard error, where a person is watching."""
    console = Console(stderr=True)
    columns = (TextColumn("day"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[sent]:,} events"))
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as progress:
        progress.add_task("days", total=days, sent=0)
        yield progress


def _watched(records: Iterable[Record], world: World, shown: Progress) -> Iterator[Record]:
    (task,) = shown.task_ids
    sent = 0
    for sent, record in enumerate(records, 1):
        if sent % 1000 == 0:
            shown.update(task, completed=int((record[0] - world.instant(0)) // 86400), sent=sent)
        yield record
    shown.update(task, completed=shown.tasks[0].total, sent=sent)
