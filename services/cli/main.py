"""`kesher`: every verb, listed once.  A verb's file is read only when the verb is used, so each process starts fast.

The file services/cli/<verb>.py (dashes become underscores) holds the verb as `app`, a `typer.Typer`."""

import sys
from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main
from rich.console import Console
from rich.text import Text

from schemas.errors import KesherError
from services.adapters import logs
from services.settings import settings

VERBS = (
    "up",
    "demo",
    "topics",
    "migrate",
    "ingest",
    "scorer",
    "projector",
    "web",
    "keys",
    "users",
    "simulate",
    "scorecards",
    "settings",
    "doctor",
    "dead-letters",
    "schemas",
)


PROCESSES = ("ingest", "scorer", "projector", "web")
"""Verbs that run until they are stopped and whose log lines are their voice."""


class Verbs(typer.core.TyperGroup):
    """The commands of VERBS, each from its own file."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order that people meet them."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"services.cli.{cmd_name.replace('-', '_')}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


typed = typer.Typer(cls=Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@typed.callback()
def kesher(context: typer.Context) -> None:
    """Kesher: a health score for every customer, on every event, on your own Kafka and Postgres."""
    verb = context.invoked_subcommand or "kesher"
    logs.configure(settings().log_format, process=verb, quiet=verb not in PROCESSES)


def app() -> None:
    """Run a verb; an error that Kesher raises on purpose is told in its own words and ends with status 1."""
    try:
        typed()
    except KesherError as error:
        Console(stderr=True).print(Text("kesher: ", "bold red").append(str(error), "not bold default"), soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    app()
