"""What people do in the product."""

from schemas.events.catalog import Count, Data, EventType, Id, Text
from schemas.topics import USAGE


class Usage(Data):
    """Something a person did: `name` is the feature, page or limit; `count` how often."""

    name: Text | None = None
    user: Id | None = None
    count: Count = 1.0
    properties: dict[str, object] | None = None


EVENTS = tuple(EventType(f"kesher.usage.{what}", Usage, USAGE) for what in ("tracked", "viewed", "limit_reached"))
