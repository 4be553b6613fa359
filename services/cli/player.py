"""Plays a course into Kafka: the history at once, then each record when its time has come."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from aiokafka.errors import KafkaError
from rich.text import Text

from services.adapters.clock import monotonic, now
from services.cli.course import Course, Place
from services.cli.house import House
from services.cli.programme import Language, Showing, clock, due, programme, said
from services.cli.sender import Sender

TICK_SECONDS = 0.05
GLANCE_SECONDS = 0.5
KEEP_SECONDS = 1.0
AGAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Pace:
    """Their time: `began` (epoch seconds) at `since` of our clock, and from there on `speed` times as fast."""

    began: float
    since: float
    speed: float
    ours: Callable[[], float]

    def now(self) -> float:
        """Epoch seconds of the simulated customers."""
        return self.began + (self.ours() - self.since) * self.speed


def pace(began: float, speed: float, *, wall: bool) -> Pace:
    """From now on; customers who live by the wall clock are where it is."""
    return Pace(now(), now(), 1.0, now) if wall else Pace(began, monotonic(), speed, monotonic)


class Player:
    """`house` must be started; `keep` is told the place now and then, and at the end."""

    def __init__(self, house: House, course: Course, place: Place | None, keep: Callable[[Place], None]) -> None:
        self.place = place
        self._house = house
        self._course = course
        self._keep = keep
        self._kept_at = float("-inf")

    async def history(self, until: float) -> None:
        """Send what happened before `until`, as fast as Kafka takes it."""

        async def play(sender: Sender) -> None:
            for record in self._course.after(self.place):
                if record[0] >= until:
                    return
                if await sender.send(record):
                    self._house.screen.doing(f"sending history: {clock(record[0])}, {sender.sent:,} events")

        await self._persist(play)

    async def live(self, pace: Pace, language: Language) -> None:
        """Send each record when its time comes, and announce the stories' moments."""
        showings = programme(self._course.stories, pace.now())

        async def play(sender: Sender) -> None:
            for record in self._course.after(self.place):
                while (wait := record[0] - pace.now()) > 0:
                    await sender.settle()
                    self._show(showings, pace, sender.sent, language)
                    await asyncio.sleep(min(max(wait / pace.speed, TICK_SECONDS), GLANCE_SECONDS))
                await sender.send(record)

        await self._persist(play)

    async def _persist(self, play: Callable[[Sender], Awaitable[None]]) -> None:
        """Play to the end; while Kafka is away, begin again from the last place it has."""
        while True:
            try:
                async with Sender(self._house.settings, self.place, self._arrived) as sender:
                    await play(sender)
            except KafkaError as error:
                self._house.screen.say(f"Kafka does not take events ({error!r}); trying again", "yellow")
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return
            finally:
                self._remember()

    def _arrived(self, place: Place) -> None:
        self.place = place
        if monotonic() - self._kept_at > KEEP_SECONDS:
            self._remember()

    def _remember(self) -> None:
        self._kept_at = monotonic()
        if self.place is not None:
            self._keep(self.place)

    def _show(self, showings: list[Showing], pace: Pace, sent: int, language: Language) -> None:
        self._house.screen.doing(f"living: {clock(pace.now())} UTC, {sent:,} events")
        for story, moment in due(showings, pace.now()):
            line = Text(f"{clock(moment.at)}  {said(story.title, language)}: ", "bold")
            line.append(f"{moment.name}: {said(moment.told, language)}  ", "not bold")
            line.append(f"{self._house.settings.console_url}/?account={quote(moment.account)}", "not bold dim")
            self._house.screen.console.print(line, soft_wrap=True)
