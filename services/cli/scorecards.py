"""`kesher scorecards`: whether a scorecard can be used, told without starting anything."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from schemas.scorecard import Scorecard
from schemas.scorecard_file import load
from services.scorer.scorecard import file_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What is counted and how it is judged.")


@app.callback()
def scorecards() -> None:
    """What is counted and how it is judged."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A YAML file, or the name of a scorecard that ships with Kesher")],
) -> None:
    """Say what is wrong in a scorecard, with line and column, or in short what it holds."""
    path = file_of(file)
    card = load(path)
    console = Console(highlight=False)
    console.print(
        f"{path}: the scorecard {card.name}, version {card.version}, can be used", markup=False, soft_wrap=True
    )
    console.print(held(card))


def held(card: Scorecard) -> Table:
    """How many of everything that judges, and their names."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    for what, names in (
        ("measures", list(card.measures)),
        ("signals", list(card.signals)),
        ("caps", [cap.name for cap in card.caps]),
        ("stages", [stage.name for stage in card.stages]),
        ("weightings", [weighting.name for weighting in card.weightings]),
    ):
        table.add_row(str(len(names)), what, ", ".join(names))
    return table
