"""Indexes for every order of the list, either way round, and for the search."""

from alembic import op

revision = "0002"
down_revision = "0001"

_ORDERS = (
    "CREATE INDEX accounts_by_name ON accounts (lower(left(name, 256)), account_id)",
    "CREATE INDEX accounts_by_mrr ON accounts (mrr, account_id)",
    "CREATE INDEX accounts_by_renewal ON accounts (renews_at, account_id)",
    "CREATE INDEX accounts_by_change ON accounts (changed_at, account_id)",
)
_SEARCH = """
DO $$
DECLARE place text;
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    SELECT nspname INTO place FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = 'pg_trgm';
    EXECUTE format($sql$CREATE INDEX accounts_by_text ON accounts
        USING gin (lower(coalesce(name, '') || E'\\n' || account_id) %I.gin_trgm_ops)$sql$, place);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
    RAISE WARNING 'pg_trgm is not to be had (%): searching reads every account', SQLERRM;
END $$
"""


def upgrade() -> None:
    """pg_trgm is a trusted extension: whoever may create in the database may have it.  Where it is missing or withheld
    the search finds the same, slower."""
    for statement in (*_ORDERS, _SEARCH):
        op.execute(statement)
