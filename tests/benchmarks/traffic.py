# ruff: noqa: UP031 (the fastest way to text, a million times)
"""Traffic of a made-up customer base, fast: 94 % usage, the rest purchases, support and feedback; about 245 bytes each.

The same seed gives the same events.  An account's people, plan and tempers follow from its number."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from schemas.topics import FEEDBACK, PURCHASES, SUPPORT, USAGE
from streams.scoring.hashes import partitions_of

TOPICS = (USAGE, PURCHASES, SUPPORT, FEEDBACK)
SHARES = (0.94, 0.97, 0.99, 1.0)
"""Cumulative, in the order of TOPICS."""
PARTITIONS = 4
LATENESS = 3.0
"""Events come up to so many seconds out of order."""
CHUNK = 20_000
FEATURES = ("reports", "export", "api_call", "admin", "home", "search", "share", "print")
PRIORITIES = ("low", "normal", "normal", "high")
BODY = (
    '{"specversion":"1.0","id":"%s-%09d","source":"app.example/web","type":"kesher.%s","subject":"%s",'
    '"time":"%sZ","datacontenttype":"application/json","data":{%s}}'
)
"""`time` to the millisecond."""


class Message(NamedTuple):
    """One record to be produced; `topic` is a position in TOPICS."""

    topic: int
    partition: int
    key: bytes
    value: bytes


class Accounts(NamedTuple):
    """Account ids, their keys and the partitions they belong to."""

    names: list[str]
    keys: list[bytes]
    partitions: list[int]


def accounts(number: int, name: str = "acct") -> Accounts:
    """So many account ids."""
    names = [f"{name}-{i:07d}" for i in range(number)]
    keys = [name.encode() for name in names]
    return Accounts(names, keys, partitions_of(keys, PARTITIONS).tolist())


@dataclass(frozen=True)
class Span:
    """Events at an even pace from `start` to `stop` (epoch seconds)."""

    start: float
    stop: float


def events(of: Accounts, number: int, span: Span, seed: int) -> Iterator[list[Message]]:
    """So many events, in chunks."""
    rng = np.random.default_rng(seed)
    for first in range(0, number, CHUNK):
        count = min(CHUNK, number - first)
        at = span.start + (first + np.arange(count)) / number * (span.stop - span.start)
        yield _chunk(of, rng, at - rng.random(count) * LATENESS, f"e{seed}", first)


def _chunk(of: Accounts, rng: np.random.Generator, at: np.ndarray, mark: str, first: int) -> list[Message]:
    count = len(at)
    topics = np.searchsorted(SHARES, rng.random(count), side="right").tolist()
    who = rng.integers(0, len(of.names), count).tolist()
    dice = rng.random((count, 2)).tolist()
    times = np.datetime_as_string((at * 1000).astype("datetime64[ms]")).tolist()
    out = []
    for i in range(count):
        topic, account = topics[i], who[i]
        kind, data = MAKERS[topic](account, dice[i][0], dice[i][1])
        value = BODY % (mark, first + i, kind, of.names[account], times[i], data)
        out.append(Message(topic, of.partitions[account], of.keys[account], value.encode()))
    return out


def _usage(account: int, one: float, two: float) -> tuple[str, str]:
    user = int(two * (2 + account % 9))
    if one < 0.8:
        return "usage.tracked", '"name":"%s","user":"u%d-%d","count":%d' % (
            FEATURES[int(one * 10)],
            account,
            user,
            1 + two * 4,
        )
    return "usage.viewed", '"name":"/settings/%d","user":"u%d-%d","count":1' % (one * 100, account, user)


def _purchase(account: int, one: float, two: float) -> tuple[str, str]:
    if one < 0.75:
        return "purchase.invoice_paid", '"amount":%d.50,"currency":"USD","mrr":%d' % (
            20 + two * 900,
            20 + account % 900,
        )
    if one < 0.8:
        return "purchase.payment_failed", '"amount":%d.50,"currency":"USD","reason":"card_declined"' % (20 + two * 900)
    plan = ("starter", "team", "business")[account % 3]
    return "purchase.subscription_changed", '"plan":"%s","seats":%d,"mrr":%d' % (
        plan,
        5 + account % 40,
        20 + account % 900,
    )


def _support(account: int, one: float, two: float) -> tuple[str, str]:
    ticket = f"t{account}-{int(two * 50)}"
    if one < 0.6:
        priority = PRIORITIES[int(two * 4)]
        return "support.ticket_opened", f'"ticket":"{ticket}","priority":"{priority}","channel":"chat"'
    return "support.ticket_resolved", f'"ticket":"{ticket}"'


def _feedback(account: int, one: float, two: float) -> tuple[str, str]:
    score = min(10, int(4 + account % 4 + one * 4))
    return "feedback.survey_answered", '"survey":"q","metric":"nps","score":%d,"respondent":"u%d-%d"' % (
        score,
        account,
        two * 6,
    )


MAKERS = (_usage, _purchase, _support, _feedback)
