"""Log lines on stderr: structlog's and every library's in one form, for people or as JSON.

A line that repeats (aiokafka says 120 times a second that Kafka is away) is told a few times, then counted."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

BURST = 5
"""Equal lines within a span that are written."""
SPAN_SECONDS = 30.0
_CHATTY = ("aiokafka", "faust", "mode", "uvicorn", "alembic", "httpx2", "httpcore2", "asyncio")
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


class Repeats(logging.Filter):
    """Lets a line through unless its like was written `burst` times within the span; tells later how many were not.

    Lines are alike when logger, level and template are; time is the records' own."""

    def __init__(self, burst: int = BURST, span_seconds: float = SPAN_SECONDS) -> None:
        super().__init__()
        self._burst = burst
        self._span = span_seconds
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it; the first line of a new span carries `repeated`, the count of those left out."""
        like = (record.name, record.levelno, str(record.msg)[:80])
        began, count = self._seen.get(like, (record.created, 0))
        if record.created - began > self._span:
            if count > self._burst:
                record.repeated = count - self._burst
            began, count = record.created, 0
        self._seen[like] = (began, count + 1)
        return count < self._burst


def configure(form: Literal["console", "json"], *, process: str, quiet: bool = False) -> None:
    """Once per process.  A quiet one (a command that a person waits for) leaves the libraries' own lines out."""
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    last: tuple[Processor, ...] = (structlog.processors.format_exc_info,) if form == "json" else ()
    handler = logging.StreamHandler()
    handler.addFilter(Repeats())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, renderer],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for library in _CHATTY:
        logging.getLogger(library).setLevel(logging.CRITICAL if quiet else logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
