"""What Alembic runs: services/adapters/postgres.py hands it an open connection; one transaction holds all steps."""

from alembic import context
from sqlmodel import SQLModel

import schemas.tables  # noqa: F401 -- the tables register themselves when imported

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
with context.begin_transaction():
    context.run_migrations()
