"""Field types shared by the families, and the entry each family lists."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from schemas.topics import Topic

LIMIT = 1e15
"""No number at the border is larger in absolute value."""

Number = Annotated[float, Meta(ge=-LIMIT, le=LIMIT)]
Count = Annotated[float, Meta(ge=0, le=LIMIT)]
Money = Number | Annotated[str, Meta(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$")]
"""An amount as a number or as a decimal string (`"12.50"`)."""
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217")]
Text = Annotated[str, Meta(max_length=4096)]
Id = Annotated[str, Meta(min_length=1, max_length=256)]
Moment = Annotated[str, Meta(max_length=40, description="RFC 3339 date or date and time; without a zone it is UTC")]


class Data(Struct, kw_only=True, omit_defaults=True):
    """Data of an input event.  Fields it does not name are accepted and kept in the topic."""


@dataclass(frozen=True)
class EventType:
    """An input type, the struct of its data, and the topic that carries it."""

    name: str
    data: type[Data]
    topic: Topic
