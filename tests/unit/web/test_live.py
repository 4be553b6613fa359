"""Cursors, the ring and what is news, without Kafka."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import envelope
from schemas.errors import InvalidEvent, Refused
from services.web.live import cursor
from services.web.live.change import Change, News, change
from services.web.live.ring import Ring
from tests.facts import health_changed

places = st.tuples(st.sampled_from(cursor.NAMES), st.integers(0, 64))
offsets = st.dictionaries(places, st.integers(0, 2**63 - 2))


def a_change(offset: int, account: str = "a", generation: int = 1, sequence: int | None = None) -> Change:
    number = offset if sequence is None else sequence
    return change("health", 0, offset, envelope.encode(health_changed(account, number, generation=generation)))


@given(offsets)
def test_a_cursor_says_what_it_was_made_of(given_offsets: cursor.Offsets) -> None:
    assert cursor.read(cursor.written(given_offsets)) == given_offsets


@given(st.text() | st.binary().map(lambda raw: raw.hex()) | st.text("AQBgw-_", max_size=30))
def test_a_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(Refused):
        found = cursor.read(text)
        assert cursor.read(cursor.written(found)) == found


@given(offsets, st.data())
def test_a_cursor_cut_short_is_refused_or_shorter(given_offsets: cursor.Offsets, data: st.DataObject) -> None:
    text = cursor.written(given_offsets)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with suppress(Refused):
        assert cursor.read(cut).items() <= given_offsets.items()


@given(st.integers(1, 8), st.lists(st.booleans(), max_size=40))
def test_the_ring_covers_exactly_what_it_holds(capacity: int, records: list[bool]) -> None:
    """True is a record that is kept, False one that is passed over; the ring covers the offsets after its floor."""
    ring = Ring(capacity)
    ring.begin({("health", 0): 5})
    kept = []
    for offset, is_news in enumerate(records, 5):
        if is_news:
            ring.add(a_change(offset))
            kept.append(offset)
        else:
            ring.pass_over(("health", 0), offset)
    held = [one.offset for one in ring.since(ring.first, 1000)]
    assert held == kept[-capacity:]
    assert ring.position == {("health", 0): 5 + len(records)}
    for offset in range(5, 6 + len(records)):
        missing = [each for each in kept if each >= offset and each not in held]
        assert ring.covers({("health", 0): offset}) == (offset >= ring.floor["health", 0])
        if ring.covers({("health", 0): offset}):
            assert missing == []


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=30))
def test_what_is_told_of_an_account_never_goes_back_and_never_repeats(told: list[tuple[int, int]]) -> None:
    news = News()
    heard = [
        order
        for offset, order in enumerate(told)
        if news.is_news(a_change(offset, generation=order[0], sequence=order[1]))
    ]
    assert heard == sorted(set(heard))
    assert set(heard[-1:]) == ({max(told)} if told else set())


def test_what_is_remembered_is_bounded() -> None:
    news = News(remembered=3)
    for number in range(10):
        assert news.is_news(a_change(number, account=f"a{number}"))
    assert len(news._last) == 3


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"null", b"[1]", b'{"type": 1}', b"\xff", b'"' + b"[" * 100_000, b"[" * 100_000,
     envelope.encode(health_changed("a", 1)).replace(b"health.changed", b"health"),
     envelope.encode(health_changed("a", 1)).replace(b'"subject":"a"', b'"subject":""'),
     envelope.encode(health_changed("a", 1)).replace(b'"subject":"a"', b'"subject":"\\u0000"'),
     envelope.encode(health_changed("a", 1)).replace(b'"sequence":1', b'"sequence":1e400')],
)  # fmt: skip
def test_what_is_no_fact_is_refused(value: bytes | None) -> None:
    with pytest.raises(InvalidEvent):
        change("health", 0, 0, value)


def test_a_change_is_one_line_whoever_wrote_it() -> None:
    pretty = envelope.encode(health_changed("a\u2028b", 1)).replace(b'"data":{', b'"data":{\r\n  ')
    one = change("health", 0, 0, pretty)
    assert b"\n" not in one.body
    assert b"\r" not in one.body
    assert one.account == "a\u2028b"
