"""What crosses a border, written down for other languages: a JSON Schema per event type, and AsyncAPI 3.

Made from the types, checked in under schemas/json; compatibility.py says which differences would break someone."""

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from schemas.envelope import Event
from schemas.events import INPUTS
from schemas.events.fact import FACTS, Fact
from schemas.topics import DEAD_LETTERS, TOPICS, Topic
from schemas.topics import FACTS as FACT_TOPICS
from schemas.topics import INPUTS as INPUT_TOPICS

Document: TypeAlias = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = "0.1.0"
PREFIX = "kesher"
"""The prefix that the documents show; it is a setting."""


def documents() -> dict[str, Document]:
    """Path below schemas/json -> document."""
    inputs = {f"inputs/{name}.json": envelope_schema(Event, name, event.data) for name, event in INPUTS.items()}
    facts = {f"facts/{name}.json": envelope_schema(Fact, name, data) for name, data in FACTS.items()}
    return {path: _one_line(document) for path, document in (inputs | facts).items()} | {"asyncapi.json": asyncapi()}


def _one_line(document: Any) -> Any:
    """The document without the line breaks that docstrings have in the source."""
    match document:
        case dict():
            return {name: _one_line(value) for name, value in document.items()}
        case list():
            return [_one_line(value) for value in document]
        case str():
            return " ".join(document.split())
    return document


def envelope_schema(envelope: type[Struct], name: str, data: type[Struct]) -> Document:
    """The JSON Schema of a CloudEvent of one type, its data included."""
    fields = [_field(field, name, data) for field in msgspec.structs.fields(envelope)]
    whole = msgspec.defstruct(envelope.__name__, fields, kw_only=True)
    _, shared = msgspec.json.schema_components([whole], schema_hook=_anything, ref_template="#/$defs/{name}")
    body = shared.pop(whole.__name__)
    described = {"title": name, "description": data.__doc__ or ""}
    return {"$schema": DIALECT, **body, **described, "$defs": shared}


def _anything(_: type) -> Document:
    """The schema of `object`: whatever JSON can say."""
    return {"description": "any JSON value"}


def _field(field: msgspec.structs.FieldInfo, name: str, data: type[Struct]) -> tuple[str, Any] | tuple[str, Any, Any]:
    if field.name == "type":
        return (field.name, Literal[name])
    if field.name == "data":
        optional = all(not inner.required for inner in msgspec.structs.fields(data))
        return (field.name, data, msgspec.field(default_factory=data)) if optional else (field.name, data)
    return (field.name, field.type) if field.required else (field.name, field.type, field.default)


def asyncapi() -> Document:
    """Every topic with its messages, keys and headers, and who writes to it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kesher",
            "version": VERSION,
            "description": "Topics are named <prefix>.<name>; the prefix is a setting.  All but scorecards have one "
            "partition count and are partitioned by murmur2 of the key, which is the account id.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {f"{_verb(topic)}-{topic.name}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {
                **{name: _message(name, "inputs") for name in INPUTS},
                **{name: _message(name, "facts") for name in FACTS},
                DEAD_LETTERS.name: _LETTER,
            },
            "messageTraits": {"keyed": _KEYED},
        },
    }


_KEYED: Document = {
    "bindings": {"kafka": {"key": {"type": "string", "description": "the account id, equal to subject"}}},
}


_LETTER: Document = {
    "name": DEAD_LETTERS.name,
    "summary": "A record that could not be read: key and value as they came",
    "headers": {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "what was wrong, in a sentence"},
            "topic": {"type": "string"},
            "partition": {"type": "string", "pattern": "^[0-9]+$"},
            "offset": {"type": "string", "pattern": "^[0-9]+$"},
        },
        "required": ["reason", "topic", "partition", "offset"],
    },
}


def types_of(topic: Topic) -> list[str]:
    """The messages that travel on a topic and that others may read."""
    if topic in INPUT_TOPICS:
        return [name for name, event in INPUTS.items() if event.topic == topic]
    if topic in FACT_TOPICS:
        family = topic.name.replace("-", "_")
        return [name for name in FACTS if name.split(".")[1] == family]
    return [DEAD_LETTERS.name] if topic == DEAD_LETTERS else []


def _channel(topic: Topic) -> Document:
    return {
        "address": topic.full(PREFIX),
        "description": topic.about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in types_of(topic)},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": ["compact" if topic.compacted else "delete"]}}},
    }


def _verb(topic: Topic) -> str:
    """As Kesher sees it."""
    return "receive" if topic in INPUT_TOPICS else "send"


def _operation(topic: Topic) -> Document:
    about = topic.about if types_of(topic) else f"Kesher's own: {topic.about}"
    return {"action": _verb(topic), "channel": {"$ref": f"#/channels/{topic.name}"}, "summary": about}


def _message(name: str, folder: str) -> Document:
    return {
        "name": name,
        "contentType": "application/cloudevents+json",
        "traits": [{"$ref": "#/components/messageTraits/keyed"}],
        "payload": {"$ref": f"./{folder}/{name}.json"},
    }
