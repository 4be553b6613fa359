"""How much a request may hold, also once gzip is unpacked (Segment's figures), and which accounts it may name."""

import zlib
from collections.abc import AsyncIterator

from schemas.envelope import RESERVED
from schemas.errors import InvalidEvent, Refused, TooLarge

EVENT_BYTES = 32 * 1024
BATCH_BYTES = 500 * 1024


async def body(stream: AsyncIterator[bytes], encoding: str, limit: int) -> bytes:
    """The request's bytes, unpacked; never holds more than `limit` of them.

    Raises TooLarge; InvalidEvent when gzip is broken; Refused for an encoding that is not understood."""
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return await _plain(stream, limit)
    if kind in ("gzip", "x-gzip", "deflate"):
        return await _inflated(stream, limit)
    raise Refused(f"Content-Encoding {kind[:40]!r} is not understood; send gzip, deflate or nothing")


def check_size(size: int, limit: int, what: str) -> None:
    """Raises TooLarge when `what` has more bytes than `limit`."""
    if size > limit:
        raise TooLarge(f"{what} has {size} bytes; at most {limit} are taken")


def check_unreserved(account: str, field: str) -> str:
    """The account id, if a client may name it.  Raises InvalidEvent that names the field."""
    if account.startswith(RESERVED):
        raise InvalidEvent(f"`{field}` {account[:40]!r} begins with a prefix Kesher keeps for itself: user:, anon:")
    return account


async def _plain(stream: AsyncIterator[bytes], limit: int) -> bytes:
    got = bytearray()
    async for chunk in stream:
        got += chunk
        _bounded(len(got), limit)
    return bytes(got)


async def _inflated(stream: AsyncIterator[bytes], limit: int) -> bytes:
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    got = bytearray()
    try:
        async for chunk in stream:
            got += inflate.decompress(chunk, limit + 1 - len(got))
            _bounded(len(got), limit)
    except zlib.error as error:
        raise InvalidEvent(f"the body cannot be unpacked: {error}") from None
    if not inflate.eof:
        raise InvalidEvent("the body cannot be unpacked: it ends too early")
    return bytes(got)


def _bounded(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"the body has more than the {limit} bytes that are taken; send smaller batches")
