"""What Kesher emits: CloudEvents whose id is deterministic and whose data carries its own reasons.

A consumer keeps the first of an id and never goes back in (generation, sequence)."""

from typing import Literal

from msgspec import Struct, field

Band = Literal["unknown", "red", "amber", "green"]
Cause = Literal["event", "inactivity", "catch_up", "backfill", "scorecard"]
NOTHING_YET = -1
"""Less than every generation and sequence."""


class Reason(Struct, kw_only=True, gc=False):
    """A measure that moved: its score (0-100) before and now, and its effect in points of health.  Also `cap:<name>`,
    `weighting`, `scorecard`, and `other` for the remainder, so that the effects of a health fact sum to its change.

    In signals `indicator:<name>`, and measures: of churn risk the points they cost against 100, of an upsell
    those that the watched one gives."""

    measure: str
    before: float | None = field(name="from")
    to: float | None
    effect: float


class Account(Struct, kw_only=True, omit_defaults=True, gc=False):
    """The account as it stood when the fact was decided, so that a receiver needs no call back."""

    stage: str
    health: float | None
    name: str | None = None
    plan: str | None = None
    segment: str | None = None
    owner: str | None = None
    mrr: float | None = None
    renews_at: str | None = None
    crm: dict[str, str] | None = None


class HealthChanged(Struct, kw_only=True, gc=False):
    """Health moved by a step or more, changed band, or was seen first (`previous` is null).

    Scores are 0-100, `coverage` is 0-1, `missing` names the measures without data."""

    score: float | None
    previous: float | None
    band: Band
    coverage: float
    measures: dict[str, float]
    reasons: list[Reason]
    missing: list[str]
    account: Account


class LifecycleChanged(Struct, kw_only=True, gc=False):
    """The account moved to another stage; `because` names the guards that decided it."""

    before: str = field(name="from")
    to: str
    because: list[str]
    account: Account


class ChurnRisk(Struct, kw_only=True, gc=False):
    """A churn-risk episode of one kind (a signal of the scorecard).  `score` is health; money in base currency."""

    kind: str
    level: str
    score: float | None
    reasons: list[Reason]
    mrr_at_risk: float | None
    episode: int
    account: Account


class Upsell(Struct, kw_only=True, gc=False):
    """An upsell episode; `kind` is seats, usage_limit, growth, feature_interest or advocacy; `potential` in base
    currency a month, where it can be told."""

    kind: str
    level: str
    score: float | None
    reasons: list[Reason]
    potential: float | None
    episode: int
    account: Account


class Fact(Struct, kw_only=True, gc=False):
    """A CloudEvent about one account.  `sequence` orders an account's facts within a `generation` of its partition's
    owner; `scorecard` is the version that decided."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    sequence: int
    generation: int
    cause: Cause
    scorecard: str
    data: HealthChanged | LifecycleChanged | ChurnRisk | Upsell
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


FACTS: dict[str, type[Struct]] = {
    "kesher.health.changed": HealthChanged,
    "kesher.lifecycle.changed": LifecycleChanged,
    "kesher.churn_risk.raised": ChurnRisk,
    "kesher.churn_risk.escalated": ChurnRisk,
    "kesher.churn_risk.cleared": ChurnRisk,
    "kesher.upsell.raised": Upsell,
    "kesher.upsell.escalated": Upsell,
    "kesher.upsell.cleared": Upsell,
}
"""Fact type -> the struct of its data."""
