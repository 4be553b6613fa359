"""Which differences between two JSON Schemas break someone.

An input is written by others: what they may send today must be taken tomorrow.  A fact is read by others: what they
find today must be there tomorrow, and nothing stranger."""

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

Document: TypeAlias = dict[str, Any]
Side = Literal["inputs", "facts"]
_UPPER = ("maximum", "maxLength", "maxItems")
_LOWER = ("minimum", "minLength", "minItems")


def breaking(side: Side, old: Document, new: Document) -> list[str]:
    """Every difference that breaks someone, as `path: what`."""
    return list(_compare(side, "$", old, new, old, new))


def _compare(side: Side, path: str, old: Document, new: Document, was: Document, now: Document) -> Iterator[str]:
    """Two schemas at one place; `was` and `now` are the whole documents, for references."""
    before, after = _alternatives(old, was), _alternatives(new, now)
    narrow, wide = (before, after) if side == "inputs" else (after, before)
    yield from (f"{path}: {_lost(side)} {kind}" for kind in sorted(narrow.keys() - wide.keys()))
    for kind in sorted(before.keys() & after.keys()):
        yield from _same_kind(side, path, before[kind], after[kind], was, now)


def _lost(side: Side) -> str:
    return "no longer takes" if side == "inputs" else "may now be"


def _alternatives(schema: Document, document: Document) -> dict[str, Document]:
    """Kind of value -> the schema for it; an enum is one kind per value; `any` when nothing is said."""
    if "$ref" in schema:
        return _alternatives(document["$defs"][schema["$ref"].rpartition("/")[2]], document)
    found: dict[str, Document] = {}
    for choice in schema.get("anyOf", []):
        found |= _alternatives(choice, document)
    if "enum" in schema:
        found |= {repr(value): {} for value in schema["enum"]}
    elif "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        found |= dict.fromkeys(kinds, schema)
    return found or {"any": schema}


def _same_kind(side: Side, path: str, old: Document, new: Document, was: Document, now: Document) -> Iterator[str]:
    yield from _fields(side, path, old, new, was, now)
    yield from (f"{path}: bounds are now {bound}" for bound in _tighter(old, new) if side == "inputs")
    yield from (f"{path}: bounds are now {bound}" for bound in _tighter(new, old) if side == "facts")
    for part in ("items", "additionalProperties"):
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            yield from _compare(side, f"{path}[]", old[part], new[part], was, now)


def _fields(side: Side, path: str, old: Document, new: Document, was: Document, now: Document) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    yield from (f"{path}.{name}: removed" for name in before.keys() - after.keys())
    needed, given = set(new.get("required", [])), set(old.get("required", []))
    if side == "inputs":
        yield from (f"{path}.{name}: now required" for name in sorted(needed - given))
    else:
        yield from (f"{path}.{name}: no longer always there" for name in sorted((given - needed) & after.keys()))
    for name in before.keys() & after.keys():
        yield from _compare(side, f"{path}.{name}", before[name], after[name], was, now)


def _tighter(loose: Document, tight: Document) -> Iterator[str]:
    """Bounds of `tight` that turn away what `loose` lets in."""
    for name in _UPPER:
        if name in tight and tight[name] < loose.get(name, float("inf")):
            yield f"{name} {tight[name]}"
    for name in _LOWER:
        if name in tight and tight[name] > loose.get(name, float("-inf")):
            yield f"{name} {tight[name]}"
    if tight.get("pattern") not in (None, loose.get("pattern")):
        yield f"pattern {tight['pattern']}"
