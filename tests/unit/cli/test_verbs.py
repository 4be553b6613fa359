"""Verbs as a newcomer meets them: help without noise, mistakes in words, a summary that fits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.errors import Refused
from services.cli import main
from services.settings import Settings, settings


@pytest.fixture
def fresh() -> Iterator[None]:
    """Settings are read anew in the test, and after it."""
    settings.cache_clear()
    yield
    settings.cache_clear()


def run(*words: str) -> str:
    result = CliRunner().invoke(main.typed, list(words))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("verb", main.VERBS)
def test_help_speaks_of_the_verb_alone(verb: str) -> None:
    assert "completion" not in run(verb, "--help")


def test_a_checked_scorecard_is_told_in_short() -> None:
    said = run("scorecards", "check", "default")

    assert "the scorecard default, version 1, can be used" in said
    assert "support_load" in said
    assert "low_health" in said
    assert "won_back" in said


def test_a_broken_scorecard_is_refused_by_its_check(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine")

    result = CliRunner().invoke(main.typed, ["scorecards", "check", str(tmp_path / "mine.yaml")])
    assert isinstance(result.exception, Refused)
    assert "mine.yaml, line 1, column 1: version: this is missing" in str(result.exception)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_every_setting_is_printed_whole_at_any_width(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    said = "".join(run("settings").split())

    assert all("".join((field.description or "").split()) in said for field in Settings.model_fields.values())


@pytest.mark.usefixtures("fresh")
def test_a_setting_that_cannot_be_read_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KESHER_PARTITIONS", "many")
    monkeypatch.setenv("KESHER_RATES", "EUR=1.08")

    with pytest.raises(Refused, match=r"(?s)KESHER_PARTITIONS should be .*KESHER_RATES is not JSON; write it as"):
        settings()


@pytest.mark.usefixtures("fresh")
def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KESHER_SCORECARD", "")

    assert settings().scorecard is None
