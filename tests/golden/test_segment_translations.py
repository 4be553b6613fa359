"""Every known call and well-known name, as it leaves the translation: tests/golden/ingest/segment.json."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas import envelope
from services.ingest import calls, wellknown
from services.ingest.calls import Call
from services.ingest.segment import Sender, translate

CASES: list[dict[str, Any]] = msgspec.json.decode((Path(__file__).parent / "ingest" / "segment.json").read_bytes())
SENDER = Sender("segment:key", envelope.instant("2026-03-02T08:00:00Z"))
KNOWN = {"u-known": "globex"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_a_call_becomes_these_events(case: dict[str, Any]) -> None:
    call = calls.batch(msgspec.json.encode({"batch": [case["call"]]})).calls[0]

    assert isinstance(call, Call)
    events = [msgspec.json.decode(envelope.encode(event)) for event in translate(call, SENDER, KNOWN).events]
    fixed = {"source": "segment:key", "specversion": "1.0", "datacontenttype": "application/json"}
    assert [{name: value for name, value in event.items() if name not in fixed} for event in events] == case["events"]


def test_every_well_known_name_has_a_case() -> None:
    names = {" ".join(case["call"].get("event", "").replace("_", " ").split()).casefold() for case in CASES}

    assert wellknown.MEANINGS.keys() <= names
