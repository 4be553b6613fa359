"""The portfolio as a customer-success manager meets it: worst first, alive, and quick to narrow down."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from schemas.events.fact import Account, Fact, Reason
from services.settings import Settings
from tests.e2e.a_browser import visit
from tests.facts import START, account, churn_risk, health_changed
from tests.integration.projector.projecting import tell, until_applied
from tests.integration.web.opened_web import OpenWeb

pytestmark = pytest.mark.browser


def named(subject: str, **more: object) -> Account:
    """A snapshot with a name to read."""
    return account(name=subject.title(), **more)


def told(subject: str, sequence: int, score: float, previous: float | None = None, **snapshot: object) -> Fact:
    """Health with a reason of the default scorecard, a minute after the one before."""
    about = named(subject, health=score, **snapshot)
    fact = health_changed(
        subject, sequence, score, previous=previous, at=START + timedelta(minutes=sequence), snapshot=about
    )
    fact.data.reasons = [Reason(measure="usage_level", before=71, to=38, effect=-9.2)]  # type: ignore[union-attr]
    return fact


async def applied(settings: Settings, *facts: Fact) -> None:
    """In Kafka and in Postgres."""
    await tell(settings, facts)
    await until_applied(settings, settings.database_url)


async def test_the_worst_account_stands_first_and_its_reason_is_a_sentence(web: OpenWeb, settings: Settings) -> None:
    risk = churn_risk("raised", "poor", 2, snapshot=named("poor"))
    await applied(settings, told("fine", 1, 91), told("poor", 1, 22, 31.2), told("fair", 1, 55), risk)

    async with visit(web) as person:
        await person.open()

        assert await person.names() == ["Poor", "Fair", "Fine"]
        await expect(person.row("poor").locator(".why")).to_have_text("Usage fell: 71 → 38, −9.2 points")
        await expect(person.row("poor").locator(".badge")).to_have_text("22Poor")
        await expect(person.row("poor").locator(".change")).to_have_text("−9.2")
        await expect(person.row("poor").get_by_label("1 open signal")).to_be_visible()
        await expect(person.page.locator('[data-count="red"]')).to_have_text("1")
        await expect(person.page.locator("#open-signals")).to_have_text("1")


async def test_a_row_moves_to_its_new_place_without_a_reload(web: OpenWeb, settings: Settings) -> None:
    await applied(settings, told("one", 1, 20), told("two", 1, 50), told("three", 1, 80))

    async with visit(web) as person:
        await person.open()
        await person.page.evaluate("document.body.dataset.same = 'page'")
        await tell(settings, [told("three", 2, 5, 80)])

        await expect(person.page.locator("tr[data-account] a").first).to_have_text("Three")
        await expect(person.row("three").locator(".badge")).to_have_text("5Poor")
        await expect(person.page.locator('[data-count="red"]')).to_have_text("2")
        await expect(person.page.locator("#news")).to_have_text("Three: health 5, −75 points")
        assert await person.page.evaluate("document.body.dataset.same") == "page"


async def test_an_account_never_seen_before_appears_by_itself(web: OpenWeb, settings: Settings) -> None:
    async with visit(web) as person:
        await person.open()
        await expect(person.page.get_by_role("heading", name="No accounts yet")).to_be_visible()
        await tell(settings, [told("newcomer", 1, 44)])

        await expect(person.page.locator("tr[data-account] a")).to_have_text("Newcomer")
        await expect(person.page.locator("#nothing-yet")).to_be_hidden()


async def test_open_signals_are_counted_once_however_often_the_list_is_read_again(
    web: OpenWeb, settings: Settings
) -> None:
    await applied(settings, told("one", 1, 20))

    async with visit(web) as person:
        await person.open()
        await tell(settings, [churn_risk("raised", "one", 2, at=START + timedelta(hours=1), snapshot=named("one"))])
        await expect(person.row("one").get_by_label("1 open signal")).to_be_visible()
        async with person.page.expect_response("**/api/accounts?*"):
            pass  # the list puts itself right
        await expect(person.row("one").get_by_label("1 open signal")).to_be_visible()


async def test_filters_search_and_order_narrow_the_list_and_live_in_the_address(
    web: OpenWeb, settings: Settings
) -> None:
    await applied(
        settings,
        told("alpha", 1, 20, owner="Dana", mrr=10.0),
        told("beta", 1, 55, owner="Noa", mrr=900.0),
        told("gamma", 1, 90, owner="Dana", mrr=500.0),
    )

    async with visit(web) as person:
        await person.open()
        rows = person.page.locator("tr[data-account] a")
        await person.page.locator('button[data-band="amber"]').click()
        await expect(rows).to_have_text(["Beta"])
        await person.page.get_by_role("button", name="Clear", exact=True).click()
        await expect(rows).to_have_count(3)
        await person.page.get_by_label("Owner").fill("Dana")
        await expect(rows).to_have_text(["Alpha", "Gamma"])
        await person.page.get_by_label("Sort by").select_option("-mrr")
        await expect(rows).to_have_text(["Gamma", "Alpha"])
        await person.page.get_by_label("Search by name or id").fill("ALPH")
        await expect(rows).to_have_text(["Alpha"])
        assert "owner=Dana" in person.page.url

        await person.page.reload()
        await expect(rows).to_have_text(["Alpha"])
        await person.page.get_by_label("Search by name or id").fill("nobody")
        await expect(person.page.get_by_role("heading", name="No account matches")).to_be_visible()
        await person.page.get_by_role("button", name="Clear all filters").click()
        await expect(rows).to_have_text(["Beta", "Gamma", "Alpha"])


async def test_a_stage_of_ones_own_can_be_filtered_by(web: OpenWeb, settings: Settings) -> None:
    await applied(settings, told("alpha", 1, 20), told("beta", 1, 30, stage="paid_pilot"))

    async with visit(web) as person:
        await person.open()
        await person.page.get_by_label("Stage").select_option("Paid pilot")
        await expect(person.page.locator("tr[data-account] a")).to_have_text(["Beta"])
        await person.open("/?stage=paid_pilot&band=purple")
        await expect(person.page.locator("tr[data-account] a")).to_have_text(["Beta"])


async def test_more_brings_the_next_page_and_each_account_once(web: OpenWeb, settings: Settings) -> None:
    await applied(settings, *(told(f"account-{number:03}", 1, number / 2) for number in range(120)))

    async with visit(web) as person:
        await person.open()
        rows = person.page.locator("tr[data-account]")
        await expect(rows).to_have_count(50)
        for expected in (100, 120):
            await person.page.get_by_role("button", name="Show more").click()
            await expect(rows).to_have_count(expected)

        await expect(person.page.get_by_role("button", name="Show more")).to_be_hidden()
        assert await person.names() == [f"Account-{number:03}" for number in range(120)]
