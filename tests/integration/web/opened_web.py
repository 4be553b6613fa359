"""The web app served over real HTTP, with keys that open it, and a reader of its stream."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from services.adapters import clock
from services.adapters.postgres import open_pool
from services.settings import Settings
from services.web.access import create_key
from services.web.app import build
from services.web.run import server

SECONDS = 60.0
ANY_NUMBER = httpx2.Limits(max_connections=None)


@dataclass
class OpenWeb:
    """A running web process: its client (with a read key), its address, its app."""

    http: httpx2.AsyncClient
    url: str
    app: FastAPI
    settings: Settings
    pool: "asyncpg.Pool[Any]"
    key: str

    def stranger(self, **headers: str) -> httpx2.AsyncClient:
        """A client without a key."""
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=SECONDS)

    @property
    def feed(self) -> Any:
        return self.app.state.parts.feed


@dataclass
class Heard:
    """One server-sent event; `data` is decoded JSON."""

    event: str
    id: str
    data: Any


@contextlib.asynccontextmanager
async def opened(settings: Settings, **more: Any) -> AsyncIterator[OpenWeb]:
    """The web on a port of its own, until the end of the block."""
    pool = await open_pool(settings.database_url, 10)
    app = build(pool, settings, **more)
    door = server(app, settings.model_copy(update={"web_port": 0}))
    serving = asyncio.create_task(door.serve())
    while not door.started and not serving.done():
        await asyncio.sleep(0.01)  # uvicorn cannot call
    url = f"http://127.0.0.1:{door.servers[0].sockets[0].getsockname()[1]}"
    key = await create_key(pool, "reader", "read", clock.now())
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=SECONDS, limits=ANY_NUMBER) as http:
            yield OpenWeb(http, url, app, settings, pool, key)
    finally:
        door.should_exit = True
        await serving
        await pool.close()


async def until_ready(web: OpenWeb) -> None:
    """Wait until /readyz says yes."""
    deadline = clock.monotonic() + SECONDS
    while (answer := await web.http.get("/readyz")).status_code != 200:
        assert clock.monotonic() < deadline, answer.text
        await asyncio.sleep(0.05)  # polling a process


@contextlib.asynccontextmanager
async def listening(web: OpenWeb, **asked: Any) -> AsyncIterator[AsyncGenerator[Heard]]:
    """A stream; `last` is sent as Last-Event-ID, the rest as parameters.  Ids without data are heard as event ""."""
    last = asked.pop("last", None)
    headers = {"Last-Event-ID": last} if last else {}
    async with web.http.stream("GET", "/api/stream", params=asked, headers=headers, timeout=SECONDS) as answer:
        assert answer.status_code == 200, await answer.aread()
        async with contextlib.aclosing(_events(answer)) as events:
            yield events


async def _events(answer: httpx2.Response) -> AsyncGenerator[Heard]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            yield Heard(fields.get("event", ""), fields.get("id", ""), json.loads(fields.get("data", "null")))
            fields = {}


async def take(events: AsyncGenerator[Heard], count: int) -> list[Heard]:
    """The next `count` events that carry data."""
    heard: list[Heard] = []
    async with asyncio.timeout(SECONDS):
        while len(heard) < count:
            one = await anext(events)
            if one.event:
                heard.append(one)
    return heard
