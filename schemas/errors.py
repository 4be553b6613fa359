"""Every error Kesher raises on purpose, as one tree.

KesherError
├─ InvalidEvent          unreadable: dead-letter or reject it, its neighbours go on
│  └─ TooLarge           more bytes than are taken
├─ Misplaced             right record, wrong partition: stop that partition
├─ RetryLater(wait)      try again after `wait`
├─ Refused               never: this cannot work as asked
│  └─ InvalidScorecard   a scorecard that cannot be used, with line and column
└─ StateConflict         the stored state and the log disagree: stop, a person decides
   └─ Superseded         another worker owns this partition now
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class KesherError(Exception):
    """Root of the tree; its text is a sentence a person can act on."""


class InvalidEvent(KesherError):
    """An event that breaks a rule of the border."""


class TooLarge(InvalidEvent):
    """An event or a request with more bytes than are taken."""


class Misplaced(KesherError):
    """A record in a partition that its key does not belong to."""


class RetryLater(KesherError):
    """A passing fault: try again after `wait`."""

    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait


class Refused(KesherError):
    """What was asked for cannot be done, now or later."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file; line and column count from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class InvalidScorecard(Refused):
    """A scorecard that cannot be used, with every problem found in it; `file` is where it was read, if in a file."""

    def __init__(self, problems: Sequence[Problem], file: str = "") -> None:
        super().__init__("\n".join(f"{file}, {problem}" if file else str(problem) for problem in problems))
        self.problems = tuple(problems)


class StateConflict(KesherError):
    """Stored state and the log disagree; going on would count wrongly."""


class Superseded(StateConflict):
    """Another worker or projector has taken over."""
