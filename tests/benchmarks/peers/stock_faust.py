"""Stock Faust: an agent and a Table that counts events per account; changelog on, every setting as it comes."""

import logging
import os
import sys
from time import perf_counter, process_time
from typing import Any

import faust

from tests.benchmarks.stage import Task
from tests.benchmarks.traffic import PARTITIONS


class Event(faust.Record, serializer="json", validation=False):
    """What a counter needs of an event."""

    subject: str
    type: str = ""
    id: str = ""


def build(task: Task) -> faust.App:
    """The app; it ends its process after the last event."""
    app = faust.App(
        f"{task.prefix}-stock",
        broker=f"kafka://{task.bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_partitions=PARTITIONS,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        datadir=task.directory,
    )
    counts: Any = app.Table("counts", default=int, partitions=PARTITIONS)
    done, began, cpu = 0, 0.0, 0.0

    @app.agent(app.topic(*task.topics, key_type=bytes, value_type=Event, partitions=PARTITIONS))
    async def count(stream: Any) -> None:
        nonlocal done, began, cpu
        async for event in stream.events():
            if not done:
                began, cpu = perf_counter(), process_time()
            counts[event.value.subject] += 1
            done += 1
            if done == task.events:
                await app.producer.flush()
                await app.consumer.commit()
                task.tell(events=done, wall=perf_counter() - began, cpu=process_time() - cpu)
                os._exit(0)

    return app


if __name__ == "__main__":
    task = Task.given()
    logging.basicConfig(level=logging.WARNING)
    sys.argv = [sys.argv[0], "worker", "-l", "warn", "--without-web"]
    build(task).main()
