"""Decisions: equal to the plain reference, bounded, explained to the last point, and never flapping (laws B and C)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.fact import FACTS
from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from streams.scoring.compile import BANDS
from streams.scoring.engine import Decision, Engine
from streams.scoring.instants import EPOCH
from streams.scoring.judge import judge
from tests.histories import (
    ACCOUNTS,
    DAY,
    START,
    Event,
    cuts_of,
    engine,
    feed,
    histories,
    polls,
    row_of,
    slices,
)
from tests.reference import Account, Happening

CARD = load(DEFAULT)
STATES = ("clear", "pending", "open", "cooling")
quick = settings(max_examples=20, deadline=None)
cut_histories = histories.flatmap(lambda events: st.tuples(st.just(events), cuts_of(events)))
_fact = msgspec.json.Decoder(dict[str, Any])


def told(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """All facts, decoded."""
    return [_fact.decode(fact.value) for decision in decisions for fact in decision.facts]


@given(cut_histories)
@quick
def test_every_decision_equals_the_plain_reference_at_the_same_instants(case: tuple[list[Event], list[int]]) -> None:
    """After each poll, and after twelve and forty silent days.  Distinct users are an estimate, so the reference is
    not asked about the measure made of them."""
    events, cuts = case
    exact = load(
        DEFAULT.read_text(encoding="utf-8").replace("[active_users, seats_bought]", "[seats_used, seats_bought]")
    )
    living, accounts = engine(exact), dict[str, Account]()
    for start, stop in polls(events, cuts):
        feed(living, events[:stop], [start])
        touched = list(dict.fromkeys(event.account for event in events[start:stop]))
        for event in events[start:stop]:
            accounts.setdefault(event.account, Account(exact)).see(event.what)
        for name in touched:
            accounts[name].judge(accounts[name].as_of)
            agree(living, name, accounts[name])
    for days in (12, 40):
        living.sweep(START + (70 + days) * DAY, 0, living.accounts.size)
        for name, account in accounts.items():
            account.judge(START + (70 + days) * DAY)
            agree(living, name, account)


def agree(living: Engine, name: str, account: Account) -> None:
    row, card = row_of(living, name), living.model.card
    for place, counter in enumerate(card.counters):
        assert row["sums"][place] == pytest.approx(account.counter(counter, row["as_of"]), rel=1e-9, abs=1e-9)
    assert (BANDS[row["band"]], int(row["stage"])) == (account.band, account.stage)
    for place, signal in enumerate(card.signals):
        state, since, level, episode = account.signals[signal]
        assert (STATES[row["signals"][place]], row["levels"][place], row["episodes"][place]) == (
            state,
            level,
            episode,
        ), signal
        if state != "clear":
            assert row["signal_since"][place] + EPOCH == since


@given(cut_histories)
@quick
def test_scores_and_coverage_are_bounded_and_agree_with_the_reference(case: tuple[list[Event], list[int]]) -> None:
    events, cuts = case
    living = engine(CARD)
    feed(living, events, cuts)
    at = living.accounts.occupied(0, living.accounts.size)
    rows = living.accounts.rows[at]
    if not len(at):
        return

    now = judge(living.model, living.accounts, rows, np.full(len(at), START + 75 * DAY)).now

    assert ((now.score >= 0) & (now.score <= 100) & (now.coverage >= 0) & (now.coverage <= 1 + 1e-12)).all()
    assert np.isfinite(now.score).all()


@given(cut_histories)
@quick
def test_the_effects_of_every_health_fact_sum_to_its_change(case: tuple[list[Event], list[int]]) -> None:
    events, cuts = case
    living = engine(CARD)
    facts = told(feed(living, events, cuts))
    for days in range(71, 110, 3):
        facts += told(living.sweep(START + days * DAY, 0, living.accounts.size))

    for fact in facts:
        if fact["type"] == "kesher.health.changed":
            data = fact["data"]
            change = (data["score"] or 0.0) - (data["previous"] or 0.0)
            assert sum(reason["effect"] for reason in data["reasons"]) == pytest.approx(change, abs=0.0501), fact


@given(cut_histories)
@quick
def test_facts_are_typed_ordered_and_never_share_an_id(case: tuple[list[Event], list[int]]) -> None:
    events, cuts = case
    living = engine(CARD)
    decisions = feed(living, events, cuts) + living.sweep(START + 90 * DAY, 0, living.accounts.size)
    sequences: dict[str, int] = {}

    for decision in decisions:
        for fact in decision.facts:
            read = msgspec.json.decode(fact.value, type=dict[str, msgspec.Raw])
            msgspec.json.decode(read["data"], type=FACTS[msgspec.json.decode(read["type"])])
            subject, sequence = msgspec.json.decode(read["subject"]), msgspec.json.decode(read["sequence"])
            assert sequence == sequences.get(subject, 0) + 1
            sequences[subject] = sequence
            assert fact.id == msgspec.json.decode(read["id"])
            assert fact.id.endswith(f":{subject}:0:{sequence}")


@given(cut_histories)
@quick
def test_with_the_same_judged_instants_facts_are_equal_to_the_byte(case: tuple[list[Event], list[int]]) -> None:
    """Law B: a recovered worker goes on exactly as the one that never stopped."""
    events, cuts = case
    living, split = engine(CARD), len(events) // 2
    feed(living, events[:split], [c for c in cuts if c < split])
    recovered = engine(CARD)
    for partition, rows in living.accounts.take_dirty().items():
        recovered.accounts.apply(partition, [k for k, _ in rows], [v for _, v in rows])
    # rows told about in the first half left with their decision; bring them over, too
    at = living.accounts.occupied(0, living.accounts.size)
    for key, value, partition in zip(
        living.accounts.keys_of(at),
        living.accounts.take(at),
        living.accounts.rows["partition"][at].tolist(),
        strict=True,
    ):
        recovered.accounts.apply(partition, [key], [value])

    rest = [split, *(c for c in cuts if c > split)]
    a, b = (
        sorted((f.id, f.value) for d in [*feed(it, events, rest), *it.sweep(START + 80 * DAY, 0, 99)] for f in d.facts)
        for it in (living, recovered)
    )

    assert a == b


@given(cut_histories, cut_histories)
@quick
def test_cut_differently_a_history_ends_with_the_same_open_signals(
    case: tuple[list[Event], list[int]], other: tuple[list[Event], list[int]]
) -> None:
    """Law C, after a sweep past every dwell, unless a value lies between exit and enter."""
    events, _ = case
    one, two = engine(CARD), engine(CARD)
    feed(one, events)
    feed(two, events, [c for c in other[1] if c < len(events)])
    for days in (130, 131, 140, 200, 205):
        for it in (one, two):
            it.sweep(START + days * DAY, 0, it.accounts.size)

    for account in {event.account for event in events}:
        a, b = row_of(one, account), row_of(two, account)
        value = _between(one, account)
        for place in range(len(CARD.signals)):
            if not value[place]:
                assert (a["signals"][place] == 2) == (b["signals"][place] == 2), list(CARD.signals)[place]


def _between(of: Engine, account: str) -> list[bool]:
    """For each signal, whether its value lies between exit and enter, where history decides."""
    at = of.accounts.find([account.encode()])
    it = judge(of.model, of.accounts, of.accounts.rows[at], np.full(1, START + 205 * DAY))
    out = []
    for signal in CARD.signals.values():
        if signal.of is None:
            out.append(False)
            continue
        value = (
            it.now.score[0]
            if signal.of == "health"
            else it.measured.scores[0, of.model.layout.measures.index(signal.of)]
        )
        known = it.now.coverage[0] >= CARD.min_coverage and (
            signal.of == "health" or it.measured.known[0, of.model.layout.measures.index(signal.of)]
        )
        enter = signal.below if signal.below is not None else signal.above
        low, high = sorted((enter, signal.exit))
        out.append(not known or bool(low - 0.01 <= value <= high + 0.01))
    return out


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.floats(0.01, 3))
@quick
def test_a_signal_never_opens_within_its_dwell_nor_again_within_its_cool_down(
    scores: list[float], hours: float
) -> None:
    """Health is driven up and down at will."""
    from streams.scoring import signals
    from streams.scoring.health import Health
    from streams.scoring.measures import Measured

    model = engine(CARD).model
    rows = np.zeros(1, model.layout.dtype)
    place, low = list(CARD.signals).index("low_health"), CARD.signals["low_health"]
    inside_since, cleared, was = None, None, 0
    measured = Measured(np.zeros((1, len(CARD.measures))), np.zeros((1, len(CARD.measures)), bool))
    holding = np.zeros((1, len(CARD.indicators)), bool)
    for i, score in enumerate(scores):
        at = START + i * hours * 3600
        now = Health(
            np.array([score]),
            np.array([True]),
            np.ones(1),
            np.zeros((1, len(CARD.measures))),
            np.zeros(1),
            np.zeros(1, int),
            np.zeros(1, int),
        )
        inside_since = (inside_since if inside_since is not None else at) if score <= low.below else None
        signals.advance(model, rows, np.array([at]), now, measured, holding)
        state = rows["signals"][0, place]
        if state == signals.OPEN and was != signals.OPEN:
            assert inside_since is not None
            assert at - inside_since >= low.dwell
            assert cleared is None or at - cleared >= low.cool_down
        if was == signals.OPEN and state != signals.OPEN:
            assert score >= low.exit
            cleared = at
        was = state


def test_a_bad_answer_that_arrives_counts_against_health() -> None:
    """Its share times its score is positive; its distance from the mean is not."""
    events = [
        Event("acme", Happening("usage.tracked", START + i * 7200.0, {"name": "x", "count": 3}), f"e{i}")
        for i in range(200)
    ]
    bad = Event(
        "acme",
        Happening("feedback.survey_answered", START + 200 * 7200.0, {"metric": "nps", "score": 1, "respondent": "r"}),
        "bad",
    )
    living = engine(CARD)
    feed(living, events)

    facts = [f for f in told(feed(living, [*events, bad], [len(events)])) if f["type"] == "kesher.health.changed"]

    effect = {reason["measure"]: reason["effect"] for reason in facts[-1]["data"]["reasons"]}
    assert effect["sentiment"] < -5


@pytest.mark.parametrize("change", ["score", "seats"])
def test_health_is_told_once_when_first_seen_and_then_only_by_the_step(change: str) -> None:
    events = [
        Event(ACCOUNTS[0], Happening("usage.tracked", START + i, {"name": "x", "count": 1}), f"{change}{i}")
        for i in range(50)
    ]
    living = engine(CARD)
    facts = told(feed(living, events, list(range(50))))
    health = [f for f in facts if f["type"] == "kesher.health.changed"]

    assert health[0]["data"]["previous"] is None
    assert "sentiment" in health[0]["data"]["missing"]
    for before, after in pairwise(health):
        moved = abs((after["data"]["score"] or 0) - (before["data"]["score"] or 0)) >= CARD.step - 0.01
        assert moved or after["data"]["band"] != before["data"]["band"]


@given(cut_histories)
@quick
def test_deferring_through_a_backlog_and_settling_once_tells_what_judging_at_its_end_tells(
    case: tuple[list[Event], list[int]],
) -> None:
    events, cuts = case
    deferred = engine(CARD)
    for start, stop in polls(events, cuts):
        reading = deferred.read(slices(events, start, stop))
        assert reading.batch is not None
        assert deferred.absorb(reading.batch, defer=True) == []

    settled = deferred.settle(deferred.unsettled())

    assert {(d.key, f.id) for d in settled for f in d.facts} == {
        (d.key, f.id) for d in feed(engine(CARD), events) for f in d.facts
    }
    assert not len(deferred.unsettled())
