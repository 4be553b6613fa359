"""`kesher doctor`: looks at every connection, topic, version and clock, and says in words what to do."""

import asyncio

import typer
from rich.console import Console
from rich.text import Text

from schemas.errors import KesherError
from services.cli.checks import CHECKS, Check, Finding
from services.settings import Settings, settings

app = typer.Typer(add_completion=False)


@app.command()
def doctor() -> None:
    """Check Kafka, topics, Postgres, clocks and processes; ends with status 1 when something is wrong."""
    sick = asyncio.run(_examine(settings(), CHECKS, Console()))
    raise typer.Exit(1 if sick else 0)


async def _examine(settings: Settings, every: tuple[Check, ...], console: Console) -> bool:
    sick, told = False, set[str]()
    for check in every:
        try:
            async for finding in check(settings):
                sick = sick or finding.fine is False
                _print(console, finding)
        except KesherError as error:
            sick = True
            if str(error) not in told:
                _print(console, Finding(str(error), fine=False))
            told.add(str(error))
    return sick


def _print(console: Console, finding: Finding) -> None:
    mark, style = {True: ("+", "green"), False: ("!", "bold red"), None: ("-", "dim")}[finding.fine]
    console.print(Text(f"{mark} ", style).append(finding.what, "" if finding.fine is False else style), soft_wrap=True)
