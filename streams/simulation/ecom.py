"""A web shop: 31,106 events of 600 users, January to June 2024, with incidents built in, as events of Kesher.

Every line becomes one event; the user is the account."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec import Raw

from schemas.envelope import Event, encode, spelled
from schemas.errors import InvalidEvent
from schemas.events import INPUTS
from schemas.topics import PURCHASES, SUPPORT, Topic
from streams.simulation.spell import Record

USERS, LINES = 600, 31_106
MAPPING = {
    "purchase": "purchase.order_placed",
    "payment_error": "purchase.payment_failed",
    "support_chat": "support.ticket_opened",
    "add_to_cart": "usage.tracked",
    "compare": "usage.tracked",
    "filter_results": "usage.tracked",
    "search": "usage.tracked",
    "wishlist_add": "usage.tracked",
}
"""What the shop calls it -> what Kesher calls it; all others are pages that were viewed."""


def records(lines: Iterable[str]) -> Iterator[Record]:
    """Lines of CSV under a heading -> records in time order.  InvalidEvent names a bad line."""
    rows = (_row(number, line) for number, line in enumerate(csv.DictReader(lines), 2))
    for at, number, user, session, what in sorted(rows):
        kind = INPUTS[f"kesher.{MAPPING.get(what, 'usage.viewed')}"]
        event = Event(
            id=f"ecom-{number}",
            source="dataset/ecom",
            type=kind.name,
            subject=f"ecom-{user}",
            time=spelled(at),
            data=Raw(encode({**_data(kind.topic, user, what, number), "session": session})),
        )
        yield at, kind.topic.name, event.subject.encode(), encode(event)


def _data(topic: Topic, user: str, what: str, number: int) -> dict[str, str]:
    if topic is SUPPORT:
        return {"ticket": f"chat-{number}", "channel": "chat"}
    return {"reason": what} if topic is PURCHASES else {"name": what, "user": user}


def _row(number: int, line: dict[str, str]) -> tuple[float, int, str, str, str]:
    try:
        at = datetime.fromisoformat(line["timestamp"]).replace(tzinfo=UTC).timestamp()
        return at, number, line["user_id"], line["session_id"], line["event"]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidEvent(f"line {number} of the shop's file has no such column or time: {error}") from None
