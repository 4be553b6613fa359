"""A person's browser on the console: Chromium of the system, logged in by a one-time link."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import BrowserContext, Page, Request, async_playwright, expect

from services.adapters import clock
from services.web.access import add_user, create_login_link
from tests.integration.web.opened_web import OpenWeb

FLAGS = ("--no-sandbox", "--disable-background-networking")
PATIENCE_MILLISECONDS = 60_000.0
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@dataclass
class Visit:
    """One browser window, logged in, and what went wrong in it."""

    page: Page
    context: BrowserContext
    web: OpenWeb
    email: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    async def open(self, address: str = "/") -> None:
        """Go there and wait until the page is live."""
        await self.page.goto(self.web.url + address)
        await expect(self.page.locator("[data-live]")).to_have_attribute("data-live", "live")

    async def names(self) -> list[str]:
        """Account names, top down."""
        return await self.page.locator("tr[data-account] a").all_inner_texts()

    def row(self, account: str) -> Any:
        return self.page.locator(f'tr[data-account="{account}"]')


@asynccontextmanager
async def visit(web: OpenWeb, **more: Any) -> AsyncIterator[Visit]:
    """A window of its own; `more` is Playwright's: viewport, locale, color_scheme.

    Errors in the page and requests to anyone else fail the test."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("NO BROWSER: the console was not tested; install one (`apt-get install chromium`)")
    options = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}, **more}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        context = await browser.new_context(**options)
        person = Visit(await context.new_page(), context, web, f"{uuid4().hex[:8]}@example.com")
        context.on("request", lambda request: _watch(person, request))
        person.page.on("pageerror", lambda error: person.complaints.append(str(error)))
        person.page.on("dialog", lambda dialog: person.complaints.append(f"a dialog: {dialog.message}"))
        person.page.on("console", lambda said: _listen(person, said.type, said.text))
        await add_user(web.pool, person.email, clock.now())
        await log_in(person, person.page)
        yield person
        await browser.close()
    assert person.complaints == []
    assert person.strangers == []


async def log_in(person: Visit, page: Page) -> None:
    """Open a fresh login link and press its button."""
    await page.goto(await create_login_link(person.web.pool, person.email, person.web.url, clock.now()))
    await page.locator("button").first.click()
    await page.wait_for_url(person.web.url + "/")


def _watch(person: Visit, request: Request) -> None:
    if not request.url.startswith((person.web.url, "data:", "about:")):
        person.strangers.append(request.url)


def _listen(person: Visit, kind: str, text: str) -> None:
    """Failed requests are the test's own doing; anything else said as an error is a defect."""
    if kind == "error" and not text.startswith("Failed to load resource"):
        person.complaints.append(text)
