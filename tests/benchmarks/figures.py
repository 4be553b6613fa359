"""What is measured, as data: names, units, bounds; medians, a table, build/bench.json."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.table import Table

Runs = Mapping[str, tuple[float, str]]
"""Of one round: name -> (value, what it was measured against)."""


@dataclass(frozen=True)
class Figure:
    """One name in build/bench.json.  `least` or `most` is what it must reach, None where it is only told."""

    name: str
    unit: str
    least: float | None = None
    most: float | None = None

    def reached(self, value: float) -> bool | None:
        """Whether the bound holds; None without one."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def bound(self) -> str:
        """The bound as text."""
        if self.least is not None:
            return f"≥ {self.least:,g}"
        return "" if self.most is None else f"≤ {self.most:,g}"


@dataclass
class Results:
    """The rounds so far."""

    figures: Sequence[Figure]
    runs: dict[str, list[float]] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    """What each run was measured against."""

    def add(self, found: Runs) -> None:
        """One round of one benchmark."""
        for name, (value, against) in found.items():
            self.runs.setdefault(name, []).append(value)
            self.seen.setdefault(name, []).append(against)

    def against(self, name: str) -> str:
        """What the run nearest to the median was measured against."""
        runs = self.runs[name]
        nearest = min(range(len(runs)), key=lambda run: abs(runs[run] - median(runs)))
        return self.seen[name][nearest]

    def rows(self) -> list[dict[str, object]]:
        """What is written: {name, value, unit, against, runs}."""
        return [
            {
                "name": figure.name,
                "value": round(median(self.runs[figure.name]), 4),
                "unit": figure.unit,
                "against": self.against(figure.name),
                "runs": [round(run, 4) for run in self.runs[figure.name]],
            }
            for figure in self.figures
            if figure.name in self.runs
        ]

    def table(self) -> Table:
        """For people; a name says its unit."""
        table = Table(title="Medians", title_justify="left")
        for column in ("name", "value", "must be"):
            table.add_column(column, justify="left" if column == "name" else "right", no_wrap=True)
        table.add_column("against (runs)")
        for figure in self.figures:
            if figure.name in self.runs:
                runs = self.runs[figure.name]
                colour = {True: "green", False: "red", None: "default"}[figure.reached(median(runs))]
                against = f"{self.against(figure.name)} [dim]({'  '.join(map(short, runs))})"
                table.add_row(figure.name, f"[{colour}]{short(median(runs))}[/]", figure.bound, against)
        return table

    def write(self, path: Path) -> None:
        """Everything measured; names measured earlier and not this time keep their rows."""
        path.parent.mkdir(exist_ok=True)
        rows = self.rows()
        kept = _earlier(path, {row["name"] for row in rows})
        path.write_text(json.dumps(kept + rows, indent=1, ensure_ascii=False) + "\n")


def _earlier(path: Path, anew: Iterable[object]) -> list[dict[str, object]]:
    gone = set(anew)
    return [row for row in json.loads(path.read_text()) if row["name"] not in gone] if path.exists() else []


def short(value: float) -> str:
    """A figure as people read it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
