"""The least that a stream processor in Python does: consume, and produce what concerns it; nothing is kept."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.benchmarks.load import MARK
from tests.benchmarks.stage import Task


async def main(task: Task) -> None:
    """Repeat failed payments on a topic of its own."""
    mark, topic = MARK.encode(), f"{task.prefix}.echo"
    async with (
        AIOKafkaConsumer(*task.topics, bootstrap_servers=task.bootstrap, group_id=f"{task.prefix}-echo") as consumer,
        AIOKafkaProducer(bootstrap_servers=task.bootstrap, acks="all") as producer,
    ):
        for tp in consumer.assignment():
            await consumer.position(tp)
        task.tell(ready=True)
        while True:
            for tp, records in (await consumer.getmany(timeout_ms=1000)).items():
                for record in records:
                    if record.key.startswith(mark):
                        await producer.send(topic, record.value, key=record.key, partition=tp.partition)


if __name__ == "__main__":
    asyncio.run(main(Task.given()))
