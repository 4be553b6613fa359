"""The `next` of a page."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Refused
from services.web.api import paging

KEYS = {"number": float | None, "text": str | None, "moment": datetime | None}
keys = st.one_of(
    st.tuples(st.just("number"), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("text"), st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    st.tuples(st.just("moment"), st.none() | st.datetimes(timezones=st.just(UTC))),
)
ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=256)


@given(keys, ids)
def test_a_place_in_an_order_is_read_as_it_was_written(key: tuple[str, object], account_id: str) -> None:
    order, value = key
    assert paging.read(paging.written(order, (value, account_id)), order, (KEYS[order], str)) == [value, account_id]


@given(st.text())
def test_any_other_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(Refused, match="`after`"):
        paging.read(text, "score", (float, str))


@pytest.mark.parametrize("key", [("\0", "a"), ("a", "\0")])
def test_what_postgres_cannot_hold_is_refused(key: tuple[str, str]) -> None:
    with pytest.raises(Refused, match="no row has"):
        paging.read(paging.written("name", key), "name", (str, str))
