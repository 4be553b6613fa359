"""`kesher settings`: every setting, its value and its meaning."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services.adapters.postgres import without_password
from services.settings import Settings, variable
from services.settings import settings as read

app = typer.Typer(add_completion=False)
WIDE = 130
"""Columns in which variable, value and meaning stand side by side."""


class Row(NamedTuple):
    """A setting as it is shown."""

    variable: Text
    value: Text
    meaning: Text


@app.command()
def settings() -> None:
    """Print every setting; those that the environment sets are bold, with their default beside the meaning."""
    console, current = Console(), read()
    rows = [row(current, name, field) for name, field in Settings.model_fields.items()]
    console.print(side_by_side(rows) if console.width >= WIDE else one_below_another(rows))


def row(current: Settings, name: str, field: FieldInfo) -> Row:
    """One setting."""
    given = name in current.model_fields_set
    style = "bold" if given else ""
    meaning = f"{field.description} (default: {_default(field)})" if given else field.description or ""
    return Row(Text(variable(name), style), Text(_shown(getattr(current, name)), style), Text(meaning, "dim"))


def side_by_side(rows: Iterable[Row]) -> Table:
    """For a wide terminal."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning", overflow="fold")
    for one in rows:
        table.add_row(*one)
    return table


def one_below_another(rows: Iterable[Row]) -> Table:
    """For a narrow one: the meaning has a line of its own."""
    table = Table(box=None, padding=0, show_header=False)
    table.add_column(overflow="fold")
    for one in rows:
        table.add_row(Text("  ").join([one.variable, one.value]))
        table.add_row(Padding(one.meaning, (0, 0, 0, 4)))
    return table


def _default(field: FieldInfo) -> str:
    return _shown(field.get_default(call_default_factory=True, validated_data={}))


def _shown(value: Any) -> str:
    """As it would be written; passwords are not."""
    if value is None or value in ("", {}):
        return "-"
    return without_password(value) if isinstance(value, str) and "://" in value else str(value)
