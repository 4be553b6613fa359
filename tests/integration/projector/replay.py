"""The read model by another way: facts one after the other into dictionaries, with no batches and no SQL."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import FACTS
from services.adapters.postgres import speak_json
from services.settings import Settings

Row = dict[str, Any]
SNAPSHOT = ("name", "plan", "segment", "owner", "mrr", "crm", "stage")
HEALTH = ("band", "score", "previous", "coverage", "measures", "reasons", "missing")


@dataclass
class ReadModel:
    """Tables as rows by their keys."""

    accounts: dict[Any, Row] = field(default_factory=dict)
    health_history: dict[Any, Row] = field(default_factory=dict)
    stage_history: dict[Any, Row] = field(default_factory=dict)
    signals: dict[Any, Row] = field(default_factory=dict)


async def logs(settings: Settings) -> dict[TopicPartition, list[bytes]]:
    """Every fact of every partition, in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    async with consumer:
        places = [TopicPartition(t.full(settings.prefix), n) for t in FACTS for n in range(settings.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        read: dict[TopicPartition, list[bytes]] = {place: [] for place in places}
        while [place for place, end in ends.items() if await consumer.position(place) < end]:
            for place, records in (await consumer.getmany(timeout_ms=100)).items():
                read[place] += [record.value for record in records]
    return read


def replayed(partitions: Iterable[Iterable[bytes]]) -> ReadModel:
    """What Postgres must hold after these logs."""
    model = ReadModel()
    for log in partitions:
        newest = 0
        for value in log:
            try:
                fact = msgspec.json.decode(value or b"")
                generation = fact["generation"]
            except (msgspec.DecodeError, KeyError):
                continue
            if generation >= newest:
                newest = generation
                tell(model, fact)
    for account, row in model.accounts.items():
        mine = [signal for signal in model.signals.values() if signal["account_id"] == account]
        row["open_signals"] = sum(signal["cleared_at"] is None for signal in mine)
    return model


def tell(model: ReadModel, fact: Row) -> None:
    """One fact more."""
    data, account, order = fact["data"], fact["subject"], (fact["generation"], fact["sequence"])
    at = datetime.fromisoformat(fact["time"])
    row = model.accounts.setdefault(account, {"of": (-1, -1), "health_of": (-1, -1), **dict.fromkeys(HEALTH)})
    if order > row["of"]:
        renews = data["account"].get("renews_at")
        row |= {name: data["account"].get(name) for name in SNAPSHOT} | {"of": order, "changed_at": at}
        row["renews_at"] = renews and datetime.fromisoformat(renews).replace(tzinfo=UTC)
    kind = fact["type"].split(".")
    if kind[1] == "health":
        if order > row["health_of"]:
            row |= {name: data[name] for name in HEALTH} | {"health_of": order}
        tell_point(model, fact, at, order)
    elif kind[1] == "lifecycle":
        move = {
            "account_id": account,
            "before": data["from"],
            "after": data["to"],
            "because": data["because"],
            "at": at,
        }
        model.stage_history.setdefault(fact["id"], move)
    else:
        tell_signal(model, fact, at, order)


def tell_point(model: ReadModel, fact: Row, at: datetime, order: tuple[int, int]) -> None:
    """The last of its minute stays."""
    data, minute = fact["data"], at - timedelta(seconds=at.second, microseconds=at.microsecond)
    known = model.health_history.get((fact["subject"], minute))
    if known is None or order > known["of"]:
        names = ("score", "band", "coverage", "reasons")
        point = {name: data[name] for name in names} | {"at": at, "fact_id": fact["id"], "of": order}
        model.health_history[fact["subject"], minute] = point


def tell_signal(model: ReadModel, fact: Row, at: datetime, order: tuple[int, int]) -> None:
    """An episode goes on."""
    data, (_, family, what) = fact["data"], fact["type"].split(".")
    key = (fact["subject"], family, data["kind"], data["episode"])
    first = {
        "account_id": fact["subject"],
        "cause": fact["cause"],
        "raised_at": at,
        "escalated_at": None,
        "of": (-1, -1),
    }
    row = model.signals.setdefault(key, first)
    if order > row["of"]:
        row |= {name: data[name] for name in ("level", "score", "reasons")}
        row |= {"money": data.get("mrr_at_risk", data.get("potential")), "fact_id": fact["id"], "of": order}
        row["cleared_at"] = at if what == "cleared" else None
        row["escalated_at"] = at if what == "escalated" else row["escalated_at"]


async def stored(database: str) -> ReadModel:
    """What Postgres holds, in the same shape."""
    connection = await asyncpg.connect(database)
    await speak_json(connection)
    model = ReadModel()
    for row in await _rows(connection, "accounts"):
        row["health_of"] = (row.pop("health_generation"), row.pop("health_sequence"))
        model.accounts[row.pop("account_id")] = row
    for row in await _rows(connection, "health_history"):
        row.pop("hourly")
        model.health_history[row.pop("account_id"), row.pop("bucket")] = row
    for row in await _rows(connection, "stage_history"):
        model.stage_history[row.pop("fact_id")] = row
    for row in await _rows(connection, "signals"):
        key = (row["account_id"], row.pop("family"), row.pop("kind"), row.pop("episode"))
        model.signals[key] = row
    await connection.close()
    return model


async def _rows(connection: Any, table: str) -> list[Row]:
    rows = [dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")]  # noqa: S608 -- our own table
    for row in rows:
        if "generation" in row:
            row["of"] = (row.pop("generation"), row.pop("sequence"))
    return rows
