"""CDNOW: 69,659 real purchases of 23,570 customers of a music shop, January 1997 to June 1998, as events.

The file knows dates only; the hour is spread over the day by line number, so that days do not arrive in one burst."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Raw

from schemas.envelope import Event, encode, spelled
from schemas.errors import InvalidEvent
from schemas.topics import PURCHASES
from streams.simulation.spell import Record

CUSTOMERS, PURCHASES_MADE = 23_570, 69_659
_STRIDE = 7919
"""Seconds between the hours of neighbouring lines: a prime, so that a day's lines scatter."""


def records(lines: Iterable[str]) -> Iterator[Record]:
    """Lines `customer date items dollars` after a heading -> records in time order.  InvalidEvent names a bad line."""
    rows = (_row(number, line) for number, line in enumerate(lines, 1) if number > 1 and line.strip())
    for at, number, customer, items, amount in sorted(rows):
        account = f"cdnow-{customer}"
        event = Event(
            id=f"cdnow-{number}",
            source="dataset/cdnow",
            type="kesher.purchase.order_placed",
            subject=account,
            time=spelled(at),
            data=Raw(encode({"amount": amount, "currency": "USD", "items": items})),
        )
        yield at, PURCHASES.name, account.encode(), encode(event)


def _row(number: int, line: str) -> tuple[float, int, str, int, str]:
    try:
        customer, date, items, amount = line.split()
        day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC)
        at = day + timedelta(seconds=number * _STRIDE % 86_400)
        return at.timestamp(), number, customer, int(items), f"{float(amount):.2f}"
    except ValueError as error:
        raise InvalidEvent(f"line {number} of the CDNOW file is not `customer date items dollars`: {error}") from None
