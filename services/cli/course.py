"""What a demo plays, and how far it has come: records in time order, and a file that remembers the place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from schemas.errors import Refused
from services.cli.datasets import DATASETS
from streams.simulation.spell import Record
from streams.simulation.stories import Story
from streams.simulation.world import World, events

Data = Literal["simulation", "cdnow", "ecom"]
HISTORY = 60
FOREVER = 36_500
"""Days of a world that is never to end."""
_AHEAD = timedelta(days=28)
"""A fast world begins to live this long ago, so that for a while it does not run ahead of the calendar."""


class Place(msgspec.Struct, frozen=True):
    """All records before `at` (epoch seconds) are sent, and so many of those at it."""

    at: float
    same: int

    def moved(self, at: float) -> "Place":
        """After one more record."""
        return Place(at, self.same + 1 if at == self.at else 1)


class Remembered(msgspec.Struct):
    """What lives in a data directory.  A `wall` world lives by the clock on the wall, others by their own time."""

    data: Data
    accounts: int
    seed: int
    start: str
    speed: float
    wall: bool
    place: Place | None = None

    def world(self) -> World:
        """The simulated customers."""
        return World(self.accounts, self.seed, date.fromisoformat(self.start), HISTORY, backfill=True)


@dataclass(frozen=True)
class Course:
    """`records(since)` begins with the first record at `since` or later; those before `live` are history."""

    records: Callable[[float | None], Iterator[Record]]
    live: float
    stories: list[Story] = field(default_factory=list)

    def after(self, place: Place | None) -> Iterator[Record]:
        """The records that a place leaves to be sent."""
        if place is None:
            yield from self.records(None)
            return
        skipped = 0
        for record in self.records(place.at):
            if record[0] == place.at and skipped < place.same:
                skipped += 1
            else:
                yield record


def course(remembered: Remembered) -> Course:
    """What the directory's demo plays.  Refused when a data set is not installed, with the way to install it."""
    if remembered.data == "simulation":
        world = remembered.world()
        return Course(lambda since: events(world, FOREVER, since), world.instant(world.history), world.stories())
    recorded = DATASETS[remembered.data].records()
    return Course(lambda since: (one for one in recorded if since is None or one[0] >= since), recorded[0][0])


def first_day(today: date, *, wall: bool) -> date:
    """When a new world begins: its history ends today, or, for a fast one, on a Monday some weeks ago."""
    live = today if wall else (today - _AHEAD) - timedelta((today - _AHEAD).weekday())
    return live - timedelta(HISTORY)


def recall(file: Path) -> Remembered | None:
    """What the file remembers, None when there is none.  Refused when it cannot be read."""
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Remembered)
    except msgspec.DecodeError as error:
        raise Refused(f"{file} cannot be read ({error}); delete {file.parent} to begin anew") from error


def remember(file: Path, remembered: Remembered) -> None:
    """Write the file whole or not at all."""
    draft = file.with_suffix(".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(remembered)))
    draft.replace(file)
