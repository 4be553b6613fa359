"""What a long-running verb shows: lines that stay, and one line that says what is being done just now."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Screen:
    """A terminal with one moving line; without a terminal each new activity becomes a plain line."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._status: Status | None = None
        self._last = ""

    def say(self, line: str, style: str = "") -> None:
        """A line that stays."""
        self.console.print(Text(line, style), soft_wrap=True)

    def doing(self, activity: str) -> None:
        """What is being done now; the part after a colon is detail that only a terminal shows."""
        if self._status is not None:
            self._status.update(Text(f"{activity} …"))
        elif (headline := activity.partition(":")[0]) != self._last:
            self._last = headline
            self.say(f"{headline} …")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While inside, the moving line is alive."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status("") as self._status:
            yield
        self._status = None
