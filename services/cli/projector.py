"""`kesher projector`: facts and inputs into Postgres."""

import asyncio
from typing import Annotated

import typer

from services.projector.run import run
from services.settings import settings

app = typer.Typer(add_completion=False)


@app.command()
def projector(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Empty the read model first and build it again from the topics")
    ] = False,
) -> None:
    """Keep Postgres current: accounts, their history, signals, stages, people and activities."""
    asyncio.run(run(settings(), rebuild=rebuild))
