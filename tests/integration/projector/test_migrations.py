"""Migrations: from empty to today, once, and never over something they do not know."""

import asyncio
import os
import subprocess
import sys
from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import schemas.tables  # noqa: F401 -- the tables register themselves
from schemas.errors import Refused
from services.adapters.migrations import migrate
from services.adapters.postgres import create_database, without_password
from services.adapters.revision import is_current


@pytest.fixture
async def empty(postgres: str) -> str:
    """URL of a database without tables."""
    return await create_database(postgres, f"t{uuid4().hex[:10]}")


async def execute(database: str, statement: str) -> None:
    """One statement on a connection of its own."""
    connection = await asyncpg.connect(database)
    await connection.execute(statement)
    await connection.close()


async def test_an_empty_database_gets_exactly_the_tables_of_the_models(empty: str) -> None:
    await migrate(empty)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(empty))
    async with engine.connect() as connection:
        options = {"compare_server_default": True, "include_name": lambda name, *_: name != "accounts_by_text"}
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts=options), SQLModel.metadata)
        )
    await engine.dispose()
    assert differences == []


@pytest.mark.parametrize(("may", "indexed"), [("CREATE, CONNECT", 1), ("CONNECT", 0)])
async def test_search_is_indexed_for_whoever_may_create_and_works_without(empty: str, may: str, indexed: int) -> None:
    """The owner of a managed database is no superuser; one who may create no extension gets all but the index."""
    role, database = f"r{uuid4().hex[:10]}", empty.partition("@/")[2].partition("?")[0]
    await execute(empty, f"CREATE ROLE {role} LOGIN; GRANT {may} ON DATABASE {database} TO {role}")
    await execute(empty, f"REVOKE ALL ON DATABASE {database} FROM public; GRANT ALL ON SCHEMA public TO {role}")

    assert await migrate(empty.replace("kesher@", f"{role}@", 1))

    connection = await asyncpg.connect(empty)
    found = await connection.fetchval("SELECT count(*) FROM pg_indexes WHERE indexname = 'accounts_by_text'")
    await connection.close()
    assert found == indexed


async def test_a_second_run_has_nothing_to_do_and_keeps_every_row(empty: str) -> None:
    assert not await is_current(empty)
    first = await migrate(empty)
    await execute(empty, "INSERT INTO accounts (account_id, generation, sequence) VALUES ('acme', 1, 1)")

    assert first[0].startswith("0001 ")
    assert await migrate(empty) == []
    assert await is_current(empty)

    connection = await asyncpg.connect(empty)
    assert await connection.fetchval("SELECT count(*) FROM accounts") == 1
    await connection.close()


async def test_processes_that_migrate_at_once_do_it_once(empty: str) -> None:
    steps = await asyncio.gather(*(migrate(empty) for _ in range(4)))

    assert sum(map(bool, steps)) == 1


async def test_a_database_of_a_newer_version_is_refused_untouched(empty: str) -> None:
    await migrate(empty)
    await execute(empty, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Refused, match=r"9999.*newer.*lose data"):
        await migrate(empty)


async def test_tables_of_someone_else_are_refused_untouched(empty: str) -> None:
    await execute(empty, "CREATE TABLE accounts (iban text)")

    with pytest.raises(Refused, match=r"did not make: accounts.*DATABASE_URL"):
        await migrate(empty)

    await execute(empty, "INSERT INTO accounts VALUES ('still mine')")


async def test_the_verb_says_what_it_did(empty: str) -> None:
    def run() -> str:
        environment = {**os.environ, "DATABASE_URL": empty}
        command = [sys.executable, "-m", "services.cli.main", "migrate"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert (await asyncio.to_thread(run)).startswith("applied 0001 ")
    assert await asyncio.to_thread(run) == "nothing to do: the tables are those of this version\n"


def test_the_verb_says_when_postgres_does_not_answer() -> None:
    environment = {**os.environ, "DATABASE_URL": "postgresql://me:secret@127.0.0.1:9/kesher"}
    command = [sys.executable, "-m", "services.cli.main", "migrate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr
    assert "DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_url_is_shown_without_its_password() -> None:
    assert without_password("postgresql://me:secret@db:5432/x") == "postgresql://me:...@db:5432/x"
    assert without_password("postgresql://me@/x?host=/tmp") == "postgresql://me@/x?host=/tmp"
