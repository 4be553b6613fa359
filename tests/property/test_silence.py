"""A sweep that leaves alone what cannot move tells exactly what judging every account each minute would tell."""

import numpy as np
from hypothesis import given, settings

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from streams.scoring.engine import Engine
from tests.histories import DAY, START, Event, engine, feed, histories

CARD = load(DEFAULT)
ROUND = 60.0


@given(histories)
@settings(max_examples=6, deadline=None)
def test_rows_left_alone_would_have_told_nothing(events: list[Event]) -> None:
    wise, plain = engine(CARD), engine(CARD)
    feed(wise, events), feed(plain, events)
    begin = START + 70 * DAY

    for minute in range(600):
        now = begin + minute * ROUND
        told = wise.sweep(now, 0, wise.accounts.size)
        assert _facts(told) == _facts(_all(plain, now))

    assert np.count_nonzero(wise.accounts.calm_until) > 0 or not wise.accounts.size


def _all(of: Engine, now: float) -> list:
    at = of.accounts.occupied(0, of.accounts.size)
    return of._judged_silent(at, now, "inactivity") if len(at) else []


def _facts(decisions: list) -> list[tuple[str, bytes]]:
    return [(fact.id, fact.value) for decision in decisions for fact in decision.facts]
