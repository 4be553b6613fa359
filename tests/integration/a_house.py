"""`a_house.py DIRECTORY PORT`: a house with an ingest door, for a test that kills it."""

import asyncio
import sys
from pathlib import Path

from services.cli.house import House
from services.cli.resident import Process
from services.cli.screen import Screen
from services.settings import Settings


async def live(directory: Path, port: int) -> None:
    """Until killed."""
    async with House(Settings(ingest_port=port, partitions=2), directory, Screen(), heap="256m") as house:
        await house.start()
        await house.add(Process("ingest", ("ingest",), port))
        await house.ready()
        house.screen.say("ready")
        await asyncio.Event().wait()


asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
