"""`kesher keys`: who may call by machine."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.adapters.clock import now
from services.cli.administration import done
from services.web import access

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="API keys: read opens the API, write the ingest door, admin both."
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, so that you know it later")],
    scope: Annotated[str, typer.Option(help="read (the API), write (ingest) or admin (both)")] = "read",
) -> None:
    """Make a key and print it.  It cannot be shown again: only its hash is kept."""
    typer.echo(done(lambda pool: access.create_key(pool, name, scope, now())))


@app.command("list")
def listed() -> None:
    """Print every key: its id, its first characters, its scope, and whether it still works."""
    table = Table("id", "name", "scope", "begins with", "made", "revoked", box=None)
    for key in done(access.list_keys):
        revoked = key["revoked_at"] and f"{key['revoked_at']:%Y-%m-%d %H:%M}"
        table.add_row(key["key_id"], key["name"], key["scope"], key["prefix"], f"{key['created_at']:%Y-%m-%d}", revoked)
    Console().print(table)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, or its first characters as `list` shows them")],
) -> None:
    """Make a key stop working, within 30 seconds everywhere."""
    name = done(lambda pool: access.revoke_key(pool, key, now()))
    typer.echo(f"{name} is revoked")
