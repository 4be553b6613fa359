"""What the lane tells about itself."""

from collections.abc import Mapping


class Meter:
    """Every method may be overridden by one that counts; seconds are wall time."""

    def polled(self, records: int, seconds: float) -> None:
        """A poll of `records` was scored."""

    def decided(self, facts: Mapping[str, int]) -> None:
        """Facts per topic were decided."""

    def rejected(self, records: int) -> None:
        """Records went to the dead letters."""

    def delivered(self, facts: int, seconds: float) -> None:
        """Facts and dead letters were acknowledged."""

    def flushed(self, rows: int, seconds: float) -> None:
        """Rows were stored in the changelog."""

    def swept(self, rows: int, seconds: float) -> None:
        """Rows were judged for silence."""

    def recovered(self, partitions: int, seconds: float) -> None:
        """The changelog of so many partitions was read."""

    def lagging(self, records: int) -> None:
        """So many records are stored but not scored."""
