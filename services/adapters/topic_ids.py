"""Kafka's own ids of topics: a topic that was deleted and created again has the same name and another id.

aiokafka speaks Metadata up to version 5 and ids begin with version 10, so version 12 (Kafka 2.8 and later) is spelled
out here."""

import base64
from collections.abc import Collection
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from schemas.errors import Refused
from services.adapters.outage import expecting_kafka


async def topic_ids(bootstrap: str, names: Collection[str]) -> dict[str, str]:
    """The id of each topic that exists, as Kafka writes it (22 characters).  RetryLater while Kafka is away."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    try:
        with expecting_kafka(bootstrap):
            await client.bootstrap()
            answer = await client.send(client.get_random_node(), _Metadata(sorted(names)))
    except NotImplementedError as error:
        raise Refused(f"the Kafka at {bootstrap} does not tell the ids of topics: 2.8 or later is needed") from error
    finally:
        await client.close()
    return {name: topic_id for code, name, topic_id, *_ in answer.topics if code == 0}


class _Id:
    """Sixteen bytes, to and from the text that Kafka's tools show."""

    @classmethod
    def encode(cls, value: str) -> bytes:
        return base64.urlsafe_b64decode(value + "==")

    @classmethod
    def decode(cls, data: BytesIO) -> str:
        return base64.urlsafe_b64encode(data.read(16)).rstrip(b"=").decode()

    @classmethod
    def repr(cls, value: str) -> str:
        return value


_NONE = "A" * 22
_NAME = CompactString("utf-8")
_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)),
    ("isr", CompactArray(Int32)),
    ("offline_replicas", CompactArray(Int32)),
    ("tags", TaggedFields),
)


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), ("tags", TaggedFields)),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _NAME),
                ("topic_id", _Id),
                ("is_internal", Boolean),
                ("partitions", CompactArray(*_PARTITION)),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Id), ("topic", _NAME), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Metadata(Request[_MetadataRequest]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_MetadataRequest]) -> Any:
        return request_struct_class([(_NONE, name, {}) for name in self._names], False, False, {})
