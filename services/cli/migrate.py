"""`kesher migrate`: the database's tables, as this version needs them."""

import asyncio

import typer
from rich.console import Console

from services.adapters.migrations import migrate
from services.adapters.postgres import expecting_postgres
from services.settings import settings

app = typer.Typer(add_completion=False)


@app.command(name="migrate")
def command() -> None:
    """Bring the database to this version's tables; safe to repeat, and refuses what would lose data."""
    url = settings().database_url
    with expecting_postgres(url):
        steps = asyncio.run(migrate(url))
    console = Console(highlight=False, soft_wrap=True)
    for step in steps:
        console.print(f"applied {step}", markup=False)
    if not steps:
        console.print("nothing to do: the tables are those of this version")
