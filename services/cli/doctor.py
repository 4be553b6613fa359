"""`kesher doctor`: looks at every connection, topic, version and clock, and says in words what to do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.text import Text

from schemas.errors import KesherError
from services.settings import Settings, settings

app = typer.Typer()


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, or not and then `what` says what to do.  `fine=None`: worth knowing, nothing to do."""

    what: str
    fine: bool | None = True


Check = Callable[[Settings], AsyncIterator[Finding]]


@app.command()
def doctor() -> None:
    """Check Kafka, topics, Postgres, clocks and processes; ends with status 1 when something is wrong."""
    from services.cli import checks

    sick = asyncio.run(_examine(settings(), checks.CHECKS, Console()))
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
