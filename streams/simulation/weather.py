"""What the stories change in everyone's day: less use, more tickets, worse moods."""

from dataclasses import dataclass

import numpy as np

from streams.simulation import cast
from streams.simulation.calendars import Floats, Ints
from streams.simulation.population import Bools, Population

_ON_CLUSTER = 0.4
_CLUSTER_ZONES = (0, cast.LONDON, cast.BERLIN)


@dataclass(frozen=True)
class Weather:
    """One value per account: a factor of use, more tickets a day, the share of them that is urgent, a shift of mood."""

    usage: Floats
    tickets: Floats
    urgent: Floats
    mood: Floats
    asked: Floats
    """Likelihood of an extra NPS answer today."""


def weather(people: Population, day: int) -> Weather:
    """The day's weather; `day` counts from the stories' Monday."""
    usage = np.ones(len(people.ids))
    for place, role in enumerate(cast.CAST[: len(people.ids)]):
        usage[place] = _use(role.story, day)
    storm = on_cluster(people) if day in cast.OUTAGE else np.zeros(len(people.ids), bool)
    after = on_cluster(people) if day - 1 in cast.OUTAGE else storm
    return Weather(
        usage=np.where(storm, usage * 0.55, usage),
        tickets=np.where(storm, 0.8, 0.0),
        urgent=np.where(storm, 0.6, 0.06),
        mood=np.where(storm | after, -5.5, 0.0),
        asked=np.where(after, 0.3, 0.0),
    )


def _use(story: str, day: int) -> float:
    if story == "silent-decline":
        faded: float = 2 ** (-max(0, day - cast.FADES) / cast.HALVES)
        return faded if day < cast.STOPS else 0.0
    return 0.02 if story == "champion-leaves" and day >= cast.LEAVES else 1.0


def on_cluster(people: Population) -> Bools:
    """The accounts that the outage hits."""
    return np.isin(people.zone, _CLUSTER_ZONES) & (people.luck < _ON_CLUSTER) & (people.plan > 0)


def places(story: str, people: Population) -> Ints:
    """Where the story's own accounts stand in the population."""
    return np.array([i for i, role in enumerate(cast.CAST[: len(people.ids)]) if role.story == story], np.int64)
