"""What every dialect shares: who may come in, and the answer once Kafka has spoken."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fastapi import HTTPException, Request
from prometheus_client import Counter
from starlette.responses import JSONResponse, Response

from schemas.api.ingest import Receipt, Rejection
from schemas.errors import InvalidEvent, Refused, RetryLater, TooLarge
from services.adapters.access import KeyInfo, Keys
from services.adapters.problems import fault
from services.ingest import credentials, limits
from services.ingest.identity import Members
from services.ingest.publish import Publisher, Record

_FIELD = re.compile(r"- at `\$?\.?([^`]+)`|^`([\w.-]+)`|required field `(\w+)`")
"""Where a reason names the field: after msgspec's `- at`, or as its first word in backticks."""
_DUE = "5"
"""Seconds after which a client may try again, when nothing better is known."""


@dataclass(frozen=True)
class Item:
    """One item of a request: its records, or why it has none."""

    index: int
    id: str | None
    records: tuple[Record, ...] = ()
    fault: str | None = None
    ignored: str | None = None

    def named(self, reason: str) -> Rejection:
        """The item as the answer names it."""
        found = _FIELD.search(reason)
        field = next((name for name in found.groups() if name), None) if found else None
        return Rejection(index=self.index, id=self.id, field=field, reason=reason)


@dataclass(frozen=True)
class Door:
    """The collaborators of the routes.  `now` gives epoch seconds, `fresh_id` an id that no one else has."""

    keys: Keys
    members: Members
    publisher: Publisher
    prefix: str
    now: Callable[[], float]
    fresh_id: Callable[[], str]
    outcomes: Counter

    async def admit(self, secret: str | None) -> KeyInfo:
        """The key of whoever knocks, if it may write.  Raises 401, 403, or 503 when nobody can tell."""
        try:
            key = await self.keys.check(secret) if secret else None
        except RetryLater as error:
            raise later(503, error) from error
        if key is None:
            raise fault(401, credentials.HOW, WWW_Authenticate='Basic realm="Kesher"')
        if not key.may("write"):
            raise fault(403, f"the key {key.name!r} has scope {key.scope}; sending events needs write")
        return key

    async def deliver(self, dialect: str, items: Sequence[Item]) -> Response:
        """Publish what is good and say what became of each item.

        200 when Kafka has all good items; 400 when none was good; 503 when Kafka did not acknowledge some (the answer
        names them); raises 429 with nothing sent when Kafka is away or the buffer is full."""
        try:
            outcomes = iter(await self.publisher.publish([record for item in items for record in item.records]))
        except RetryLater as error:
            raise later(429, error) from error
        receipt = _receipt(items, outcomes)
        self._count(dialect, receipt)
        status = 503 if receipt.unacknowledged else 200 if receipt.success else 400
        headers = {"Retry-After": _DUE} if status == 503 else {}
        return JSONResponse(receipt.model_dump(), status, headers)

    def _count(self, dialect: str, receipt: Receipt) -> None:
        self.outcomes.labels(dialect, "accepted").inc(receipt.accepted)
        self.outcomes.labels(dialect, "rejected").inc(len(receipt.rejected))
        self.outcomes.labels(dialect, "ignored").inc(len(receipt.ignored))
        self.outcomes.labels(dialect, "unacknowledged").inc(len(receipt.unacknowledged))


def _receipt(items: Sequence[Item], outcomes: Iterator[str | None]) -> Receipt:
    """`outcomes` holds one entry per record, in order: None when Kafka has it."""
    rejected, ignored, waiting, accepted = [], [], [], 0
    for item in items:
        if item.fault is not None:
            rejected.append(item.named(item.fault))
        elif item.ignored is not None:
            ignored.append(item.named(item.ignored))
        elif (why := next(filter(None, [next(outcomes) for _ in item.records]), None)) is not None:
            waiting.append(Rejection(index=item.index, id=item.id, reason=why))
        else:
            accepted += 1
    success = not waiting and (accepted > 0 or not rejected)
    return Receipt(success=success, accepted=accepted, rejected=rejected, ignored=ignored, unacknowledged=waiting)


def later(status: int, error: RetryLater) -> HTTPException:
    """The refusal of something that may work later."""
    return fault(status, str(error), Retry_After=str(max(1, round(error.wait.total_seconds()))))


async def body(request: Request, limit: int, too_large: int) -> bytes:
    """The request's body, unpacked.  Raises `too_large` above the limit, 400 when it cannot be unpacked, 415."""
    try:
        return await limits.body(request.stream(), request.headers.get("content-encoding", ""), limit)
    except TooLarge as error:
        raise fault(too_large, str(error)) from error
    except InvalidEvent as error:
        raise fault(400, str(error)) from error
    except Refused as error:
        raise fault(415, str(error)) from error
