"""What each topic should look like, and what to do about one that does not: pure, no Kafka here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from schemas.topics import SCORECARDS, Role, Topic

ENOUGH_BROKERS = 3
COMPACTION_LAG = timedelta(hours=1)
"""A row stays readable at least this long after it was replaced, so that a recovery is never overtaken."""
_SEGMENT_BYTES = 100 * 1024 * 1024
"""Of the changelog: only closed segments are compacted, and recovery reads all that is not."""
_RETENTION = "retention.ms"
_LAG = "min.compaction.lag.ms"
_IN_SYNC = "min.insync.replicas"
_POLICY = "cleanup.policy"


@dataclass(frozen=True)
class Shape:
    """Partitions, replicas and settings of a topic, as wanted or as found."""

    partitions: int
    replicas: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Verdict:
    """What differs: `refusals` stop Kesher, `corrections` may be made without loss, `remarks` are for a person.

    Sentences lack their subject, the topic, so that one can be said of many."""

    refusals: tuple[str, ...] = ()
    corrections: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def wanted(topic: Topic, *, partitions: int, retention: timedelta, brokers: int) -> Shape:
    """How the topic is to be on a cluster of this many brokers."""
    settings = {"unclean.leader.election.enable": "false", _IN_SYNC: "2" if brokers >= ENOUGH_BROKERS else "1"}
    if topic.compacted:
        settings |= {_POLICY: "compact"}
    else:
        settings |= {_POLICY: "delete", _RETENTION: _milliseconds(retention)}
    if topic.role is Role.INPUT:
        settings |= {"message.timestamp.type": "LogAppendTime"}
    if topic.role is Role.CHANGELOG:
        settings |= {_LAG: _milliseconds(COMPACTION_LAG), "segment.bytes": str(_SEGMENT_BYTES)}
    return Shape(1 if topic is SCORECARDS else partitions, min(brokers, ENOUGH_BROKERS), settings)


def judge(want: Shape, found: Shape) -> Verdict:
    """Compare a topic with its shape.  Nothing that would lose records is ever corrected."""
    refusals: list[str] = []
    remarks: list[str] = []
    if found.partitions != want.partitions:
        refusals.append(_other_partitions(want.partitions, found.partitions))
    if found.replicas < want.replicas:
        remarks.append(f"only {found.replicas} of {want.replicas} replicas; reassign the partitions")
    corrections: dict[str, str] = {}
    for setting, value in want.settings.items():
        present = found.settings.get(setting, "")
        if present == value or _longer(setting, present, value):
            continue
        if setting == _RETENTION and _shortens(present, value):
            remarks.append(
                f"{setting}={present} is longer than KESHER_RETENTION_DAYS says; lowering it deletes records, so "
                "it was left alone"
            )
        elif setting == _IN_SYNC and int(value) > found.replicas:
            remarks.append(f"too few replicas for {setting}={value}")
        else:
            corrections[setting] = value
            if setting == _POLICY and value == "compact":
                remarks.append("was not compacted: records may be missing already")
    return Verdict(tuple(refusals), corrections, tuple(remarks))


def _other_partitions(want: int, found: int) -> str:
    return (
        f"{found} partitions are there and {want} are wanted. Another count would move accounts away from their rows: "
        f"set KESHER_PARTITIONS={found}, or begin anew with another KESHER_PREFIX."
    )


def _longer(setting: str, present: str, value: str) -> bool:
    """A compaction lag above the least is nobody's mistake."""
    return setting == _LAG and present.isdigit() and int(present) >= int(value)


def _shortens(present: str, value: str) -> bool:
    """-1 means for ever."""
    return present == "-1" or (present.isdigit() and int(value) < int(present))


def _milliseconds(span: timedelta) -> str:
    return str(span // timedelta(milliseconds=1))
