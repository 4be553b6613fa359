"""`kesher web`: the API and the console."""

import asyncio

import typer

from services.settings import settings
from services.web.run import run

app = typer.Typer(add_completion=False)


@app.command()
def web() -> None:
    """Serve the console, the API and its live stream."""
    asyncio.run(run(settings()))
