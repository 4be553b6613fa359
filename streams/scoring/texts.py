"""The few texts of an account that facts carry (name, plan, owner, CRM ids): kept as JSON beside the row, merged
field by field like a gauge: the later event time wins, on a tie the larger text."""

from typing import Any

import msgspec

from schemas.events.fact import Account

Texts = dict[str, tuple[float, str]]
_decode = msgspec.json.Decoder(list[tuple[float, dict[str, str]]]).decode
"""Texts by the time at which they were stated, in order: most were stated together."""


def joined_texts(kept: bytes, found: dict[str, str], at: float) -> bytes:
    """The texts of an account after an event at `at` that states `found`."""
    return written(merged_texts(read_texts(kept), {field: (at, text) for field, text in found.items()}))


def read_texts(kept: bytes) -> Texts:
    """Field -> (event time, text)."""
    return {field: (at, text) for at, fields in _decode(kept) for field, text in fields.items()} if kept else {}


def written(texts: Texts) -> bytes:
    """As bytes, the same for equal texts."""
    stated: dict[float, dict[str, str]] = {}
    for at, field, text in sorted((at, field, text) for field, (at, text) in texts.items()):
        stated.setdefault(at, {})[field] = text
    return msgspec.json.encode(list(stated.items()))


def merged_texts(a: Texts, b: Texts) -> Texts:
    """Field by field the later one."""
    return {field: max(a.get(field, (0.0, "")), b.get(field, (0.0, ""))) for field in a.keys() | b.keys()}


def snapshot(kept: bytes, **numbers: Any) -> Account:
    """The account of a fact: its texts and the given stage, health, mrr and renews_at."""
    crm: dict[str, str] = {}
    if kept:
        for _, fields in _decode(kept):
            for field, text in fields.items():
                if field.startswith("crm."):
                    crm[field[4:]] = text
                else:
                    numbers[field] = text
    return Account(crm=crm or None, **numbers)
