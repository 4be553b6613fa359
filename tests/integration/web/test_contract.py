"""The API keeps what its description promises, whatever is asked of it.

Of keys test_access.py knows more: a stranger who fails too often is answered 429."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from services.web.app import openapi
from services.web.live.cursor import written
from tests.integration.web.opened_web import OpenWeb
from tests.integration.web.test_accounts import signal, some, stored

OPERATIONS = {"list_accounts", "get_account", "list_signals", "get_portfolio"}


def beyond(case: Any) -> list[Any]:
    """What a description cannot say: which opaque texts are the `next` of a page."""
    return [ignored_auth, positive_data_acceptance] if "after" in (case.query or {}) else [ignored_auth]


def test_the_description_is_complete() -> None:
    described = openapi()
    operations = [one for path in described["paths"].values() for one in path.values()]
    assert {one["operationId"] for one in operations} == OPERATIONS | {"stream_changes"}
    for one in operations:
        assert one["description"]
        assert set(one["responses"]) >= {"200", "401", "403", "422", "429", "503"}
    assert {"Fault", "Change", "AccountPage"} <= described["components"]["schemas"].keys()


async def test_the_description_is_served(web: OpenWeb) -> None:
    assert (await web.http.get("/api/openapi.json")).json() == openapi()


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the server's thread does, not the strategies
async def test_answers_are_as_described_whatever_is_asked(web: OpenWeb) -> None:
    accounts = some(5, 30)
    await stored(web, accounts)
    for one in accounts[::4]:
        await signal(web, one["account_id"], "silence")
    api = schemathesis.openapi.from_dict(openapi())

    def ask(operation: Any) -> None:
        @settings(
            max_examples=25, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
        def check(case: Any) -> None:
            headers = {"Authorization": f"Bearer {web.key}"}
            case.call_and_validate(base_url=web.url, headers=headers, timeout=60, excluded_checks=beyond(case))

        check()

    for result in api.get_all_operations():
        operation = result.ok()
        if operation.definition.raw["operationId"] in OPERATIONS:
            await asyncio.to_thread(ask, operation)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from(["health", "upsell"]), st.integers(0, 40)), st.integers(0, 2**62)))
def test_a_cursor_can_stand_in_a_url(offsets: dict[tuple[str, int], int]) -> None:
    assert set(written(offsets)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
