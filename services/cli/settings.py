"""`kesher settings`: every setting, its value and its meaning."""

from typing import Any

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.adapters.postgres import without_password
from services.settings import Settings, variable
from services.settings import settings as read

app = typer.Typer()


@app.command()
def settings() -> None:
    """Print every setting; those that the environment sets are bold, with their default beside the meaning."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning")
    current = read()
    for name, field in Settings.model_fields.items():
        given = name in current.model_fields_set
        style = "bold" if given else ""
        meaning = f"{field.description} (default: {_default(field)})" if given else field.description or ""
        table.add_row(Text(variable(name), style), Text(_shown(getattr(current, name)), style), Text(meaning, "dim"))
    Console().print(table)


def _default(field: FieldInfo) -> str:
    return _shown(field.get_default(call_default_factory=True, validated_data={}))


def _shown(value: Any) -> str:
    """As it would be written; passwords are not."""
    if value is None or value in ("", {}):
        return "-"
    return without_password(value) if isinstance(value, str) and "://" in value else str(value)
