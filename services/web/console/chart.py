"""An account's health over time as SVG.  Colours and fonts are the style sheet's, so it follows the theme."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from xml.etree import ElementTree as ET

import pygal
from babel.dates import format_skeleton

from schemas.api.portfolio import HealthPoint

WIDTH, HEIGHT = 460, 170
LABELS = 4
"""Dates written below the line."""
DOTTED = 20
"""More points than this would run together."""
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]
"""pygal leaves an import hook behind, for plugins of ten years ago, that every later import would warn of."""
_SVG = "{http://www.w3.org/2000/svg}"
_DROPPED = ("defs", "desc", "style", "script")
"""What pygal brings for stand-alone files: inline style and script, which the page's security policy refuses."""


def health_chart(points: Sequence[HealthPoint], language: str, zone: tzinfo = UTC) -> bytes:
    """A line of the scores (0-100) in order of time, dates written in `zone`.  Empty when no point has a score."""
    scored = [(point.at.timestamp(), point.score) for point in points if point.score is not None]
    if not scored:
        return b""
    chart = pygal.XY(
        js=[],
        width=WIDTH,
        height=HEIGHT,
        range=(0, 100),
        show_legend=False,
        margin=2,
        margin_top=8,
        spacing=6,
        dots_size=2,
        show_dots=len(scored) <= DOTTED,
        truncate_label=-1,
    )
    chart.y_labels = [{"label": str(y), "value": y} for y in (0, 50, 100)]
    chart.x_labels = _dates(scored[0][0], scored[-1][0], language, zone)
    chart.add(None, [*scored, *_alone(scored)])
    return _stripped(chart.render_tree())


def _alone(scored: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A second point an hour on, so that a single one still shows as a line."""
    return [(scored[0][0] + 3600, scored[0][1])] if len(scored) == 1 else []


def _dates(first: float, last: float, language: str, zone: tzinfo) -> list[dict[str, object]]:
    skeleton = "MMMd" if last - first > timedelta(days=3).total_seconds() else "Hm"
    step = max(last - first, 3600) / (LABELS + 1)
    marks = [first + step * (place + 0.5) for place in range(LABELS + 1)]
    labels = {format_skeleton(skeleton, datetime.fromtimestamp(m, zone), locale=language): m for m in reversed(marks)}
    return [{"label": label, "value": mark} for label, mark in labels.items()]


def _stripped(tree: ET.Element) -> bytes:
    for parent in list(tree.iter()):
        parent.attrib.pop("style", None)
        for child in list(parent):
            kind = child.tag.removeprefix(_SVG) if isinstance(child.tag, str) else "comment"
            if kind in (*_DROPPED, "comment", "title") or "-overlay" in child.get("class", ""):
                parent.remove(child)
    tree.attrib.pop("id", None)
    return ET.tostring(tree)
