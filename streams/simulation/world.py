"""A world of customers and its events in time order, a day at a time, whatever the number of accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from streams.simulation import lives, stories
from streams.simulation.day import REACH, dawn
from streams.simulation.population import Population, populate
from streams.simulation.rows import DAY_MS, HOUR_MS, ROW, Rows, in_order, numbered
from streams.simulation.spell import Record, Speller
from streams.simulation.tickets import tickets
from streams.simulation.weather import weather

_EAST = 14 * HOUR_MS
"""No zone's day begins earlier than this before midnight in UTC."""
_DRAWS = (lives.arrivals, lives.usage, lives.seats, lives.money, tickets, lives.voices, lives.touches)


@dataclass(frozen=True)
class World:
    """`accounts` customers from `start` on (a date in UTC).  The stories begin on the first Monday after `history`
    days; with `backfill` the events of those days say that they are history."""

    accounts: int
    seed: int
    start: date
    history: int = 60
    backfill: bool = False

    @cached_property
    def people(self) -> Population:
        """Who lives here."""
        return populate(self.accounts, self.seed, self.monday)

    @property
    def monday(self) -> int:
        """The day that the stories count from."""
        return self.history + (-(self.start + timedelta(self.history)).weekday()) % 7

    def stories(self) -> list[stories.Story]:
        """What there is to watch, in the order it begins."""
        return stories.told(self.people, self.start + timedelta(self.monday))

    def instant(self, day: float) -> float:
        """The beginning of a day in UTC, in epoch seconds."""
        return ((self.start - date(1970, 1, 1)).days + day) * DAY_MS / 1000


def events(world: World, days: int, since: float | None = None) -> Iterator[Record]:
    """The world's first `days` days in time order; with `since` (epoch seconds) only what happens then or later.

    Fewer days give a beginning of the same events.  Holds at most the rows of some fifteen days of tickets and one
    of usage (48 bytes each)."""
    first = 0 if since is None else max(0, int((since - world.instant(0)) // 86400) - REACH)
    floor = world.instant(0) if since is None else max(since, world.instant(0))
    speller = Speller(world.people, world.start, _source(world), _ms(world.instant(world.history)) * world.backfill)
    waiting = np.zeros(0, ROW)
    for number in range(first, days + 1):
        waiting = np.concatenate([waiting, _rows(world, number)])
        waiting = waiting[waiting["at"] >= round(floor * 1000)]
        end = _ms(world.instant(number + 1)) - _EAST if number < days else _ms(world.instant(days))
        end = min(end, _ms(world.instant(days)))
        ready = waiting["at"] < end
        yield from speller.records(in_order(waiting[ready]))
        waiting = waiting[~ready]


def _rows(world: World, number: int) -> Rows:
    """Everything that a local day begins; some of it happens on later days."""
    told_day = number - world.monday
    day = dawn(world.people, weather(world.people, told_day), world.start, number, world.seed)
    drawn = [part for draw in _DRAWS for part in draw(day)]
    return numbered([*drawn, *stories.scripted(world.people, told_day, day.midnight)], number)


def _source(world: World) -> str:
    """Events of different worlds never share source and id."""
    return f"simulation/{world.seed}/{world.accounts}/{world.start:%Y%m%d}/{world.history}"


def _ms(instant: float) -> int:
    return round(instant * 1000)
