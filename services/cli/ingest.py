"""`kesher ingest`: the door for events by HTTP."""

import asyncio

import typer

from services.ingest.run import run
from services.settings import settings

app = typer.Typer(add_completion=False)


@app.command()
def ingest() -> None:
    """Take events by HTTP, in Segment's shapes and as CloudEvents, and answer once Kafka has them."""
    asyncio.run(run(settings()))
