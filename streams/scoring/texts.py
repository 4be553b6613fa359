"""The few texts of an account that facts carry (name, plan, owner, CRM ids), kept beside the row as bytes and merged
field by field like a gauge: the later event time wins, on a tie the larger text.

The bytes are the texts as the JSON object that facts carry, a line feed, and the times of the fields in their order,
or one time for all."""

from typing import Any

import msgspec

Texts = dict[str, tuple[float, str]]
CRM = "crm"
_decode, _times = msgspec.json.Decoder(dict[str, Any]).decode, msgspec.json.Decoder(list[float]).decode


def joined_texts(kept: bytes, found: dict[str, str], at: float) -> bytes:
    """The texts of an account after an event at `at` that states `found`."""
    return written(merged_texts(read_texts(kept), {field: (at, text) for field, text in found.items()}))


def read_texts(kept: bytes) -> Texts:
    """Field -> (event time, text); ids in a CRM are named `crm.<which>`."""
    if not kept:
        return {}
    texts, _, times = kept.partition(b"\n")
    fields = _decode(texts)
    fields |= {f"{CRM}.{which}": record for which, record in fields.pop(CRM, {}).items()}
    when = _times(times)
    ats = when if len(when) > 1 else when * len(fields)
    return {field: (at, text) for (field, text), at in zip(fields.items(), ats, strict=True)}


def written(texts: Texts) -> bytes:
    """As bytes, the same for equal texts."""
    plain = {field: text for field, (_, text) in sorted(texts.items()) if not field.startswith(f"{CRM}.")}
    records = {field: text for field, (_, text) in sorted(texts.items()) if field.startswith(f"{CRM}.")}
    times = [texts[field][0] for field in (*plain, *records)]
    crm = {CRM: {field.removeprefix(f"{CRM}."): record for field, record in records.items()}} if records else {}
    return msgspec.json.encode(plain | crm) + b"\n" + msgspec.json.encode(times[:1] if len(set(times)) == 1 else times)


def merged_texts(a: Texts, b: Texts) -> Texts:
    """Field by field the later one."""
    return {field: max(a.get(field, (0.0, "")), b.get(field, (0.0, ""))) for field in a.keys() | b.keys()}


def snapshot(kept: bytes, numbers: dict[str, Any]) -> msgspec.Raw:
    """The account of a fact as JSON: the given numbers and its texts."""
    head = msgspec.json.encode(numbers)
    return msgspec.Raw(head[:-1] + b"," + kept[1 : kept.index(b"\n")] if kept else head)
