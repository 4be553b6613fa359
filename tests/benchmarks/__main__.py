"""`python -m tests.benchmarks [--only NAME] [--rounds 3]`: measure, print a table, write build/bench.json."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console

from tests.benchmarks.figures import Results, short
from tests.benchmarks.latency import Latency, warm_up
from tests.benchmarks.million import Million
from tests.benchmarks.stage import ROOT, opened
from tests.benchmarks.throughput import Cold, Hot

BENCHMARKS = (Hot(), Cold(), Latency(2_000), Latency(20_000), Million())
WIDTH = 160
"""Of the table in a file."""
FIGURES = tuple(figure for benchmark in BENCHMARKS for figure in benchmark.figures)


def main(
    only: Annotated[str, typer.Option(help="Measure what this one name needs")] = "",
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; the median counts")] = 3,
    out: Annotated[Path, typer.Option(help="Where to write")] = ROOT / "build" / "bench.json",
) -> None:
    """Needs minutes and a machine that does nothing else."""
    chosen = [b for b in BENCHMARKS if not only or only in {figure.name for figure in b.figures}]
    if not chosen:
        names = ", ".join(figure.name for figure in FIGURES)
        raise typer.BadParameter(f"{only} is not measured here; these are: {names}")
    console, results, began = Console(), Results(FIGURES), monotonic()
    if not console.is_terminal:
        console.width = WIDTH

    def progress(what: str) -> None:
        console.print(f"[dim]{monotonic() - began:5.0f} s  {what}")

    with opened() as stage:
        progress("warming the broker up")
        asyncio.run(warm_up(stage))
        stage.rounds = rounds
        for stage.round in range(1, rounds + 1):
            for benchmark in chosen:
                progress(f"[bold]{benchmark.name}[/], round {stage.round} of {rounds}")
                found = asyncio.run(benchmark.run(stage, progress))
                results.add(found)
                progress("  ".join(f"{name} [cyan]{short(value)}[/]" for name, (value, _) in found.items()))
            results.write(out)
    console.print(results.table())
    console.print(f"written to {out}")


if __name__ == "__main__":
    typer.run(main)
