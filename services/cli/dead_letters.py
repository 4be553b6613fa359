"""`kesher dead-letters`: what to do about records that could not be read."""

import asyncio
from typing import Annotated

import typer

from schemas.errors import Refused
from services.settings import settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Records that could not be read.")


@app.callback()
def dead_letters() -> None:
    """Records that could not be read."""


@app.command()
def resume(
    partition: Annotated[list[int], typer.Option(min=0, help="The partition to score again; may be given again")],
) -> None:
    """Score partitions again that paused because of too many bad records.  Stop every scorer first."""
    from services.scorer.decisions import resume as forgive

    beyond = [number for number in partition if number >= settings().partitions]
    if beyond:
        raise Refused(f"there is no partition {beyond[0]}: they are 0 to {settings().partitions - 1}")
    asyncio.run(forgive(settings(), partition))
    typer.echo("the window of bad records is empty; start the scorer again")
