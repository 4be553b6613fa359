"""A line that repeats is told a few times, then counted."""

import logging

from services.adapters.logs import Repeats


def test_a_flood_of_like_lines_is_cut_and_counted_afterwards() -> None:
    repeats = Repeats(burst=2, span_seconds=10)

    written = [repeats.filter(line(at)) for at in (0, 1, 2, 3)]
    later = line(11)

    assert written == [True, True, False, False]
    assert repeats.filter(later)
    assert later.__dict__["repeated"] == 2


def test_lines_of_another_logger_level_or_template_are_not_held_back() -> None:
    repeats = Repeats(burst=1)

    assert repeats.filter(line(0))
    assert repeats.filter(line(0, name="other"))
    assert repeats.filter(line(0, level=logging.ERROR))
    assert repeats.filter(line(0, message="Heartbeat failed: %s"))
    assert not repeats.filter(line(0))


def test_a_rare_line_is_never_held_back() -> None:
    repeats = Repeats(burst=1, span_seconds=10)

    assert all(repeats.filter(line(at)) for at in range(0, 100, 11))


def line(
    at: float, name: str = "aiokafka", level: int = logging.WARNING, message: str = "Unable connect"
) -> logging.LogRecord:
    record = logging.LogRecord(name, level, __file__, 1, message, ("node 1",), None)
    record.created = at
    return record
