"""Who may call the API and open the console.  Secrets are stored as SHA-256, never as themselves."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = True) -> Any:
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable))


class ApiKey(SQLModel, table=True):
    """A key for machines.  `scope` is read, write (ingest) or admin; `prefix` is shown to tell keys apart."""

    __tablename__ = "api_keys"
    key_id: str = Field(primary_key=True)
    name: str
    scope: str
    prefix: str
    secret_hash: bytes = Field(unique=True)
    created_at: datetime = _moment(nullable=False)
    revoked_at: datetime | None = _moment()


class User(SQLModel, table=True):
    """A person who opens the console."""

    __tablename__ = "users"
    user_id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str | None = None
    language: str = "en"
    role: str = "csm"
    created_at: datetime = _moment(nullable=False)


class LoginLink(SQLModel, table=True):
    """A link that opens one session and then no more."""

    __tablename__ = "login_links"
    secret_hash: bytes = Field(primary_key=True)
    user_id: str
    expires_at: datetime = _moment(nullable=False)
    used_at: datetime | None = _moment()


class Session(SQLModel, table=True):
    """A browser that is logged in."""

    __tablename__ = "sessions"
    secret_hash: bytes = Field(primary_key=True)
    user_id: str
    expires_at: datetime = _moment(nullable=False)
