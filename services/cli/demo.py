"""`kesher demo`: all of Kesher on this machine, with customers who live faster than we do."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from schemas.errors import Refused
from services.adapters.clock import now
from services.cli.course import Course, Data, Place, Remembered, course, first_day, recall, remember
from services.cli.datasets import DATASETS
from services.cli.house import House, until_signal
from services.cli.player import Player, pace
from services.cli.programme import Language, clock, programme, said, timetable
from services.cli.screen import Screen
from services.cli.up import invite, processes, usable, welcome
from services.settings import Settings, settings
from streams.simulation.spell import RATES

DAY_A_MINUTE = 1_440.0
DAY_A_SECOND = 86_400.0
MEMORY = "demo.json"

app = typer.Typer(add_completion=False)
Accounts = Annotated[int | None, typer.Option(min=1, help="How many customers  [default: 300]")]
Speed = Annotated[
    float | None,
    typer.Option(min=1, max=1e7, help="Simulated seconds a second; 1 lives by the clock on the wall  [default: 1440]"),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Which customers  [default: 1]")]
DataSet = Annotated[Data, typer.Option(help="simulation, or recorded events: cdnow (purchases), ecom (a web shop)")]
DataDir = Annotated[Path | None, typer.Option(help="Where it all lives; delete it to begin anew")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Of the console  [default: 8080]")]
IngestPort = Annotated[int | None, typer.Option(min=1, max=65535, help="For events by HTTP  [default: 8081]")]


@app.command()
def demo(
    *,
    accounts: Accounts = None,
    speed: Speed = None,
    seed: Seed = None,
    data: DataSet = "simulation",
    data_dir: DataDir = None,
    port: Port = None,
    ingest_port: IngestPort = None,
    language: Annotated[Language, typer.Option(help="Of the programme: en or he")] = "en",
) -> None:
    """Run every process and send them customers: two months of history at once, then four stories in ten minutes.

    Ctrl-C stops all; the next start continues the same lives where they were."""
    directory = data_dir or Path(".kesher") / ("demo" if data == "simulation" else f"demo-{data}")
    ports = {name: value for name, value in (("web_port", port), ("ingest_port", ingest_port)) if value}
    fresh = first_memory(data, accounts, seed, speed, datetime.fromtimestamp(now(), UTC))
    remembered = continued(recall(directory / MEMORY), fresh, accounts, seed, speed, directory)
    plan = course(remembered)
    given = settings_of(usable(settings()).model_copy(update=ports), remembered)
    asyncio.run(until_signal(_demo(given, directory, remembered, plan, language)))


def first_memory(data: Data, accounts: int | None, seed: int | None, speed: float | None, at: datetime) -> Remembered:
    """What a new directory holds at `at`."""
    speed = speed or (DAY_A_MINUTE if data == "simulation" else DAY_A_SECOND)
    wall = speed == 1 and data == "simulation"
    start = first_day(at.date(), wall=wall).isoformat()
    return Remembered(data, accounts or 300, 1 if seed is None else seed, start, speed, wall)


def continued(
    before: Remembered | None,
    fresh: Remembered,
    accounts: int | None,
    seed: int | None,
    speed: float | None,
    directory: Path,
) -> Remembered:
    """The lives that are in the directory, else new ones.  Refused when others are asked for than live there."""
    if before is None:
        return fresh
    asked = ((fresh.data, before.data, "data"), (accounts, before.accounts, "accounts"), (seed, before.seed, "seed"))
    for wanted, there, name in asked:
        if wanted not in (None, there):
            raise Refused(f"{directory} holds a demo with --{name} {there}: choose another --data-dir, or delete it")
    if speed is not None and before.wall != fresh.wall:
        clocks = ("their own time", "the clock on the wall")
        raise Refused(f"the customers in {directory} live by {clocks[before.wall]}: choose another --data-dir")
    before.speed = speed or before.speed
    return before


def settings_of(settings: Settings, remembered: Remembered) -> Settings:
    """Event time unless the customers live by the wall clock; the rates of their money unless others are given."""
    own: dict[str, object] = {} if remembered.wall else {"time": "event"}
    if "rates" not in settings.model_fields_set and settings.base_currency == "USD":
        own["rates"] = {currency: Decimal(str(worth)) for currency, worth in RATES.items()}
    if "scorecard" not in settings.model_fields_set and remembered.data != "simulation":
        own["scorecard"] = Path("purchases")  # recorded customers only buy
    return settings.model_copy(update=own)


async def _demo(settings: Settings, directory: Path, lives: Remembered, plan: Course, language: Language) -> None:
    screen = Screen()
    async with House(settings, directory, screen) as house:
        player = Player(house, plan, lives.place, lambda place: _keep(directory / MEMORY, lives, place))
        with screen.busy():
            await house.start()
            remember(directory / MEMORY, lives)
            await house.add(*processes(house.settings))
            await house.ready()
        await welcome(house)
        with screen.busy():  # after `ready`: a scorer that keeps pace meets all topics at the same point of their lives
            await player.history(now() if lives.wall else plan.live)
        began = max(plan.live, lives.place.at if lives.place else plan.live)
        timing = pace(began, lives.speed, wall=lives.wall)
        introduce(screen, plan, lives, timing.now(), language)
        if plan.stories:
            await invite(house)  # once more: above the timetable it is out of sight, or used already
        with screen.busy():
            await player.live(timing, language)
        screen.say("Everything is sent; the console stays until Ctrl-C.", "bold")
        await asyncio.Event().wait()


def introduce(screen: Screen, plan: Course, lives: Remembered, at: float, language: Language) -> None:
    """Who lives here, how fast, and what there is to see from the instant `at` on."""
    about = DATASETS[lives.data].about if lives.data in DATASETS else f"{lives.accounts} simulated customers"
    rate = "by the clock on the wall" if lives.wall else f"{lives.speed:,.0f} times as fast as ours"
    screen.say("")
    screen.say(f"{about}; their time, {rate}, is now {clock(at)}, {datetime.fromtimestamp(at, UTC):%Y}", "bold")
    showings = programme(plan.stories, at)
    if showings:
        screen.console.print(timetable(showings, at, lives.speed, language))
        screen.say("What to watch")
    for story in {story.name: story for story, _ in showings}.values():
        line = Text(f"  {said(story.title, language)}: ", "bold")
        screen.console.print(line.append(said(story.watch, language), "not bold"))
    if plan.stories and not showings:
        screen.say("The four stories have been told; the customers live on. Another --data-dir or --seed begins anew.")
    screen.say("Ctrl-C stops everything; the next start goes on from here.", "dim")


def _keep(file: Path, lives: Remembered, place: Place) -> None:
    lives.place = place
    remember(file, lives)
