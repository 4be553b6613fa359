"""The only reader of the environment: every setting, its default and its meaning (`kesher settings` prints them)."""

import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, PositiveInt, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.errors import Refused


def _decoded(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        raise ValueError('is not JSON; write it as {"EUR": "1.08"}') from None


Port = Annotated[int, Field(ge=0, le=65535)]
Rates = Annotated[dict[str, Decimal], NoDecode, BeforeValidator(_decoded)]


class Settings(BaseSettings):
    """Read from the environment; names begin with KESHER_ but for the two that every deployment already has."""

    model_config = SettingsConfigDict(
        env_prefix="KESHER_", extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092",
        validation_alias=AliasChoices("KAFKA_BOOTSTRAP_SERVERS", "KESHER_KAFKA_BOOTSTRAP_SERVERS"),
        description="Kafka brokers, host:port, comma-separated",
    )
    database_url: str = Field(
        "postgresql://kesher:kesher@127.0.0.1:5432/kesher",
        validation_alias=AliasChoices("DATABASE_URL", "KESHER_DATABASE_URL"),
        description="Postgres, as postgresql://user:password@host:port/database",
    )
    prefix: str = Field("kesher", description="Topics are named <prefix>.<name>; consumer groups too")
    partitions: PositiveInt = Field(8, description="Partitions of every topic; cannot be changed once they exist")
    time: Literal["wall", "event"] = Field(
        "wall", description="Whose clock notices silence: wall, or event for historical data and replays"
    )
    scorecard: Path | None = Field(None, description="Scorecard file, or a built-in one by name: default, purchases")
    base_currency: str = Field("USD", description="All money is summed in this currency (ISO 4217)")
    rates: Rates = Field(
        default_factory=dict, description='Worth of one unit of other currencies in the base one: {"EUR": "1.08"}'
    )
    bind: str = Field("127.0.0.1", description="Address that every door listens on")
    web_port: Port = Field(8080, description="Console and API")
    ingest_port: Port = Field(8081, description="Where events come in by HTTP")
    scorer_metrics_port: Port = Field(9101, description="/metrics, /healthz and /readyz of the scorer")
    projector_metrics_port: Port = Field(9102, description="/metrics, /healthz and /readyz of the projector")
    cors_origins: str = Field(
        "", description="Sites whose pages may send events to /v1, comma-separated, or *; none when empty"
    )
    produce_timeout_seconds: float = Field(
        10.0, gt=0, description="How long the ingest door waits for Kafka's acknowledgement before it answers 503"
    )
    max_waiting_bytes: PositiveInt = Field(
        33_554_432, description="The ingest door answers 429 while more bytes than this wait for Kafka"
    )
    public_url: str = Field("", description="Address people reach the console at; http://<bind>:<web port> when empty")
    linger_ms: float = Field(30.0, ge=0, description="The scorer waits this long for more records when a poll is small")
    commit_seconds: float = Field(2.0, gt=0, description="How often the scorer commits its offsets")
    session_timeout_seconds: float = Field(10.0, ge=6, description="A scorer silent this long loses its partitions")
    max_unsent_facts: PositiveInt = Field(20_000, description="Scoring waits when more facts than this are unsent")
    dead_letter_share: float = Field(
        0.2, gt=0, le=1, description="A partition pauses above this share of bad records among its last 10,000"
    )
    dead_letter_least: PositiveInt = Field(100, description="and only from this many bad records on")
    retention_days: PositiveInt = Field(400, description="How long inputs and facts stay in Kafka")
    stream_kept: PositiveInt = Field(
        20_000, description="Changes that a web process keeps in memory for clients that come back"
    )
    stream_farthest: PositiveInt = Field(
        50_000, description="A client of the stream that is further behind, in records, loads its page anew"
    )
    stream_beat_seconds: float = Field(15.0, gt=0, description="A quiet stream shows a sign of life this often")
    log_format: Literal["console", "json"] = Field("console", description="Log lines for people or for machines")

    @property
    def console_url(self) -> str:
        """Where people reach the console, without a slash at the end."""
        return (self.public_url or f"http://{self.bind}:{self.web_port}").rstrip("/")

    def given(self) -> dict[str, str]:
        """The settings that are not left to their defaults, as a variable of the environment holds them."""
        given = self.model_dump(mode="json", include=self.model_fields_set, exclude_none=True)
        return {name: _text(value) for name, value in given.items()}

    def environment(self) -> dict[str, str]:
        """The environment of a child process that is to read these same settings."""
        return {**os.environ, **{variable(name): value for name, value in self.given().items()}}


def variable(name: str) -> str:
    """The environment variable that a setting is read from."""
    alias = Settings.model_fields[name].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"KESHER_{name.upper()}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@cache
def settings() -> Settings:
    """The settings of this process.  Refused names each variable that cannot be read."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = (f"{_place(one['loc'])} {_reason(one['msg'])}; it is {one['input']!r}" for one in error.errors())
        raise Refused("\n".join(wrong)) from error


def _place(path: tuple[int | str, ...]) -> str:
    """`KESHER_RATES (EUR)`; a setting with another variable is known to pydantic by that."""
    name, *within = map(str, path)
    variable_ = variable(name) if name in Settings.model_fields else name
    return f"{variable_} ({', '.join(within)})" if within else variable_


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")
