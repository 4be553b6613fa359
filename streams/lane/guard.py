"""Offsets hold for one incarnation of a topic: rows that were counted on another one must not be continued."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.errors import StateConflict
from streams.lane.changelog import Ledger
from streams.scoring.columns import Accounts

ADVICE = (
    "if that is meant, run `kesher topics adopt`: the rows stay as they are and the new topic is read from its "
    "beginning; if not, restore the topic"
)


class Verdict(NamedTuple):
    """`conflict`: a sentence when the scorer must not go on; `restart`: the sources to be read from their beginning."""

    conflict: str | None
    restart: list[int]


class Log(NamedTuple):
    """A source's partition on the broker: its first offset, its end, and what the group has committed."""

    first: int
    end: int
    committed: int | None


def judge(ledger: Ledger, topics: Sequence[str], ids: Mapping[str, str], logs: Mapping[int, Log]) -> Verdict:
    """Compare what a changelog partition was counted on with what is there; `topics` are full names by source."""
    accepted = ledger.adopted if ledger.adopted_at > ledger.sources_at else {}
    restart = []
    for source, topic in enumerate(topics):
        if topic not in ids:
            return Verdict(_missing(ledger, topic), [])
        broken = _broken(ledger, source, topic, ids, logs[source])
        if broken is None:
            continue
        if accepted.get(topic) != ids[topic]:
            return Verdict(f"{broken}; {ADVICE}", [])
        restart.append(source)
    return Verdict(None, restart)


def changed(ledgers: Iterable[Ledger], ids: Mapping[str, str]) -> str | None:
    """A sentence when a topic is not the one that is being counted."""
    for ledger in ledgers:
        for topic, known in ledger.sources.items():
            if topic not in ids:
                return _missing(ledger, topic)
            if known != ids[topic]:
                return f"the topic {topic} was deleted and created again; {ADVICE}"
    return None


def _missing(ledger: Ledger, topic: str) -> str:
    if topic not in ledger.sources:
        return f"the topic {topic} does not exist: run `kesher topics`"
    return f"the topic {topic} was deleted, but its events are counted: create it with `kesher topics`; {ADVICE}"


def _broken(ledger: Ledger, source: int, topic: str, ids: Mapping[str, str], log: Log) -> str | None:
    known = ledger.sources.get(topic)
    if known is not None and known != ids[topic]:
        return f"the topic {topic} was deleted and created again: its id was {known} and is {ids[topic]}"
    stored = max(ledger.checkpoint.positions.get(source, 0), log.committed or 0)
    if stored > log.end:
        return (
            f"partition {ledger.number} of {topic} ends at offset {log.end}, "
            f"but its events are counted up to offset {stored}: records were lost or the topic was created again"
        )
    return None


def forget(accounts: Accounts, partition: int, source: int) -> None:
    """Rows of this partition count this source from its first offset again, and leave with the next flush."""
    at = accounts.occupied(0, accounts.size)
    at = at[accounts.rows["partition"][at] == partition]
    rows = accounts.get(at)
    rows["offsets"][:, source] = 0
    accounts.put(at, rows)


def start(log: Log) -> int:
    """Where to read on: the committed offset, or the beginning when there is none or it has expired."""
    return log.first if log.committed is None else max(log.committed, log.first)


def resume(topic: str, partition: int, position: int, log: Log) -> int:
    """Where to read on when what came did not continue at `position`.  Raises StateConflict when the log is another."""
    if position > log.end:
        raise StateConflict(
            f"partition {partition} of {topic} ends at offset {log.end}, but its events are counted up to offset "
            f"{position}: the topic was deleted and created again, or records were lost; {ADVICE}"
        )
    return max(position, log.first)
