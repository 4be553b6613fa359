"""What the door accepts, the codec reads; and nothing that arrives makes it raise anything but a refusal."""

from contextlib import suppress
from functools import partial

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import envelope
from schemas.errors import InvalidEvent
from services.ingest import calls, cloudevents, wellknown
from services.ingest.calls import Call
from services.ingest.segment import KINDS, Sender, translate

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "\0", "user:x", "anon:x", "x" * 300, "x" * 5_000, "a\u0085b", "לקוח", "1e999"]),
)
numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([1e308, -1e308])
)
times = st.one_of(
    texts,
    st.sampled_from(
        (
            "2026-02-31 1970-01-01T00:00:00Z 2100-01-01 9999-12-31T23:59:59-14:00 0001-01-01T00:00:00+14:00 "
            "2026-03-01T10:00:00 2026-W09-7 20260301T100000Z " + "9" * 400
        ).split()
    ),
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
properties = st.dictionaries(
    st.sampled_from(
        sorted({name for meaning in wellknown.MEANINGS.values() for f in meaning.fields.values() for name in f})
    ),
    values,
    max_size=5,
)
likely = {
    "type": st.sampled_from([*KINDS, "x"]),
    "messageId": texts,
    "userId": texts | numbers,
    "anonymousId": texts,
    "groupId": texts,
    "event": st.sampled_from(sorted(wellknown.MEANINGS)) | texts,
    "properties": properties,
    "traits": properties,
    "context": st.fixed_dictionaries({}, optional={"groupId": texts}),
    "timestamp": times,
    "sentAt": times,
}
likely_calls = st.fixed_dictionaries({}, optional={name: strategy | values for name, strategy in likely.items()})
attributes = {
    "specversion": st.just("1.0"),
    "id": texts,
    "source": texts,
    "type": st.sampled_from(["kesher.usage.tracked", "kesher.purchase.order_placed", "kesher.usage.new", "com.x"])
    | texts,
    "subject": texts,
    "time": times,
    "data": properties,
}
likely_events = st.fixed_dictionaries({}, optional={name: strategy | values for name, strategy in attributes.items()})
SENDER = Sender("segment:key", 1_770_000_000.0)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(likely_calls, max_size=2))
def test_every_call_that_is_translated_can_be_read(batch: list[object]) -> None:
    for call in calls.batch(msgspec.json.encode({"batch": batch})).calls:
        if not isinstance(call, Call):
            continue
        try:
            events = translate(call, SENDER, {"x": "acme"}).events
        except InvalidEvent:
            continue
        for event in events:
            assert envelope.read(envelope.encode(event)).subject == event.subject


@given(likely_events)
def test_every_cloud_event_that_is_taken_can_be_read(event: dict[str, object]) -> None:
    try:
        received = cloudevents.structured(msgspec.json.encode(event))
    except InvalidEvent:
        return
    assert envelope.read(received.value).id == event["id"]


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0d8 ', max_size=200).map(str.encode))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    for read in (calls.batch, partial(calls.single, kind="track"), cloudevents.structured):
        with suppress(InvalidEvent):
            read(body)


def test_a_deeply_nested_body_is_refused() -> None:
    nested = b'{"event": "x", "userId": "u", "properties": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"

    for read in (calls.batch, partial(calls.single, kind="track"), cloudevents.structured):
        with pytest.raises(InvalidEvent, match="recursion"):
            read(nested)
