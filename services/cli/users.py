"""`kesher users`: who may open the console."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.adapters.clock import now
from services.cli.administration import done
from services.settings import settings
from services.web import access

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="People who open the console; a link that works once lets them in."
)
Email = Annotated[str, typer.Argument(help="The person's e-mail address")]


@app.command()
def add(
    email: Email,
    name: Annotated[str | None, typer.Option(help="How the console calls the person")] = None,
    language: Annotated[str, typer.Option(help="The console's language: en or he")] = "en",
) -> None:
    """Add a person."""
    done(lambda pool: access.add_user(pool, email, now(), name=name, language=language))
    typer.echo(f"{email} is added; `kesher users login-link {email}` lets them in")


@app.command("list")
def listed() -> None:
    """Print everyone."""
    table = Table("e-mail", "name", "language", "role", "added", box=None)
    for user in done(access.list_users):
        table.add_row(user["email"], user["name"], user["language"], user["role"], f"{user['created_at']:%Y-%m-%d}")
    Console().print(table)


@app.command("login-link")
def login_link(email: Email) -> None:
    """Print a link that logs the person in, once, within 15 minutes."""
    typer.echo(done(lambda pool: access.create_login_link(pool, email, settings().console_url, now())))
