"""Traffic as it happens: events at a steady rate, stamped as they are sent; some are payments that fail, each of an
account of its own, so that each makes one churn-risk fact."""

import sys
from collections.abc import Iterator
from time import monotonic, sleep, time

from confluent_kafka import Producer

from schemas.envelope import spelled
from tests.benchmarks.stage import Task
from tests.benchmarks.traffic import TOPICS, Message, Span, accounts, events

TICK = 0.005
TRIGGERS = 50
"""Failing payments a second."""
MARK = "pay"
POOL = 100_000
FAILED = (
    b'{"specversion":"1.0","id":"%b","source":"app.example/web","type":"kesher.purchase.payment_failed","subject":"%b",'
    b'"time":"%b","datacontenttype":"application/json","data":{"amount":49.50,"currency":"USD","reason":"card_declined"}}'
)


class Pool:
    """Made-up events without id and time, over and over."""

    def __init__(self, known: int, seed: int) -> None:
        self.places: list[tuple[str, int, bytes, bytes, bytes]] = []
        for chunk in events(accounts(known), POOL, Span(time(), time()), seed):
            self.places += map(_cut, chunk)
        self._sent = 0

    def next(self, count: int, moment: bytes) -> Iterator[tuple[str, int, bytes, bytes]]:
        """(topic without prefix, partition, key, value) of so many events that happen now."""
        for _ in range(count):
            topic, partition, key, kind, data = self.places[self._sent % POOL]
            self._sent += 1
            yield (
                topic,
                partition,
                key,
                b"".join((b'{"specversion":"1.0","id":"l', b"%d" % self._sent, kind, moment, data)),
            )


def _cut(message: Message) -> tuple[str, int, bytes, bytes, bytes]:
    _, _, rest = message.value.partition(b'"id":"')
    rest = rest[rest.index(b'"') :]
    kind, time_, rest = rest.partition(b'"time":"')
    return TOPICS[message.topic].name, message.partition, message.key, kind + time_, rest[rest.index(b'"') :]


def main(task: Task, rate: float, seconds: float, seed: int) -> None:
    """`rate` events a second for so long."""
    names = {topic.name: topic.full(task.prefix) for topic in TOPICS}
    pool = Pool(task.known, seed)
    number = int(seconds * TRIGGERS)
    fresh = accounts(number, f"{MARK}{seed}")
    producer = Producer({"bootstrap.servers": task.bootstrap, "enable.idempotence": True})
    task.tell(ready=True)
    began, sent, failed = monotonic(), 0, 0
    while (now := monotonic() - began) < seconds:
        moment = spelled(time()).encode()
        for topic, partition, key, value in pool.next(int(now * rate) - sent, moment):
            producer.produce(names[topic], key=key, value=value, partition=partition)
        sent = int(now * rate)
        while failed < min(int(now * TRIGGERS), number):
            key = fresh.keys[failed]
            value = FAILED % (key, key, spelled(time()).encode())
            producer.produce(names["purchases"], key=key, value=value, partition=fresh.partitions[failed])
            failed += 1
        producer.poll(0)
        sleep(max(TICK - (monotonic() - began - now), 0))
    producer.flush(30)


if __name__ == "__main__":
    main(Task.given(), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
