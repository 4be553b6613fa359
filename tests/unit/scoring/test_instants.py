"""Times as columns of digits agree with the calendar, or are left to it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import instant, spelled
from streams.scoring.instants import instants

_moments = st.datetimes(datetime(1990, 1, 2), datetime(2120, 1, 1)).map(  # noqa: DTZ001 (the zone follows)
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000, tzinfo=UTC)
)


@given(st.lists(_moments, min_size=1, max_size=20))
def test_columns_of_digits_give_what_the_calendar_gives(moments: list[datetime]) -> None:
    texts = [spelled(moment.timestamp()) for moment in moments]
    found = instants(texts)

    assert found is not None
    assert found.tolist() == pytest.approx([instant(text) for text in texts], abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "1970-01-01T00:00:00Z",
        "2026-01-01T00:00:00+02:00",
        "2026-01-01 00:00:00.00Z",
        "２０２６-01-01T00:00:00Z",
    ],
)
def test_what_is_no_plain_utc_time_is_left_to_be_asked_one_by_one(text: str) -> None:
    assert instants(["2026-01-01T00:00:00Z", text]) is None
