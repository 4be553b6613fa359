"""`kesher topics`: every topic, created and checked."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from schemas.topics import TOPICS
from services.adapters.topics import Report, check, ensure
from services.settings import Settings, settings

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def topics(
    context: typer.Context, dry_run: Annotated[bool, typer.Option(help="Only say what would be done")] = False
) -> None:
    """Create missing topics and correct their settings; what would lose records is refused or left alone."""
    if context.invoked_subcommand is not None:
        return
    report = asyncio.run((check if dry_run else ensure)(settings()))
    show(report, settings(), Console(), dry_run=dry_run)
    if report.refusals:
        raise typer.Exit(1)


@app.command()
def adopt() -> None:
    """Count on although source topics were deleted and created again: rows stay, such a topic is read from its
    beginning.  Stop every scorer first."""
    from services.scorer.decisions import adopt as accept

    asyncio.run(accept(settings()))
    Console().print("the source topics are accepted as they are; start the scorer again")


def show(report: Report, settings: Settings, console: Console, *, dry_run: bool) -> None:
    """One line per topic, then what a person should know."""
    table = Table("topic", "", "what it is for", box=None)
    for topic in TOPICS:
        table.add_row(topic.full(settings.prefix), _state(report, topic.full(settings.prefix), dry_run), topic.about)
    console.print(table)
    for remark in (*report.remarks, *report.refusals):
        console.print(remark, style="yellow", markup=False, soft_wrap=True)


def _state(report: Report, name: str, dry_run: bool) -> str:
    if name in report.created:
        return "to create" if dry_run else "created"
    if name in report.corrected:
        changes = ", ".join(f"{key}={value}" for key, value in report.corrected[name].items())
        return f"{'to set' if dry_run else 'set'}: {changes}"
    return "there"
