"""How far the facts are seen, as text: the next offset of every partition of every fact topic.

The text is URL-safe and opaque: base64url of a version byte and, per topic in the order of schemas.topics.FACTS, the
count of partitions and each one's next offset plus one (0: nothing seen), all as LEB128 numbers."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping

from schemas.errors import Refused
from schemas.topics import FACTS

Place = tuple[str, int]
"""A fact topic without its prefix, and a partition."""
Offsets = dict[Place, int]
"""The next offset of each place; a place that is absent was never read."""
NAMES = tuple(topic.name for topic in FACTS)
LONGEST = 65_536
"""Characters of a cursor that are read at all."""
MOST_PARTITIONS = 10_000
_VERSION = 1
_LAST_OFFSET = 2**63 - 1


def written(offsets: Mapping[Place, int]) -> str:
    """The cursor of these offsets."""
    out = bytearray((_VERSION,))
    for name in NAMES:
        count = 1 + max((partition for topic, partition in offsets if topic == name), default=-1)
        _put(out, count)
        for partition in range(count):
            _put(out, offsets.get((name, partition), -1) + 1)
    return urlsafe_b64encode(out).rstrip(b"=").decode()


def read(text: str) -> Offsets:
    """The offsets of a cursor.  Refused when it is none."""
    try:
        return _read(text)
    except (ValueError, StopIteration, binascii.Error):
        msg = f"{text[:40]!r} is no cursor: take the `cursor` of an answer or the id of an event, unchanged"
        raise Refused(msg) from None


def _read(text: str) -> Offsets:
    if len(text) > LONGEST:
        raise ValueError
    raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    numbers = _numbers(raw[1:])
    if raw[:1] != bytes((_VERSION,)):
        raise ValueError
    offsets: Offsets = {}
    for name, count in zip(NAMES, numbers, strict=False):
        if count > MOST_PARTITIONS:
            raise ValueError
        for partition in range(count):
            if (after := next(numbers)) > 0:
                offsets[name, partition] = after - 1
    if next(numbers, None) is not None:
        raise ValueError
    return offsets


def _put(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _numbers(raw: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in raw:
        number |= (byte & 0x7F) << shift
        if number > _LAST_OFFSET:
            raise ValueError
        if byte & 0x80:
            shift += 7
        else:
            yield number
            number = shift = 0
    if shift:
        raise ValueError
