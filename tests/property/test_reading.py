"""Whatever bytes a topic holds: read, or rejected with a sentence; nothing read can make folding or judging raise."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.scorecard_file import load
from services.scorer.scorecard import DEFAULT
from streams.scoring.batch import Slice
from streams.scoring.hashes import partitions_of
from tests.histories import DAY, PARTITIONS, START, Record, engine

CARD = load(DEFAULT)
BODIES = st.one_of(
    st.binary(max_size=60),
    st.just(b""),
    st.just(b"null"),
    st.just(b"[]"),
    st.just(b"{}"),
    st.sampled_from(
        [
            b'{"id":"x","source":"s","type":"kesher.usage.tracked","subject":"acme","data":{"properties":%s}}'
            % (b"[" * n + b"]" * n)
            for n in (10, 5000)
        ]
    ),
    st.sampled_from(
        [
            b'{"id":"%s","source":"%s","type":"kesher.usage.tracked","subject":"acme","data":{"name":"%s"}}' % (w, w, w)
            for w in (b"\\ud800", b"\xff", b"\\u0000", b"")
        ]
    ),
    st.builds(
        lambda type_, data, time: msgspec.json.encode(
            {"id": "x", "source": "s", "type": type_, "subject": "acme", "time": time, "data": data}
        ),
        st.sampled_from(
            [
                "kesher.usage.tracked",
                "kesher.purchase.invoice_paid",
                "kesher.support.ticket_opened",
                "kesher.feedback.survey_answered",
                "kesher.profile.updated",
                "kesher.profile.member_removed",
                "kesher.unheard.of",
            ]
        ),
        st.dictionaries(
            st.sampled_from(
                [
                    "count",
                    "amount",
                    "currency",
                    "mrr",
                    "seats",
                    "ticket",
                    "priority",
                    "metric",
                    "score",
                    "respondent",
                    "name",
                    "user",
                    "renews_at",
                    "seats_bought",
                    "crm",
                    "role",
                    "plan",
                ]
            ),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(-(10**18), 10**18),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(max_size=20),
                st.just("1" * 400),
                st.just({"hubspot": "1"}),
                st.sampled_from(["nps", "csat", "USD", "EUR", "urgent", "2026-02-31", "12.5"]),
            ),
        ),
        st.one_of(
            st.sampled_from(
                [
                    "2026-09-21T10:00:00Z",
                    "2026-09-21",
                    "1970-01-01T00:00:00Z",
                    "2100-01-01T00:00:00Z",
                    "2026-02-31T00:00:00Z",
                    "2026-09-21T10:00:00+03:00",
                    "9999-12-31T23:59:59Z",
                    "2026-09-21T10:00:00",
                ]
            ),
            st.text(max_size=25),
            st.none(),
        ),
    ),
)


@given(
    st.lists(
        st.tuples(st.sampled_from([b"acme", b"", b"\xff", b"a" * 300, "אבג".encode(), b"a\x00b", None]), BODIES),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=150, deadline=None)
def test_reading_never_raises_and_folding_and_judging_never_raise_on_what_was_read(
    found: list[tuple[bytes | None, bytes]],
) -> None:
    """Whatever bytes a topic holds: read, or rejected with a sentence; the neighbours are kept."""
    living = engine(CARD)
    good = Record(
        b"acme",
        len(found),
        int(START * 1000),
        msgspec.json.encode(
            {
                "id": "good",
                "source": "s",
                "type": "kesher.usage.tracked",
                "subject": "acme",
                "time": "2026-09-21T10:00:00Z",
                "data": {},
            }
        ),
    )
    records = [*(Record(key, i, int(START * 1000), body) for i, (key, body) in enumerate(found)), good]  # type: ignore[arg-type]

    reading = living.read([Slice(0, int(partitions_of([b"acme"], PARTITIONS)[0]), records)])
    misplaced = {m.offset for m in reading.misplaced}
    assert all(reject.reason for reject in reading.rejects)
    if reading.batch is not None:
        assert len(reading.batch.keys) + len(reading.rejects) <= len(records)
        decisions = living.absorb(reading.batch)
        living.sweep(START + 9 * DAY, 0, living.accounts.size)
        assert decisions or living.accounts.occupied(0, 99).size
    if not misplaced:
        assert reading.batch is not None
        assert b"acme" in reading.batch.keys
