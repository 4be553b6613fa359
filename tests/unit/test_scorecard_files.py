"""A scorecard that cannot be used says where it is wrong, in words."""

import re
from pathlib import Path

import pytest

from schemas.errors import InvalidScorecard, Refused
from schemas.scorecard_file import load
from services.scorer.scorecard import BUILT_IN, DEFAULT, chosen, file_of
from services.settings import Settings

TEXT = DEFAULT.read_text()


def written(version: str) -> str:
    return re.sub(r"^version:.*$", f"version: {version}", TEXT, count=1, flags=re.MULTILINE)


@pytest.mark.parametrize("built_in", sorted(BUILT_IN.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_scorecard_that_ships_can_be_used_by_its_name(built_in: Path) -> None:
    assert file_of(Path(built_in.stem)) == built_in
    assert load(built_in).name


def test_a_problem_is_told_with_file_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nversion: 1.10\nhalf: 3\n")

    with pytest.raises(InvalidScorecard) as told:
        load(file)
    assert f'{file}, line 2, column 1: version: write the version in quotes, such as version: "1.10"' in str(told.value)
    assert all(line.startswith(f"{file}, line ") for line in str(told.value).splitlines())


@pytest.mark.parametrize(("version", "read"), [("1", "1"), ('"1.10"', "1.10"), ("1.2.3", "1.2.3")])
def test_a_version_is_text_and_a_whole_number_will_do(version: str, read: str) -> None:
    assert load(written(version)).version == read


@pytest.mark.parametrize("version", ["1.10", "2026-01-01", "true", ""])
def test_what_yaml_has_already_changed_is_asked_for_in_quotes(version: str) -> None:
    with pytest.raises(InvalidScorecard, match=r"line 3, column 1: version: write the version in quotes"):
        load(written(version))


def test_a_misspelt_word_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidScorecard, match=r"half_live: there is no such word here; did you mean `half_life`"):
        load(TEXT.replace("half_life", "half_live", 1))


@pytest.mark.parametrize("text", ["a: [", "", "- 1", "a: \x01", "a: 1\na: 2", "a: *b", "version: 1\n---\nname: b"])
def test_what_is_no_yaml_mapping_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(InvalidScorecard, match=r"^line \d, column \d"):
        load(text)


def test_a_file_that_is_not_there_is_told_with_the_setting_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"gone\.yaml cannot be read: No such file.*\nKESHER_SCORECARD names this file"):
        chosen(Settings(scorecard=tmp_path / "gone.yaml"))


def test_a_file_that_is_not_text_is_told_with_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("name: caf\xe9".encode("latin-1"))

    with pytest.raises(Refused, match=r"latin\.yaml is not text in UTF-8: its byte 10"):
        load(file)
