"""What the projector writes and the web reads: accounts, their history, and how far each topic is applied."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from schemas.events.fact import NOTHING_YET


def _moment(*, nullable: bool = True, primary_key: bool = False) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable, primary_key=primary_key))


def _number(*, primary_key: bool = False, default: int | None = None) -> Any:
    standing = None if default is None else text(str(default))
    column = Column(BigInteger, nullable=False, primary_key=primary_key, autoincrement=False, server_default=standing)
    return Field(default=default if default is not None else ..., sa_column=column)


def _document() -> Any:
    return Field(default=None, sa_column=Column(JSONB))


class Account(SQLModel, table=True):
    """One customer as of its greatest (generation, sequence).  Scores are 0-100, coverage 0-1, money in base currency.

    Every fact carries who the customer is and its stage; only facts about health carry band to `missing`.  The facts of
    one decision share a sequence and arrive by different topics, so health has a sequence of its own.

    Where pg_trgm is to be had, there is also the index `accounts_by_text`."""

    __tablename__ = "accounts"
    __table_args__ = (
        Index("accounts_worst_first", "score", "account_id"),
        Index("accounts_by_owner", "owner", "score", "account_id"),
        Index("accounts_by_name", text("lower(left(name, 256))"), "account_id"),
        Index("accounts_by_mrr", "mrr", "account_id"),
        Index("accounts_by_renewal", "renews_at", "account_id"),
        Index("accounts_by_change", "changed_at", "account_id"),
    )
    account_id: str = Field(primary_key=True)
    name: str | None = None
    plan: str | None = None
    segment: str | None = None
    owner: str | None = None
    mrr: float | None = None
    renews_at: datetime | None = _moment()
    crm: dict[str, str] | None = _document()
    stage: str | None = None
    band: str | None = None
    score: float | None = None
    previous: float | None = None
    coverage: float | None = None
    measures: dict[str, float] | None = _document()
    reasons: list[dict[str, Any]] | None = _document()
    missing: list[str] | None = _document()
    open_signals: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    generation: int = _number()
    sequence: int = _number()
    health_generation: int = _number(default=NOTHING_YET)
    health_sequence: int = _number(default=NOTHING_YET)
    changed_at: datetime | None = _moment()


class HealthPoint(SQLModel, table=True):
    """The last health of an account in one minute; after a week in one hour."""

    __tablename__ = "health_history"
    __table_args__ = (Index("health_history_to_thin", "bucket", postgresql_where=text("NOT hourly")),)
    account_id: str = Field(primary_key=True)
    bucket: datetime = _moment(nullable=False, primary_key=True)
    at: datetime = _moment(nullable=False)
    score: float | None = None
    band: str
    coverage: float
    reasons: list[dict[str, Any]] | None = _document()
    fact_id: str = Field(unique=True)
    generation: int = _number()
    sequence: int = _number()
    hourly: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Thinned already: the last of its hour."""


class StageChange(SQLModel, table=True):
    """An account moved from one lifecycle stage to another."""

    __tablename__ = "stage_history"
    __table_args__ = (Index("stage_history_by_account", "account_id", "at"),)
    fact_id: str = Field(primary_key=True)
    account_id: str
    before: str
    after: str
    because: list[str] | None = _document()
    at: datetime = _moment(nullable=False)


class Signal(SQLModel, table=True):
    """One episode of churn risk or upsell.  Open while `cleared_at` is null."""

    __tablename__ = "signals"
    __table_args__ = (Index("signals_open", "family", "raised_at", postgresql_where=text("cleared_at IS NULL")),)
    account_id: str = Field(primary_key=True)
    family: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    episode: int = Field(primary_key=True)
    level: str
    score: float | None = None
    reasons: list[dict[str, Any]] | None = _document()
    money: float | None = None
    """MRR at risk, or the potential of an upsell."""
    cause: str
    raised_at: datetime = _moment(nullable=False)
    escalated_at: datetime | None = _moment()
    cleared_at: datetime | None = _moment()
    fact_id: str
    """The latest fact about this episode."""
    generation: int = _number()
    sequence: int = _number()


class Member(SQLModel, table=True):
    """A person of an account."""

    __tablename__ = "members"
    __table_args__ = (Index("members_by_user", "user_id"),)
    account_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    role: str | None = None
    joined_at: datetime | None = _moment()
    left_at: datetime | None = _moment()


class Activity(SQLModel, table=True):
    """A purchase, ticket, answer, touchpoint or profile event, for the account's timeline.  Usage stays in Kafka."""

    __tablename__ = "activities"
    __table_args__ = (Index("activities_by_account", "account_id", "at"),)
    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    record_offset: int = _number(primary_key=True)
    account_id: str
    type: str
    at: datetime = _moment(nullable=False)
    data: dict[str, Any] | None = _document()


class NextOffset(SQLModel, table=True):
    """How far a topic partition is applied; moved by compare-and-set in the transaction of its rows."""

    __tablename__ = "projector_offsets"
    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    next_offset: int = _number()
    generation: int = _number(default=NOTHING_YET)
    """The newest owner whose facts were seen here; facts of older ones are dropped from then on."""
    topic_id: str | None = None
    """Kafka's own id: a topic that was deleted and made again has another, and offsets that mean nothing here."""
