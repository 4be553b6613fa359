"""Who the customers are: one array per property, one place per account, the stories' accounts first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.simulation import cast
from streams.simulation.calendars import FROM_MONDAY, FROM_SUNDAY, JERUSALEM, ZONES, Floats, Ints
from streams.simulation.names import ENGLISH_OWNERS, HEBREW_OWNERS, OWNERS, english_name, hebrew_name
from streams.simulation.personas import PERSONAS, PLANS

Bools = NDArray[np.bool_]
NEVER = 1_000_000
"""A day that does not come."""
TRIAL_DAYS = 21
_ISRAELI = 0.4
_CAST_PERSONA = {persona.name: i for i, persona in enumerate(PERSONAS)}


@dataclass(frozen=True)
class Population:
    """Days count from the first day of the world and may be negative; rates are of a full working day."""

    ids: list[str]
    names: list[str]
    segments: list[str]
    hebrew: Bools
    zone: Ints
    week: Ints
    persona: Ints
    plan: Ints
    owner: Ints
    seats: Floats
    used: Floats
    growth: Floats
    """Of seats used, a day, from `grows` on; seats bought follow in fives where `buys` is NEVER."""
    grows: Ints
    buys: Ints
    """The day on which a story's account buys half as many seats again."""
    usage: Floats
    tickets: Floats
    mood: Floats
    fails: Floats
    touches: Floats
    season: Floats
    peak: Floats
    born: Ints
    pays: Ints
    gone: Ints
    back: Ints
    renews: Ints
    """Day of the first renewal on or after day 1; then every 365 days."""
    bills: Ints
    """Day of the month, 1-28."""
    phase: Ints
    luck: Floats
    """A uniform draw that decides once and for all, such as who sits on the failing cluster."""


def populate(accounts: int, seed: int, monday: int) -> Population:
    """The customers of a world; `monday` is the day the stories count from.  Takes 16 bytes x 25 per account."""
    chance = np.random.Generator(np.random.PCG64([seed, 0])).random((24, accounts))
    persona = _personas(chance[0])
    hebrew = chance[1] < _ISRAELI
    zone = np.where(hebrew, JERUSALEM, 1 + (chance[2] * (len(ZONES) - 1)).astype(np.int64))
    plan = np.array([_plan(kind, u) for kind, u in zip(persona.tolist(), chance[3].tolist(), strict=True)])
    seats = np.round(_between(_each(persona, "seats"), chance[4] ** 1.5))
    born, pays, gone, back = _lives(persona, plan, chance)
    people = Population(
        *_labels(hebrew, persona, chance),
        hebrew=hebrew,
        zone=zone,
        week=np.where(hebrew, FROM_SUNDAY, FROM_MONDAY),
        persona=persona,
        plan=plan,
        owner=_owners(hebrew, chance[5]),
        seats=seats,
        used=np.maximum(1, np.round(seats * _between(_each(persona, "used"), chance[6]))),
        growth=_each(persona, "growth"),
        grows=np.zeros(accounts, np.int64),
        buys=np.full(accounts, NEVER),
        usage=_each(persona, "usage") * np.exp(0.5 * (chance[7] + chance[8] + chance[9] - 1.5)),
        tickets=_each(persona, "tickets"),
        mood=_each(persona, "mood") + 2.4 * (chance[10] - 0.5),
        fails=_each(persona, "fails"),
        touches=_each(persona, "touches"),
        season=_each(persona, "season"),
        peak=np.where(hebrew, 265.0, 345.0),
        born=born,
        pays=pays,
        gone=gone,
        back=back,
        renews=1 + (chance[11] * 365).astype(np.int64),
        bills=1 + (chance[12] * 28).astype(np.int64),
        phase=(chance[13] * 60).astype(np.int64),
        luck=chance[14],
    )
    _play_all(people, cast.CAST[:accounts], monday)
    return people


def _personas(uniform: Floats) -> Ints:
    """Everyone's persona, each by its share."""
    shares = np.cumsum([persona.share for persona in PERSONAS])
    found: Ints = np.searchsorted(shares, uniform * shares[-1], side="right")
    return found


def _plan(persona: int, uniform: float) -> int:
    plans = PERSONAS[persona].plans
    return PLANS.index(plans[int(uniform * len(plans))])


def _each(persona: Ints, field: str) -> Floats:
    """The persona's value of a field for every account; pairs give two columns."""
    table = np.array([getattr(p, field) for p in PERSONAS], float)
    column: Floats = table[persona]
    return column


def _between(bounds: Floats, uniform: Floats) -> Floats:
    return bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) * uniform


def _owners(hebrew: Bools, uniform: Floats) -> Ints:
    english = (uniform * len(ENGLISH_OWNERS)).astype(np.int64)
    return np.where(hebrew, len(ENGLISH_OWNERS) + (uniform * len(HEBREW_OWNERS)).astype(np.int64), english)


def _labels(hebrew: Bools, persona: Ints, chance: Floats) -> tuple[list[str], list[str], list[str]]:
    ids, names, segments = [], [], []
    traits = zip(hebrew.tolist(), persona.tolist(), chance[15].tolist(), strict=True)
    for number, (israeli, kind, u) in enumerate(traits):
        name, slug = (hebrew_name if israeli else english_name)(int(u * 1_000_000))
        ids.append(f"{slug}-{number:04d}")
        names.append(name)
        segments.append(PERSONAS[kind].segment)
    return ids, names, segments


def _lives(persona: Ints, plan: Ints, chance: Floats) -> tuple[Ints, Ints, Ints, Ints]:
    """Days on which each account is born, first pays, leaves and comes back."""
    trial = _each(persona, "evaluates") > 0
    born = np.where(trial, -20 + chance[16] * 110, -30 - chance[16] * 900).astype(np.int64)
    converts = trial & (chance[17] < 0.55)
    pays = np.select([plan == 0, converts, trial], [NEVER, born + TRIAL_DAYS, NEVER], born)
    hazard = _each(persona, "churn_per_year") / 365
    lasts = np.where(hazard > 0, -np.log1p(-chance[18]) / np.maximum(hazard, 1e-9), NEVER)
    gone = np.where(pays < NEVER, np.maximum(pays + 30, 0) + np.minimum(lasts, NEVER), NEVER).astype(np.int64)
    gone = np.where(trial & ~converts, born + TRIAL_DAYS + 7, gone)
    returns = (chance[19] < 0.2) & ~(trial & ~converts) & (gone < NEVER)
    return born, pays, gone, np.where(returns, gone + 30 + (chance[20] * 30).astype(np.int64), NEVER)


def _play_all(people: Population, roles: Sequence[cast.Role], monday: int) -> None:
    for place, role in enumerate(roles):
        _play(people, place, role, monday)


def _play(people: Population, place: int, role: cast.Role, monday: int) -> None:
    """Give an account its part: what the role says, and a life without other turns."""
    persona = PERSONAS[_CAST_PERSONA[role.persona]]
    people.ids[place], people.names[place] = role.account, role.name
    people.segments[place] = persona.segment
    renews = monday + cast.LEAVES + cast.RENEWS_AFTER if role.story == "champion-leaves" else monday + 200
    surging = role.story == "growth-surge"
    settled = {
        "hebrew": role.hebrew,
        "zone": role.zone,
        "week": FROM_SUNDAY if role.hebrew else FROM_MONDAY,
        "persona": _CAST_PERSONA[role.persona],
        "plan": PLANS.index(role.plan),
        "owner": OWNERS.index(role.owner),
        "seats": role.seats,
        "used": role.used,
        "usage": role.usage,
        "mood": role.mood,
        "tickets": persona.tickets,
        "fails": 0.0,
        "touches": persona.touches,
        "season": 0.0,
        "born": -400,
        "pays": -400,
        "gone": NEVER,
        "back": NEVER,
        "renews": renews,
        "luck": 0.0 if role.story == "outage-week" else 1.0,
        "grows": monday + cast.SURGES if surging else 0,
        "growth": np.log(role.seats / role.used) / (cast.FULL - cast.SURGES) if surging else 0.0,
        "buys": monday + cast.BUYS if surging else NEVER,
    }
    for column, value in settled.items():
        getattr(people, column)[place] = value
