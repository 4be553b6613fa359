"""Events of a made-up customer base, by a seed: the same number of the same seed is always the same event."""

import json
from collections.abc import Iterator
from random import Random

from aiokafka import AIOKafkaProducer

from schemas.envelope import spelled

KINDS = ("usage",) * 14 + ("viewed", "ticket", "urgent", "invoice", "failed", "survey", "profile", "meeting")


def event(number: int, *, accounts: int, seed: int, start: float, step: float) -> tuple[str, bytes, bytes]:
    """(topic without prefix, key, value) of the event `number`, at `start + number * step` or a little late."""
    chance = Random(f"{seed}:{number}")
    account = f"account-{chance.randrange(accounts):05d}"
    topic, name, data = _content(chance, number)
    body = {
        "specversion": "1.0",
        "id": f"{seed}-{number}",
        "source": "tests/traffic",
        "type": name,
        "subject": account,
        "time": spelled(start + number * step - chance.choice((0.0, 0.0, 0.0, 5.0, 60.0))),
        "data": data,
    }
    return topic, account.encode(), json.dumps(body).encode()


def events(first: int, last: int, **world: float) -> Iterator[tuple[str, bytes, bytes]]:
    """The events [first, last)."""
    return (event(number, **world) for number in range(first, last))  # type: ignore[arg-type]


async def produce(producer: AIOKafkaProducer, prefix: str, told: Iterator[tuple[str, bytes, bytes]]) -> int:
    """Send and wait for every acknowledgement -> how many."""
    futures = [await producer.send(f"{prefix}.{topic}", value, key=key) for topic, key, value in told]
    for future in futures:
        await future
    return len(futures)


def _content(  # noqa: PLR0911
    chance: Random, number: int
) -> tuple[str, str, dict[str, object]]:
    kind = chance.choice(KINDS)
    if kind in ("usage", "viewed"):
        count = chance.randint(1, 5)
        name = "usage.tracked" if kind == "usage" else "usage.viewed"
        return "usage", f"kesher.{name}", {"name": "opened", "user": f"u{chance.randrange(4)}", "count": count}
    if kind in ("ticket", "urgent"):
        priority = "urgent" if kind == "urgent" else chance.choice(("low", "normal", "high"))
        return "support", "kesher.support.ticket_opened", {"ticket": f"t{number}", "priority": priority}
    if kind == "invoice":
        amount = chance.randint(10, 500)
        return "purchases", "kesher.purchase.invoice_paid", {"amount": amount, "currency": "USD", "mrr": amount}
    if kind == "failed":
        return "purchases", "kesher.purchase.payment_failed", {"reason": "card expired"}
    if kind == "survey":
        answer = {"survey": "nps", "metric": "nps", "score": chance.randint(0, 10), "respondent": f"r{number}"}
        return "feedback", "kesher.feedback.survey_answered", answer
    if kind == "profile":
        return "profiles", "kesher.profile.updated", {"plan": chance.choice(("free", "pro")), "seats_bought": 10}
    return "touchpoints", "kesher.touchpoint.seen", {"kind": "meeting"}
