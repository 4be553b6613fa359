"""Every order of the list and the search have an index that serves them; nothing is sorted but what a search found."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import asyncpg
import msgspec
import pytest

from services.web.api import paging, reads
from services.web.api.asked import AccountsAsked
from tests.facts import START
from tests.integration.web.opened_web import OpenWeb

INDEXES = {
    "score": ("accounts_worst_first", 12.5),
    "name": ("accounts_by_name", "acme 1"),
    "mrr": ("accounts_by_mrr", 99.0),
    "renews_at": ("accounts_by_renewal", START),
    "changed_at": ("accounts_by_change", START),
}
FOR_FEW = ("seqscan", "bitmapscan", "sort")
_SOME = """
INSERT INTO accounts (account_id, name, score, mrr, renews_at, changed_at, generation, sequence)
SELECT 'a' || n, 'Acme ' || n, nullif(n % 100, 7), nullif(n % 90, 7), $1::timestamptz + n * interval '1 s',
       $1::timestamptz + n * interval '1 s', 1, 1
FROM generate_series(1, 2000) AS n
"""


async def plans(web: OpenWeb, asked: AccountsAsked, *without: str) -> list[dict[str, Any]]:
    """The nodes of the plans of every statement that a page takes.  `without` names ways that serve few rows best, so
    that the plan shows how many would be served."""
    async with web.pool.acquire() as connection, connection.transaction():
        said: list[asyncpg.connection.LoggedQuery] = []
        for way in without:
            await connection.execute(f"SET LOCAL enable_{way} = off")
        with connection.query_logger(said.append):
            await reads.accounts(connection, asked)
        await asyncio.sleep(0)  # asyncpg calls the logger from the loop
        told = [await connection.fetchval(f"EXPLAIN (FORMAT JSON) {one.query}", *one.args) for one in said]
    return [node for plan in told for node in nodes(msgspec.json.decode(plan)[0]["Plan"])]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize("way", ["", "-"])
async def test_a_page_of_any_order_is_read_from_its_index(web: OpenWeb, way: str) -> None:
    """The first, one in the middle, and one of the unknown values."""
    await web.pool.execute(_SOME, START)
    await web.pool.execute("ANALYZE accounts")

    for order, place in itertools.product(INDEXES, ("first", "middle", "unknown")):
        index, value = INDEXES[order]
        key = {"first": None, "middle": [value, "a5"], "unknown": [None, "a5"]}[place]
        after = paging.written(way + order, key) if key else None
        found = await plans(web, AccountsAsked.model_validate({"sort": way + order, "after": after}), *FOR_FEW)
        assert {node["Node Type"] for node in found} == {"Limit", "Index Scan"}, (order, place)
        assert {node["Index Name"] for node in found if "Index Name" in node} == {index}


async def test_a_search_is_read_from_the_index_of_texts(web: OpenWeb) -> None:
    await web.pool.execute(_SOME, START)
    await web.pool.execute("ANALYZE accounts")

    found = await plans(web, AccountsAsked(q="Acme 1999"), "seqscan")

    assert "accounts_by_text" in {node.get("Index Name") for node in found}
