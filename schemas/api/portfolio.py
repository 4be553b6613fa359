"""What GET /api/accounts, /api/accounts/{id}, /api/signals, /api/portfolio and /api/stream answer."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Band = Literal["unknown", "red", "amber", "green"]
Family = Literal["churn_risk", "upsell"]
Score = Annotated[float, Field(ge=0, le=100)]
Cursor = Annotated[str, Field(description="How far the facts are applied; /api/stream?cursor= continues from here")]


class Body(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(populate_by_name=True, from_attributes=True)


class Reason(Body):
    """A measure that moved and its effect in points of health."""

    measure: str
    before: float | None = Field(alias="from")
    to: float | None
    effect: float


class AccountSummary(Body):
    """An account as a row of the portfolio."""

    account_id: str
    name: str | None
    plan: str | None
    segment: str | None
    owner: str | None
    mrr: float | None
    renews_at: datetime | None
    stage: str | None
    band: Band | None
    score: Score | None
    previous: Score | None
    coverage: float | None
    reasons: list[Reason]
    open_signals: int
    changed_at: datetime | None


class AccountPage(Body):
    """Accounts in the order asked for; `next` continues after the last one, null at the end."""

    accounts: list[AccountSummary]
    next: str | None
    total: int | None = Field(description="Only with ?count=true")
    cursor: Cursor


class HealthPoint(Body):
    """Health at an instant."""

    at: datetime
    score: Score | None
    band: Band
    coverage: float


class Stage(Body):
    """A move from one stage to another."""

    before: str = Field(alias="from")
    after: str = Field(alias="to")
    because: list[str]
    at: datetime


class Signal(Body):
    """An episode of churn risk or upsell; open while `cleared_at` is null."""

    account_id: str
    name: str | None = None
    family: Family
    kind: str
    episode: int
    level: str
    score: Score | None
    reasons: list[Reason]
    money: float | None
    cause: str
    raised_at: datetime
    escalated_at: datetime | None
    cleared_at: datetime | None


class Activity(Body):
    """Something that happened at the account."""

    type: str
    at: datetime
    data: dict[str, object]


class AccountDetail(AccountSummary):
    """Everything about one account."""

    crm: dict[str, str]
    measures: dict[str, float]
    missing: list[str]
    history: list[HealthPoint]
    signals: list[Signal]
    stages: list[Stage]
    activities: list[Activity]
    cursor: Cursor


class SignalPage(Body):
    """Signals, newest first."""

    signals: list[Signal]
    next: str | None
    cursor: Cursor


class Portfolio(Body):
    """The whole portfolio, or one owner's, in figures.  Money is a month's, in base currency."""

    accounts: int
    bands: dict[Band, int] = Field(description="Accounts per band; accounts not scored yet count as unknown")
    stages: dict[str, int] = Field(description="Accounts per stage; accounts without one are left out")
    mrr: float
    mrr_at_risk: float = Field(description="MRR of the accounts with an open churn-risk signal")
    open_signals: dict[Family, int]
    cursor: Cursor


class Change(Body):
    """The data of an event of /api/stream; the event's name is the family: health, lifecycle, churn_risk or upsell.

    Of one account and family, take a change only if its (generation, sequence) is not lower than the last one's."""

    account_id: str
    type: str = Field(examples=["kesher.health.changed"])
    at: datetime
    cause: Literal["event", "inactivity", "catch_up", "backfill", "scorecard"]
    generation: int
    sequence: int
    data: dict[str, object] = Field(description="The fact's own data, as in the JSON Schema of its type")


class Fault(Body):
    """What every error answers (RFC 9457 problem details)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
