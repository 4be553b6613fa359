"""What the lane asks of a scoring engine."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Slice(NamedTuple):
    """Records of one source and partition; `source` is the position in schemas.topics.SOURCES."""

    source: int
    partition: int
    records: Sequence[Any]


class Accounts(Protocol):
    """The rows of all owned partitions as one table."""

    size: int
    generation: dict[int, int]

    def apply(
        self, partition: int, keys: Sequence[bytes], values: Sequence[bytes | None], floor: int
    ) -> Sequence[bool]: ...
    def learn(self, key: bytes, value: bytes) -> None: ...
    def layout_record(self) -> tuple[bytes, bytes]: ...
    def take_dirty(self) -> dict[int, list[tuple[bytes, bytes]]]: ...
    def mark_dirty(self, partition: int, keys: Sequence[bytes]) -> None: ...
    def discard(self, partition: int) -> None: ...
    def restart(self, partition: int, source: int) -> None: ...
    def count(self, partition: int) -> int: ...


class Engine(Protocol):
    """Folds records into rows and decides facts; knows no clock and no Kafka."""

    @property
    def accounts(self) -> Any: ...
    def read(self, slices: Sequence[Any]) -> Any: ...
    def absorb(self, batch: Any, cause: Any) -> Sequence[Any]: ...
    def sweep(self, now: float, start: int, stop: int, cause: Any = ...) -> Sequence[Any]: ...
