"""Every word of the console exists in both languages, and every name that a built-in scorecard uses has one."""

import re
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
import yaml
from babel.messages.extract import DEFAULT_KEYWORDS, extract

from schemas.events import INPUTS
from services.web.console.catalogue import CONTEXT_END, catalogue, edition, messages
from services.web.console.language import LANGUAGES
from services.web.console.pages import BANDS, STAGES, portfolio_page

HERE = Path(str(files("services.web.console")))
KEYWORDS = {**DEFAULT_KEYWORDS, "t": None, "tn": (1, 2), "N_": None, "sentence": None}
METHODS = {".js": "javascript", ".html": "jinja2.ext:babel_extract", ".py": "python"}


def used() -> set[str]:
    """Every message that the code asks for, by its id or context and id."""
    found = set()
    for path in sorted(HERE.rglob("*")):
        method = METHODS.get(path.suffix)
        if method is None:
            continue
        options = {"newstyle_gettext": "true"}
        for _, message, _, context in extract(method, BytesIO(path.read_bytes()), KEYWORDS, (), options):
            name = message if isinstance(message, str) else message[0]
            found.add(f"{context}{CONTEXT_END}{name}" if context else name)
    return found


def named() -> set[str]:
    """Every key of the built-in scorecards and of the events that a person may read."""
    return {key for card in (HERE.parents[2] / "streams/scorecards").glob("*.yaml") for key in of_card(card)}


def of_card(file: Path) -> set[str]:
    """Those of one scorecard."""
    card = yaml.safe_load(file.read_text())
    guards = [guard for stage in card["stages"] for guard in stage.get("when", ())]
    instants = [guard[kind] for guard in guards for kind in ("reached", "recent") if kind in guard]
    words = {
        "measure": card["measures"],
        "signal": card["signals"],
        "stage": [stage["name"] for stage in card["stages"]],
        "cap": [cap["name"] for cap in card.get("caps", ())],
        "indicator": card["indicators"],
        "guard": [*instants, *(">".join(guard["after"]) for guard in guards if "after" in guard)],
        "band": BANDS,
        "level": ["medium", "high", "critical"],
        "family": ["churn_risk", "upsell"],
        "activity": [name.removeprefix("kesher.") for name in INPUTS if not name.startswith("kesher.usage.")],
        "segment": [
            segment for weighting in card["weightings"] for segment in weighting.get("when", {}).get("segment", ())
        ],
        "priority": ["low", "normal", "high", "urgent"],
    }
    return {f"{context}{CONTEXT_END}{key}" for context, keys in words.items() for key in keys}


def places(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_has_words_in_the_language(language: str) -> None:
    words = messages(language)

    assert sorted((used() | named()) - words.keys()) == []
    assert [key for key, text in words.items() if not (all(text) if isinstance(text, list) else text.strip())] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_kept_that_nothing_asks_for(language: str) -> None:
    assert sorted(key for key in messages(language).keys() - used() if CONTEXT_END not in key) == []


def test_both_languages_have_the_same_messages_and_the_same_places_in_them() -> None:
    english, hebrew = messages("en"), messages("he")

    assert english.keys() == hebrew.keys()
    for key, text in hebrew.items():
        ours, theirs = (each[-1] if isinstance(each, list) else each for each in (english[key], text))
        assert places(ours) == places(theirs), key


def test_hebrew_is_written_in_hebrew_and_nothing_is_left_in_doubt() -> None:
    for message in catalogue("he"):
        if message.id:
            text = message.string if isinstance(message.string, str) else message.string[-1]
            assert re.search("[\u0590-\u05ff]", text), message.id
            assert not message.fuzzy


def test_the_address_of_the_words_changes_with_the_language() -> None:
    assert edition("en") != edition("he")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_holds_no_inline_script_or_style(language: str) -> None:
    page = portfolio_page(language, "USD")

    assert (
        re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:|https?://(?!www.w3.org)", page) == []
    )


def test_the_default_stages_are_those_of_the_default_scorecard() -> None:
    card = yaml.safe_load((HERE.parents[2] / "streams/scorecards/default.yaml").read_text())

    assert {stage["name"] for stage in card["stages"]} == set(STAGES)


@pytest.mark.parametrize("sheet", sorted(path.name for path in (HERE / "static").glob("*.css")))
def test_a_style_sheet_knows_no_left_or_right(sheet: str) -> None:
    css = re.sub(r"/\*.*?\*/", "", (HERE / "static" / sheet).read_text(), flags=re.DOTALL)
    sided = r"(?:left|right|width|height|top|bottom)|[\w-]+-(?:left|right|top|bottom)"

    assert re.findall(rf"[{{;]\s*({sided})\s*:", css) == []
    assert re.findall(r"(?:text-align|float|clear):\s*(?:left|right)", css) == []
    assert re.findall(r"(?:padding|margin|inset):(?:\s+[\w.-]+){4}", css) == []
