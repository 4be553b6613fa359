"""What every account is on a day, each a closed form of the day: no history is needed to know it."""

from datetime import date

import numpy as np

from streams.simulation.calendars import Floats, Ints, season, work
from streams.simulation.population import NEVER, TRIAL_DAYS, Bools, Population

YEAR = 365
_MOST_GROWTH = 4.0
_FADE_DAYS = 25


def living(people: Population, day: int) -> Bools:
    """Customers or in trial."""
    return (people.born <= day) & ((day < people.gone) | (people.back <= day))


def paying(people: Population, day: int) -> Bools:
    """Customers with a subscription."""
    return living(people, day) & (people.pays <= day)


def seats_bought(people: Population, day: int) -> Ints:
    """Seats of the subscription: fixed, growing by five once all are taken, or stepped by a story."""
    fives = np.where(people.growth > 0, 5 * np.ceil(_wanted(people, day) / 5), 0)
    stepped = people.seats * np.where(day >= people.buys, 1.5, 1)
    bought: Floats = np.where(people.buys < NEVER, stepped, np.maximum(people.seats, fives))
    return bought.astype(np.int64)


def seats_used(people: Population, day: int) -> Ints:
    """People with a seat; never more than were bought."""
    used: Floats = np.minimum(np.round(_wanted(people, day)), seats_bought(people, day))
    return used.astype(np.int64)


def _wanted(people: Population, day: int) -> Floats:
    grown = np.exp(people.growth * np.maximum(day - people.grows, 0))
    return people.used * np.minimum(grown, _MOST_GROWTH)


def usage_rate(people: Population, day: int, on: date) -> Floats:
    """Expected usage events of a local day, before any story."""
    worked = np.array(work(on))[people.week]
    left = np.where(people.back <= day, _FADE_DAYS, people.gone - day)
    fading = np.clip(left / _FADE_DAYS, 0.05, 1.0)
    young = np.where(day - people.born < TRIAL_DAYS, 1.3, 1.0)
    grown = _wanted(people, day) / people.used
    rate = people.usage * worked * fading * young * grown * season(people.season, people.peak, on)
    return np.where(living(people, day), rate, 0.0)


def renewal(people: Population, day: int) -> Ints:
    """The day of the next renewal, after `day`."""
    years: Ints = np.maximum(0, (day - people.renews) // YEAR + 1)
    return people.renews + YEAR * years
