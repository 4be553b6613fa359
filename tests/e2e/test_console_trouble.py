"""When the server is away or the session ends, the console says so and goes on by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import expect

from services.settings import Settings
from tests.e2e.a_browser import log_in, visit
from tests.e2e.a_gate import gate
from tests.facts import START, health_changed
from tests.integration.projector.projecting import tell, until_applied
from tests.integration.web.opened_web import OpenWeb, opened, until_ready

pytestmark = pytest.mark.browser


async def test_an_outage_is_said_and_another_process_goes_on_where_it_began(web: OpenWeb, settings: Settings) -> None:
    await tell(settings, [health_changed("one", 1, 52)])
    await until_applied(settings, settings.database_url)

    async with opened(settings) as second, gate(web.url) as way, visit(replace(web, url=way.url)) as person:
        await until_ready(second)
        await person.open()
        live = person.page.locator("[data-live]")
        way.cut()
        await expect(person.page.locator("#banner")).to_contain_text("Kesher does not answer.")
        await expect(live).to_have_attribute("data-live", "away")
        await tell(settings, [health_changed("one", 2, 21, previous=52, at=START + timedelta(hours=1))])
        way.lead_to(second.url)
        await way.open()

        await expect(live).to_have_attribute("data-live", "live")
        await expect(person.row("one").locator(".badge")).to_have_text("21Poor")
        await expect(person.page.locator("#banner")).to_be_hidden()


async def test_a_session_that_ended_is_said_and_a_new_link_elsewhere_mends_it(web: OpenWeb, settings: Settings) -> None:
    await tell(settings, [health_changed("one", 1, 52)])
    await until_applied(settings, settings.database_url)

    async with visit(web) as person:
        await person.open()
        await person.context.request.post(f"{web.url}/logout", max_redirects=0)
        await tell(settings, [health_changed("one", 2, 21, previous=52, at=START + timedelta(hours=1))])
        await expect(person.page.locator("#banner")).to_contain_text("Your session has ended.")

        await log_in(person, await person.context.new_page())
        await expect(person.page.locator("#banner")).to_be_hidden()
        await expect(person.page.locator("[data-live]")).to_have_attribute("data-live", "live")
        await expect(person.row("one").locator(".badge")).to_have_text("21Poor")


async def test_without_a_session_nothing_of_the_console_is_served(web: OpenWeb) -> None:
    async with web.stranger() as stranger:
        for path in ("/", "/console/static/1/main.js", "/console/messages/1/en.json", "/console/chart.svg?account=one"):
            assert (await stranger.get(path)).status_code == 401


async def test_signing_out_leads_to_the_closed_door(web: OpenWeb) -> None:
    async with visit(web) as person:
        await person.open()
        await person.page.get_by_role("button", name="Sign out").click()

        await expect(person.page.get_by_role("heading", name="You are not logged in")).to_be_visible()
