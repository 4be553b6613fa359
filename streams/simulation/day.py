"""One local day of all customers, drawn from the seed and the day alone: any day can be drawn without those before.

What a day causes later (a ticket's end, a second try of a payment) is at most `REACH` days away."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from streams.simulation import standing
from streams.simulation.calendars import ZONES, Floats, Ints, moments, offset_hours, work
from streams.simulation.personas import PERSONAS
from streams.simulation.population import Bools, Population
from streams.simulation.rows import DAY_MS, HOUR_MS, Rows
from streams.simulation.weather import Weather

REACH = 12
Draws = Callable[["Day"], list[Rows]]


@dataclass(frozen=True)
class Day:
    """A day, what everyone is on it, and the chance that decides it."""

    number: int
    on: date
    people: Population
    weather: Weather
    chance: np.random.Generator
    midnight: Ints
    """The start of the local day of every account, epoch milliseconds."""
    utc: int
    """The start of the day in UTC, epoch milliseconds."""
    worked: Floats
    living: Bools
    """Those who were there before today; on the first day all."""
    paying: Bools
    bought: Ints
    used: Ints

    def happens(self, likely: Floats) -> Ints:
        """Accounts to which something happens today, each with its own likelihood."""
        return np.flatnonzero(self.chance.random(len(likely)) < likely)

    def when(self, who: Ints) -> Ints:
        """A moment of the local day for each account of `who`."""
        return self.midnight[who] + moments(self.chance.random(len(who)))

    def below(self, bound: int | Ints, many: int) -> Ints:
        """Whole numbers from 0 up to, not including, `bound`."""
        return (self.chance.random(many) * bound).astype(np.int64)

    def person(self, who: Ints) -> Ints:
        """Someone of each account; the first ones more often."""
        return (self.chance.random(len(who)) ** 1.25 * self.used[who]).astype(np.int64)

    def persona(self, field: str) -> Floats:
        """A persona's field for every account."""
        column: Floats = np.array([getattr(p, field) for p in PERSONAS], float)[self.people.persona]
        return column


def dawn(people: Population, weather: Weather, start: date, number: int, seed: int) -> Day:
    """The day `number` of a world that starts on `start`."""
    on = start + timedelta(number)
    epoch = (start - date(1970, 1, 1)).days + number
    offsets = np.array([int(offset_hours(zone, on) * HOUR_MS) for zone in ZONES])
    return Day(
        number=number,
        on=on,
        people=people,
        weather=weather,
        chance=np.random.Generator(np.random.PCG64([seed, 1, number])),
        midnight=epoch * DAY_MS - offsets[people.zone],
        utc=epoch * DAY_MS,
        worked=np.array(work(on))[people.week],
        living=standing.living(people, number) & ((people.born < number) | (number == 0)),
        paying=standing.paying(people, number),
        bought=standing.seats_bought(people, number),
        used=standing.seats_used(people, number),
    )
