"""One account in the panel: addressable, complete, reachable by keyboard, and safe whatever its name is."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from schemas.events.fact import ChurnRisk, Reason, Upsell
from services.settings import Settings
from tests.e2e.a_browser import visit
from tests.facts import START, account, churn_risk, health_changed, lifecycle_changed, upsell
from tests.integration.projector.projecting import tell, until_applied
from tests.integration.web.opened_web import OpenWeb

pytestmark = pytest.mark.browser
SCRIPT = "<img src=x onerror=alert(1)>"
OVERRIDE = "\u202egnihton\u202c Ltd"


async def test_a_link_opens_the_account_with_all_that_is_known(web: OpenWeb, settings: Settings) -> None:
    about, later = account(name="Northwind", mrr=1200.0), START + timedelta(hours=1)
    await tell(
        settings,
        [
            health_changed("a/b c", 1, 52, at=START, snapshot=about),
            lifecycle_changed("a/b c", 2, "purchase", "adoption", at=START, snapshot=about),
            churn_risk("raised", "a/b c", 3, kind="low_health", at=later, snapshot=about),
            health_changed("a/b c", 4, 30, previous=52, at=later, snapshot=about),
        ],
    )
    await until_applied(settings, settings.database_url)

    async with visit(web) as person:
        await person.open("/?account=a%2Fb+c")
        panel = person.page.locator("#panel")

        await expect(panel.locator("h2")).to_have_text("Northwind")
        await expect(panel.locator(".badge")).to_have_text("30Poor")
        await expect(panel.locator(".chart svg path.line").first).to_be_attached()
        await expect(panel.locator(".measures li")).to_have_text(["Usage40", "Sentiment62"])
        await expect(panel).to_contain_text("No data yet for: Payments")
        await expect(panel.locator(".episodes li.open")).to_contain_text("Low healthHigh$1,200")
        await expect(panel.locator(".timeline").first).to_contain_text("Adoption after Purchase")


SAID = {
    "en": [
        [
            "Indicator: Payment failed",
            "Activity rhythm 4 of 100 costs 13.9 points",
            "Payments 45 of 100 costs 5 points",
        ],
        ["Assigned seats 96 of 100"],
    ],
    "he": [
        [
            "סימן: תשלום שנכשל",
            "קצב פעילות: 4 מתוך 100, הפחתה של 13.9 נקודות",
            "תשלומים: 45 מתוך 100, הפחתה של 5 נקודות",
        ],
        ["רישיונות שהוקצו: 96 מתוך 100"],
    ],
}


@pytest.mark.parametrize("language", SAID)
async def test_a_signal_says_what_stands_not_what_moved(web: OpenWeb, settings: Settings, language: str) -> None:
    risk = churn_risk("raised", "one", 2, kind="payment_failed", at=START + timedelta(hours=1))
    chance = upsell("raised", "one", 3, kind="seats", at=START)
    assert isinstance(risk.data, ChurnRisk)
    assert isinstance(chance.data, Upsell)
    risk.data.reasons = [
        Reason(measure="indicator:payment_failed", before=None, to=None, effect=0.0),
        Reason(measure="recency", before=None, to=4.2, effect=-13.91),
        Reason(measure="payment_health", before=None, to=45.0, effect=-5.0),
    ]
    chance.data.reasons = [Reason(measure="seats_used", before=None, to=96.0, effect=0.0)]
    await tell(settings, [health_changed("one", 1, 52, at=START), risk, chance])
    await until_applied(settings, settings.database_url)

    async with visit(web) as person:
        await person.open(f"/?account=one&lang={language}")
        episodes = person.page.locator("#panel .episodes li.open")

        for episode, said in enumerate(SAID[language]):
            await expect(episodes.nth(episode).locator(".quiet")).to_have_text(said)


async def test_the_open_account_follows_its_facts(web: OpenWeb, settings: Settings) -> None:
    await tell(settings, [health_changed("one", 1, 52, at=START)])
    await until_applied(settings, settings.database_url)

    async with visit(web) as person:
        await person.open("/?account=one")
        badge = person.page.locator("#panel .badge")
        await expect(badge).to_have_text("52Fair")
        later = START + timedelta(hours=1)
        await tell(
            settings,
            [
                health_changed("one", 2, 21, previous=52, at=later),
                churn_risk("raised", "one", 3, kind="my_own_signal", at=later),
            ],
        )

        await expect(badge).to_have_text("21Poor")
        await expect(person.page.locator("#panel .episodes")).to_contain_text("My own signal")


async def test_an_account_that_does_not_exist_is_said_to_be_so(web: OpenWeb, settings: Settings) -> None:
    async with visit(web) as person:
        await person.open("/?account=nobody")

        await expect(person.page.locator("#panel")).to_contain_text("there is no account 'nobody'")
        await expect(person.page.locator("#banner")).to_be_hidden()


async def test_the_keyboard_alone_opens_and_closes_an_account(web: OpenWeb, settings: Settings) -> None:
    await tell(settings, [health_changed("one", 1, 20), health_changed("two", 1, 60)])
    await until_applied(settings, settings.database_url)

    async with visit(web) as person:
        await person.open()
        page = person.page
        await page.keyboard.press("/")
        await expect(page.get_by_label("Search by name or id")).to_be_focused()
        link = person.row("two").locator("a")
        for _ in range(20):
            await page.keyboard.press("Tab")
            if await link.evaluate("element => element === document.activeElement"):
                break
        assert await link.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
        await page.keyboard.press("Enter")
        await expect(page.locator("#panel-name")).to_be_focused()
        assert re.search(r"account=two", page.url)
        await page.keyboard.press("Escape")
        await expect(page.locator("#panel")).to_be_hidden()
        await expect(link).to_be_focused()
        await page.go_back()
        await expect(page.locator("#panel-name")).to_have_text("two")


@pytest.mark.parametrize("language", ["en", "he"])
async def test_a_hostile_name_is_only_text(web: OpenWeb, settings: Settings, language: str) -> None:
    """Markup stays letters, and an override of direction ends with the name that brought it."""
    about = [account(name=name, owner=SCRIPT, segment=SCRIPT, plan=OVERRIDE) for name in (SCRIPT, OVERRIDE)]
    facts = [health_changed(name, 1, 20 + n, snapshot=about[n]) for n, name in enumerate((SCRIPT, "turned"))]
    facts.append(churn_risk("raised", SCRIPT, 2, kind=SCRIPT, snapshot=about[0]))
    await tell(settings, facts)
    await until_applied(settings, settings.database_url)

    async with visit(web) as person:
        await person.open(f"/?lang={language}")
        await expect(person.page.locator("tr[data-account] a")).to_have_text([SCRIPT, OVERRIDE])
        await person.page.locator("tr[data-account] a").first.click()
        await expect(person.page.locator("#panel h2")).to_have_text(SCRIPT)
        await expect(person.page.locator("#panel .episodes strong")).to_have_count(1)

        assert await person.page.locator("img").count() == 0
        turned = person.row("turned").locator("bdi")
        assert await turned.first.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
