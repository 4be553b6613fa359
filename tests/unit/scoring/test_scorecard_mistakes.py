"""A scorecard's mistakes are told with line, column, the word, and what was probably meant."""

import re

import pytest

from schemas.errors import InvalidScorecard
from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT

GOOD = DEFAULT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        (
            "{on: usage.tracked, amount: count}",
            "{on: usage.traked, amount: count}",
            "no event type `usage.traked`; did you mean `usage.tracked`",
        ),
        ("level: usage_7d", "level: usge_7d", "no counter `usge_7d`; did you mean `usage_7d`"),
        ("older_than: 48h", "older_than: 48x", "is not a duration"),
        ("below: 40, exit: 50", "below: 40, exit: 30", "would flap"),
        ("min_coverage: 0.4", "min_coverage: .nan", "min_coverage"),
        ("step: 2", "stepp: 2", "stepp"),
        ("usage_level: 2, usage_trend", "usage_level: -2, usage_trend", "greater than or equal to 0"),
        ("amber: 40, green: 70", "amber: 70, green: 40", "`green` must lie above"),
        ("{reached: first_trial}", "{reached: first_tril}", "did you mean `first_trial`"),
        ("when: payment_failed, at: 65", "when: payment_fail, at: 65", "did you mean `payment_failed`"),
        ("[[0, 0], [5, 30]", "[[5, 0], [0, 30]", "from left to right"),
    ],
)
def test_a_mistake_is_told_where_it_is(good: str, bad: str, sentence: str) -> None:
    assert good in GOOD
    text = GOOD.replace(good, bad, 1)

    with pytest.raises(InvalidScorecard) as found:
        load(text)

    [problem, *_] = found.value.problems
    assert sentence in str(problem)
    line = text.splitlines()[problem.line - 1]
    assert re.search(r"\w", line[problem.column - 1 :])


@pytest.mark.parametrize("text", ["", "[]", "name: [", "a: &a [*a]", "just words", "name: x\nname: y\n"])
def test_what_is_no_scorecard_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidScorecard):
        load(text)


def test_a_weighting_of_zeros_and_one_that_fits_nobody_are_refused() -> None:
    zeros = re.sub(r"weights: \{usage_level: 2,.*?\}", "weights: {usage_level: 0}", GOOD, count=1)
    with pytest.raises(InvalidScorecard, match="all weights are zero"):
        load(zeros)
    nobody = GOOD.replace("- name: standard\n", "- name: standard\n    when: {segment: [smb]}\n", 1)
    with pytest.raises(InvalidScorecard, match="no `when`"):
        load(nobody)


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{c}: &{c} [{','.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )

    with pytest.raises(InvalidScorecard):
        load(bomb)
