"""Which language is chosen, and what the chart of an account's health holds."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from schemas.api.portfolio import HealthPoint
from services.web.console.assets import assets, version
from services.web.console.chart import health_chart
from services.web.console.language import chosen

START = datetime(2026, 11, 1, tzinfo=UTC)


def points(*scores: float | None) -> list[HealthPoint]:
    return [
        HealthPoint(
            at=START + timedelta(days=day), score=score, band="unknown" if score is None else "amber", coverage=0.8
        )
        for day, score in enumerate(scores)
    ]


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "language"),
    [
        ("he", "en", "en", "he"),
        (None, "he", "en-GB", "he"),
        (None, None, "fr, he-IL;q=0.9, en;q=0.8", "he"),
        (None, None, "en;q=0.2, iw;q=0.7", "he"),
        ("tlh", "xx", "fr;q=nonsense", "en"),
        (None, None, None, "en"),
    ],
)
def test_the_nearest_wish_that_we_speak_wins(
    asked: str | None, remembered: str | None, accepted: str | None, language: str
) -> None:
    assert chosen(asked, remembered, accepted) == language


def test_a_chart_draws_the_known_scores_and_brings_no_style_or_script() -> None:
    drawn = health_chart(points(60, None, 40, 55, 50), "en").decode()

    assert drawn.count("<circle") == 4
    assert re.search(r">Nov \d<", drawn)
    for refused in ("<style", "<script", "style=", "<title", "<desc"):
        assert refused not in drawn


def test_one_point_is_drawn_and_no_point_is_nothing() -> None:
    assert b'class="line' in health_chart(points(60), "he")
    assert health_chart(points(None, None), "en") == b""
    assert health_chart([], "en") == b""


def test_every_asset_is_served_under_one_version() -> None:
    assert {"main.js", "page.css", "icon.svg"} <= assets().keys()
    assert len(version()) == 12
