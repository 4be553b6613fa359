"""The read model, how far it is applied, and who may read it."""

from alembic import op

revision = "0001"
down_revision = None

_PORTFOLIO = """
CREATE TABLE accounts (
    account_id varchar PRIMARY KEY,
    name varchar, plan varchar, segment varchar, owner varchar, mrr double precision, renews_at timestamptz, crm jsonb,
    stage varchar,
    band varchar, score double precision, previous double precision, coverage double precision,
    measures jsonb, reasons jsonb, missing jsonb,
    open_signals integer NOT NULL DEFAULT 0,
    generation bigint NOT NULL, sequence bigint NOT NULL,
    health_generation bigint NOT NULL DEFAULT -1, health_sequence bigint NOT NULL DEFAULT -1,
    changed_at timestamptz
);
CREATE INDEX accounts_worst_first ON accounts (score, account_id);
CREATE INDEX accounts_by_owner ON accounts (owner, score, account_id);

CREATE TABLE health_history (
    account_id varchar, bucket timestamptz, at timestamptz NOT NULL,
    score double precision, band varchar NOT NULL, coverage double precision NOT NULL, reasons jsonb,
    fact_id varchar NOT NULL UNIQUE, generation bigint NOT NULL, sequence bigint NOT NULL,
    hourly boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, bucket)
);
CREATE INDEX health_history_to_thin ON health_history (bucket) WHERE NOT hourly;

CREATE TABLE stage_history (
    fact_id varchar PRIMARY KEY, account_id varchar NOT NULL,
    before varchar NOT NULL, after varchar NOT NULL, because jsonb, at timestamptz NOT NULL
);
CREATE INDEX stage_history_by_account ON stage_history (account_id, at);

CREATE TABLE signals (
    account_id varchar, family varchar, kind varchar, episode integer,
    level varchar NOT NULL, score double precision, reasons jsonb, money double precision, cause varchar NOT NULL,
    raised_at timestamptz NOT NULL, escalated_at timestamptz, cleared_at timestamptz,
    fact_id varchar NOT NULL, generation bigint NOT NULL, sequence bigint NOT NULL,
    PRIMARY KEY (account_id, family, kind, episode)
);
CREATE INDEX signals_open ON signals (family, raised_at) WHERE cleared_at IS NULL;

CREATE TABLE members (
    account_id varchar, user_id varchar, role varchar, joined_at timestamptz, left_at timestamptz,
    PRIMARY KEY (account_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE activities (
    topic varchar, partition integer, record_offset bigint,
    account_id varchar NOT NULL, type varchar NOT NULL, at timestamptz NOT NULL, data jsonb,
    PRIMARY KEY (topic, partition, record_offset)
);
CREATE INDEX activities_by_account ON activities (account_id, at);

CREATE TABLE projector_offsets (
    topic varchar, partition integer,
    next_offset bigint NOT NULL, generation bigint NOT NULL DEFAULT -1, topic_id varchar,
    PRIMARY KEY (topic, partition)
);
"""

_ACCESS = """
CREATE TABLE api_keys (
    key_id varchar PRIMARY KEY, name varchar NOT NULL, scope varchar NOT NULL, prefix varchar NOT NULL,
    secret_hash bytea NOT NULL UNIQUE, created_at timestamptz NOT NULL, revoked_at timestamptz
);
CREATE TABLE users (
    user_id varchar PRIMARY KEY, email varchar NOT NULL UNIQUE, name varchar,
    language varchar NOT NULL, role varchar NOT NULL, created_at timestamptz NOT NULL
);
CREATE TABLE login_links (
    secret_hash bytea PRIMARY KEY, user_id varchar NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz
);
CREATE TABLE sessions (secret_hash bytea PRIMARY KEY, user_id varchar NOT NULL, expires_at timestamptz NOT NULL);
"""


def upgrade() -> None:
    """From an empty database."""
    for statement in filter(str.strip, (_PORTFOLIO + _ACCESS).split(";")):
        op.execute(statement)
