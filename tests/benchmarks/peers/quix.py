"""Quix Streams: a stateful count of events per account; RocksDB and changelog on, every setting as it comes."""

from time import perf_counter, process_time
from typing import Any

from quixstreams import Application, State

from tests.benchmarks.stage import Task


class Counting:
    """The count, and when the first event came."""

    def __init__(self) -> None:
        self.done, self.wall, self.cpu = 0, 0.0, 0.0

    def __call__(self, event: dict[str, Any], state: State) -> None:
        """One more event of this key."""
        if not self.done:
            self.wall, self.cpu = perf_counter(), process_time()
        self.done += 1
        state.set("n", state.get("n", 0) + 1)


def main(task: Task) -> None:
    app = Application(
        broker_address=task.bootstrap,
        consumer_group=f"{task.prefix}-quix",
        auto_offset_reset="earliest",
        state_dir=f"{task.directory}/quix",
        loglevel="WARNING",
    )
    counting = Counting()
    frames = [app.dataframe(app.topic(name, value_deserializer="json")) for name in task.topics]
    for frame in frames:
        frame.update(counting, stateful=True)
    app.run(count=task.events)
    task.tell(events=counting.done, wall=perf_counter() - counting.wall, cpu=process_time() - counting.cpu)


if __name__ == "__main__":
    main(Task.given())
