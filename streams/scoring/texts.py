"""The few texts of an account that facts carry (name, plan, owner, CRM ids): kept as JSON beside the row, merged
field by field like a gauge: the later event time wins, on a tie the larger text."""

import json
from typing import Any

from schemas.events.fact import Account

Texts = dict[str, tuple[float, str]]


def joined_texts(kept: bytes, found: dict[str, str], at: float) -> bytes:
    """The texts of an account after an event at `at` that states `found`."""
    return written(merged_texts(read_texts(kept), {field: (at, text) for field, text in found.items()}))


def read_texts(kept: bytes) -> Texts:
    """Field -> (event time, text)."""
    return {field: (at, text) for field, (at, text) in json.loads(kept).items()} if kept else {}


def written(texts: Texts) -> bytes:
    """As bytes, the same for equal texts."""
    return json.dumps(texts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def merged_texts(a: Texts, b: Texts) -> Texts:
    """Field by field the later one."""
    return {field: max(a.get(field, (0.0, "")), b.get(field, (0.0, ""))) for field in a.keys() | b.keys()}


def snapshot(kept: bytes, **numbers: Any) -> Account:
    """The account of a fact: its texts and the given stage, health, mrr and renews_at."""
    texts = {field: text for field, (_, text) in read_texts(kept).items()}
    crm = {field.removeprefix("crm."): texts.pop(field) for field in list(texts) if field.startswith("crm.")}
    return Account(crm=crm or None, **{**texts, **numbers})
