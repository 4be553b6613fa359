"""A worker leaves when nothing moves though it could."""

import pytest

from streams.lane.liveness import Liveness


def stuck(lag: int | None, *, held: bool = False, progress: int = 0) -> str | None:
    liveness = Liveness()
    liveness.observe(0.0, 7, lag, held=held)
    liveness.observe(30.0, 7, lag, held=held)
    return liveness.observe(61.0, 7 + progress, lag, held=held)


def test_a_minute_without_progress_while_records_wait_is_enough() -> None:
    assert "12 are waiting" in (stuck(12) or "")


@pytest.mark.parametrize(
    ("lag", "held", "progress"),
    [(0, False, 0), (None, False, 0), (12, True, 0), (12, False, 1)],
    ids=["nothing waits", "the brokers are away", "an output waits for its acknowledgement", "something moved"],
)
def test_patience_is_endless_when(lag: int | None, held: bool, progress: int) -> None:  # noqa: FBT001
    assert stuck(lag, held=held, progress=progress) is None
