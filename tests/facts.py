"""Facts to test with: one of each kind, and whole histories of accounts, by a seed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from schemas import envelope
from schemas.events import fact
from schemas.events.fact import Account, Band, ChurnRisk, Fact, HealthChanged, LifecycleChanged, Reason, Upsell
from schemas.topics import CHURN_RISK, HEALTH, LIFECYCLE, UPSELL, Topic

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
STAGES = ("engagement", "evaluation", "purchase", "adoption", "advocacy", "churned")
_TOPICS = {"health": HEALTH, "lifecycle": LIFECYCLE, "churn_risk": CHURN_RISK, "upsell": UPSELL}
_SOURCE = "kesher/scorer"


def topic_of(told: Fact) -> Topic:
    """Where the scorer sends it."""
    return _TOPICS[told.type.split(".")[1]]


def encoded(told: Fact) -> tuple[bytes, bytes]:
    """Kafka key and value."""
    return told.subject.encode(), envelope.encode(told)


def account(*, stage: str = "adoption", health: float | None = 50.0, **more: object) -> Account:
    """A snapshot."""
    return Account(stage=stage, health=health, **more)  # type: ignore[arg-type]


def a_fact(
    what: str,
    data: HealthChanged | LifecycleChanged | ChurnRisk | Upsell,
    subject: str,
    sequence: int,
    *,
    generation: int = 1,
    at: datetime = START,
    cause: fact.Cause = "event",
) -> Fact:
    """Any fact; its id is kind:account:generation:sequence."""
    kind = what.split(".", maxsplit=1)[0]
    return Fact(
        id=f"{kind}:{subject}:{generation}:{sequence}",
        source=_SOURCE,
        type=f"kesher.{what}",
        subject=subject,
        time=envelope.spelled(at.timestamp()),
        sequence=sequence,
        generation=generation,
        cause=cause,
        scorecard="default@1",
        data=data,
    )


def health_changed(
    subject: str,
    sequence: int,
    score: float | None = 50.0,
    *,
    previous: float | None = None,
    generation: int = 1,
    at: datetime = START,
    snapshot: Account | None = None,
) -> Fact:
    """Health, with a reason whose effect is the change."""
    effect = 0.0 if score is None or previous is None else round(score - previous, 1)
    data = HealthChanged(
        score=score,
        previous=previous,
        band=band(score),
        coverage=0.8,
        measures={"usage": 40.0, "sentiment": 61.5},
        reasons=[Reason(measure="usage", before=previous, to=score, effect=effect)],
        missing=["payments"],
        account=snapshot or account(health=score),
    )
    return a_fact("health.changed", data, subject, sequence, generation=generation, at=at)


def band(score: float | None) -> Band:
    """Bands at 40 and 70."""
    if score is None:
        return "unknown"
    return "red" if score < 40 else "amber" if score < 70 else "green"


def lifecycle_changed(
    subject: str,
    sequence: int,
    before: str,
    after: str,
    *,
    generation: int = 1,
    at: datetime = START,
    snapshot: Account | None = None,
) -> Fact:
    """A move to another stage."""
    data = LifecycleChanged(before=before, to=after, because=["first_value"], account=snapshot or account(stage=after))
    return a_fact("lifecycle.changed", data, subject, sequence, generation=generation, at=at)


def churn_risk(
    what: str,
    subject: str,
    sequence: int,
    *,
    kind: str = "silence",
    level: str = "high",
    episode: int = 1,
    generation: int = 1,
    at: datetime = START,
    snapshot: Account | None = None,
) -> Fact:
    """`what` is raised, escalated or cleared."""
    reasons = [Reason(measure="usage", before=60.0, to=20.0, effect=-8.0)]
    data = ChurnRisk(
        kind=kind,
        level=level,
        score=30.0,
        reasons=reasons,
        mrr_at_risk=1200.0,
        episode=episode,
        account=snapshot or account(),
    )
    return a_fact(f"churn_risk.{what}", data, subject, sequence, generation=generation, at=at)


def upsell(
    what: str,
    subject: str,
    sequence: int,
    *,
    kind: str = "seats",
    episode: int = 1,
    generation: int = 1,
    at: datetime = START,
    snapshot: Account | None = None,
) -> Fact:
    """`what` is raised or cleared."""
    data = Upsell(
        kind=kind,
        level="likely",
        score=82.0,
        reasons=[],
        potential=300.0,
        episode=episode,
        account=snapshot or account(),
    )
    return a_fact(f"upsell.{what}", data, subject, sequence, generation=generation, at=at)


def histories(seed: int, accounts: int, decisions: int, *, start: datetime = START) -> Iterator[Fact]:
    """Facts of `accounts` interleaved lives of `decisions` decisions each; those of one decision share a sequence."""
    chance = Random(seed)
    lives = [Life(f"account-{number:04}", chance, start) for number in range(accounts)]
    for _ in range(decisions):
        for life in lives:
            yield from life.decide()


class Life:
    """One account's decisions, each with all its facts."""

    def __init__(self, subject: str, chance: Random, start: datetime) -> None:
        self.subject = subject
        self._chance = chance
        self._at = start
        self._score: float | None = None
        self._stage = STAGES[0]
        self._sequence = 0
        self._generation = 1
        self._episode = 0
        self._open = False

    def decide(self) -> Sequence[Fact]:
        """What the next decision tells."""
        chance = self._chance
        self._at += timedelta(seconds=chance.choice((0.02, 3, 41, 700)))
        self._generation += chance.random() < 0.02
        self._sequence += 1
        previous, self._score = self._score, round(chance.uniform(0, 100), 1)
        stage, self._stage = self._stage, chance.choice(STAGES) if chance.random() < 0.2 else self._stage
        snapshot = self._snapshot()
        when = {"generation": self._generation, "at": self._at, "snapshot": snapshot}
        told = [health_changed(self.subject, self._sequence, self._score, previous=previous, **when)]  # type: ignore[arg-type]
        if stage != self._stage:
            told.append(lifecycle_changed(self.subject, self._sequence, stage, self._stage, **when))  # type: ignore[arg-type]
        if chance.random() < 0.3:
            told.append(self._signal(when))
        return told

    def _snapshot(self) -> Account:
        name, owner = f"Customer {self.subject[-4:]}", self._chance.choice(("dana", "yossi", None))
        mrr = float(self._chance.randrange(0, 5000))
        crm = {"hubspot": self.subject}
        return account(
            stage=self._stage, health=self._score, name=name, owner=owner, mrr=mrr, crm=crm, renews_at="2026-09-01"
        )

    def _signal(self, when: dict[str, object]) -> Fact:
        if not self._open:
            self._episode, self._open = self._episode + 1, True
            what = "raised"
        else:
            what = self._chance.choice(("escalated", "cleared"))
            self._open = what == "escalated"
        level = "critical" if what == "escalated" else "high"
        return churn_risk(what, self.subject, self._sequence, level=level, episode=self._episode, **when)  # type: ignore[arg-type]
