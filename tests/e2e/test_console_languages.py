"""Two languages, two directions, two themes, two sizes: the same console."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from services.settings import Settings
from tests.e2e.a_browser import Visit, visit
from tests.facts import START, account, churn_risk, health_changed, lifecycle_changed
from tests.integration.projector.projecting import tell, until_applied
from tests.integration.web.opened_web import OpenWeb

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
WORDS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest("bdi, datalist, template, noscript, .languages")) continue;
    if (parent.checkVisibility() || parent.closest(".unseen, option")) found.push(node.data.trim());
  }
  for (const element of document.querySelectorAll("[aria-label], [placeholder], [title]"))
    for (const name of ["aria-label", "placeholder", "title"])
      if (element.getAttribute(name)) found.push(element.getAttribute(name));
  return found;
}"""
"""Every word of our own on the page: what is shown, read aloud or offered, but for names and figures from outside."""

PALE = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const solid = (layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const pale = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || !parent.checkVisibility() || parent.closest(".unseen, .skip, option, svg")) continue;
    const layers = [];
    for (let up = parent; up; up = up.parentElement) layers.unshift(getComputedStyle(up).backgroundColor);
    const ground = solid(layers);
    const [one, two] = [light(solid([...layers, getComputedStyle(parent).color])), light(ground)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) pale.push(`${node.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return pale;
}"""
"""Texts whose contrast with what is behind them is below WCAG AA."""


async def a_customer(settings: Settings) -> None:
    """One account with a name in Latin letters and something in every part of the panel."""
    about = account(name="Northwind", health=30.0, segment="enterprise", owner="Dana", plan="Team", mrr=1200.0)
    later = START + timedelta(hours=1)
    facts = [
        health_changed("north", 1, 52, at=START, snapshot=about),
        lifecycle_changed("north", 2, "purchase", "adoption", at=START, snapshot=about),
        health_changed("north", 3, 30, previous=52, at=later, snapshot=about),
        churn_risk("raised", "north", 4, kind="low_health", at=later, snapshot=about),
    ]
    for fact in facts:
        for reason in getattr(fact.data, "reasons", ()):
            reason.measure = "usage_level"
        if hasattr(fact.data, "because"):
            fact.data.because = ["reached:first_paid", "measure:usage_level"]
        if hasattr(fact.data, "measures"):
            fact.data.measures, fact.data.missing = {"usage_level": 40.0, "sentiment": 61.5}, ["seats"]
    await tell(settings, facts)
    await until_applied(settings, settings.database_url)


async def with_the_panel(person: Visit, language: str) -> Page:
    """The console with the customer open."""
    await person.open(f"/?lang={language}&account=north")
    await expect(person.page.locator("#panel .chart svg")).to_be_visible()
    return person.page


async def test_in_hebrew_the_page_runs_from_right_to_left_and_says_nothing_in_english(
    web: OpenWeb, settings: Settings
) -> None:
    await a_customer(settings)

    async with visit(web) as person:
        page = await with_the_panel(person, "he")

        assert await page.evaluate("getComputedStyle(document.body).direction") == "rtl"
        latin = [text for text in await page.evaluate(WORDS) if re.search("[A-Za-z]", text.replace("JavaScript", ""))]
        assert latin == []
        why = person.row("north").locator(".why")
        await expect(why).to_have_text("היקף שימוש – ירידה: 52 ← 30, \u200e−22 נקודות")
        panel, rows = await page.locator("#panel").bounding_box(), await page.locator(".list").bounding_box()
        assert panel is not None
        assert rows is not None
        assert panel["x"] < rows["x"]


@pytest.mark.parametrize(("language", "called"), [("en", "Enterprise"), ("he", "ארגונים גדולים")])
async def test_a_segment_is_shown_and_looked_for_as_it_is_called(
    web: OpenWeb, settings: Settings, language: str, called: str
) -> None:
    """One of the customer's own stays as it is written."""
    segments = {"north": "enterprise", "south": "smb", "west": "Our Own"}
    await tell(settings, [health_changed(key, 1, 52, snapshot=account(segment=one)) for key, one in segments.items()])
    await until_applied(settings, settings.database_url)

    async with visit(web) as person:
        await person.open(f"/?lang={language}")
        await expect(person.row("north")).to_contain_text(called)
        await expect(person.row("west")).to_contain_text("Our Own")
        field = person.page.locator("[name=segment]")
        await field.fill(called)
        await expect(person.page.locator("tr[data-account]")).to_have_count(1)
        await expect(person.row("north")).to_be_visible()
        assert re.search(r"segment=enterprise", person.page.url)
        await person.page.reload()
        await expect(field).to_have_value(called)
        await field.fill("Our Own")
        await expect(person.row("west")).to_be_visible()
        await expect(person.page.locator("tr[data-account]")).to_have_count(1)


async def test_in_english_the_page_says_nothing_in_hebrew(web: OpenWeb, settings: Settings) -> None:
    await a_customer(settings)

    async with visit(web) as person:
        page = await with_the_panel(person, "en")

        assert await page.evaluate("getComputedStyle(document.body).direction") == "ltr"
        assert [text for text in await page.evaluate(WORDS) if re.search("[\u0590-\u05ff]", text)] == []


async def test_the_language_is_remembered_and_switching_keeps_the_place(web: OpenWeb, settings: Settings) -> None:
    await a_customer(settings)

    async with visit(web) as person:
        page = await with_the_panel(person, "en")
        await page.get_by_role("link", name="עברית").click()
        await expect(page.locator("html")).to_have_attribute("lang", "he")
        await expect(page.locator("#panel-name")).to_have_text("Northwind")

        await person.open("/")
        await expect(page.locator("html")).to_have_attribute("lang", "he")


@pytest.mark.parametrize("language", ["en", "he"])
async def test_every_text_stands_out_and_nothing_overflows(web: OpenWeb, settings: Settings, language: str) -> None:
    """WCAG AA in light and dark; on a phone the page is as wide as the phone."""
    await a_customer(settings)

    for scheme in ("light", "dark"):
        async with visit(web, color_scheme=scheme) as person:
            page = await with_the_panel(person, language)
            assert await page.evaluate(PALE) == []

            await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            await page.keyboard.press("Escape")
            await expect(page.locator("#panel")).to_be_hidden()
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            await expect(person.row("north").locator(".badge")).to_be_in_viewport()
