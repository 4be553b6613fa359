"""The demo's programme: what to watch and when, and a word at the moment it happens."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from rich.table import Table
from rich.text import Text

from streams.simulation.stories import Moment, Story, Told

Language = Literal["en", "he"]


class Showing(NamedTuple):
    """A moment and the story it belongs to."""

    story: Story
    moment: Moment


def programme(stories: Sequence[Story], since: float) -> list[Showing]:
    """All moments from an instant (epoch seconds) on, in time order."""
    showings = [Showing(story, moment) for story in stories for moment in story.moments if moment.at >= since]
    return sorted(showings, key=lambda showing: showing.moment.at)


def due(showings: list[Showing], now: float) -> Iterator[Showing]:
    """Take those whose time has come off the list."""
    while showings and showings[0].moment.at <= now:
        yield showings.pop(0)


def said(told: Told, language: Language) -> str:
    """A text in the chosen language."""
    return told.hebrew if language == "he" else told.english


def timetable(showings: Sequence[Showing], since: float, speed: float, language: Language) -> Table:
    """When, counted from `since` at `speed`; at which account; what."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("in", no_wrap=True, justify="right")
    table.add_column("account", no_wrap=True)
    table.add_column("what happens")
    for _, moment in showings:
        wait = timedelta(seconds=round((moment.at - since) / speed))
        table.add_row(spoken(wait), Text(moment.name), Text(said(moment.told, language)))
    return table


def clock(instant: float) -> str:
    """An instant as people read it: `Tue 10 Mar 08:00`, UTC."""
    return f"{datetime.fromtimestamp(instant, UTC):%a %d %b %H:%M}"


def spoken(wait: timedelta) -> str:
    """A wait as people read it: `7:18 min`, `3 d 4 h`."""
    days, seconds = wait.days, wait.seconds
    return f"{days} d {seconds // 3600} h" if days else f"{seconds // 60}:{seconds % 60:02d} min"
