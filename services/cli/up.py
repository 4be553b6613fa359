"""`kesher up`: all of Kesher on this machine."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from services.adapters.clock import now
from services.adapters.postgres import open_pool
from services.cli.house import House, until_signal
from services.cli.resident import Process
from services.cli.screen import Screen
from services.scorer.scorecard import chosen
from services.settings import Settings, settings
from services.web.access import LINK, add_user, create_login_link, list_users

OPERATOR = "operator@localhost"
"""Who the printed link logs in."""

app = typer.Typer(add_completion=False)
DataDir = Annotated[Path, typer.Option(help="Where brokers, data and logs live; it may be deleted to begin anew")]


@app.command()
def up(data_dir: DataDir = Path(".kesher")) -> None:
    """Run every process, with embedded Kafka and Postgres unless their addresses are set; Ctrl-C stops all."""
    asyncio.run(until_signal(_up(usable(settings()), data_dir, Screen())))


def usable(settings: Settings) -> Settings:
    """The same.  Refused before anything is started when their scorecard cannot be used."""
    if settings.scorecard is not None:
        chosen(settings)
    return settings


def processes(settings: Settings) -> tuple[Process, ...]:
    """Every process of Kesher, in the order that events pass them."""
    return (
        Process("ingest", ("ingest",), settings.ingest_port),
        Process("scorer", ("scorer",), settings.scorer_metrics_port),
        Process("projector", ("projector",), settings.projector_metrics_port),
        Process("web", ("web",), settings.web_port),
    )


async def _up(settings: Settings, directory: Path, screen: Screen) -> None:
    async with House(settings, directory, screen) as house:
        with screen.busy():
            await house.start()
            await house.add(*processes(house.settings))
            await house.ready()
        await welcome(house)
        screen.say("Ctrl-C stops everything; the data stays.", "dim")
        await asyncio.Event().wait()


async def welcome(house: House) -> None:
    """Say where the doors are, with a login link that works once."""
    settings, say = house.settings, house.screen.say
    await invite(house)
    say(f"Events    http://{settings.bind}:{settings.ingest_port}/v1/batch, or straight into Kafka")
    say(f"Kafka     {settings.kafka_bootstrap_servers}")
    say(f"Logs      {house.directory / 'logs'}")
    say(f"Commands  . {house.environment_file}; kesher keys --help", "dim")


async def invite(house: House) -> None:
    """Say where the console is, with a new login link."""
    say, minutes = house.screen.say, LINK // timedelta(minutes=1)
    say(f"Console   {await _login_link(house.settings)}", "bold green")
    say(f"          works once, within {minutes} minutes; later: kesher users login-link {OPERATOR}")


async def _login_link(settings: Settings) -> str:
    pool = await open_pool(settings.database_url, size=1)
    try:
        if not any(one["email"] == OPERATOR for one in await list_users(pool)):
            await add_user(pool, OPERATOR, now(), name="Operator", role="admin")
        return await create_login_link(pool, OPERATOR, settings.console_url, now())
    finally:
        await pool.close()
