"""Two hundred pages at once, and one that does not listen."""

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit

from services.settings import Settings
from tests.facts import account, health_changed
from tests.integration.projector.projecting import tell
from tests.integration.web.opened_web import OpenWeb, listening, opened, take, until_ready

PAGES = 200
FACTS = 50
TOLD = 600
LONG = 40_000


async def test_two_hundred_pages_hear_every_change_in_order(web: OpenWeb, settings: Settings) -> None:
    opened_pages = asyncio.Semaphore(0)

    async def page() -> list[int]:
        async with listening(web) as events:
            await anext(events)
            await anext(events)
            opened_pages.release()
            return [one.data["sequence"] for one in await take(events, FACTS)]

    async with asyncio.TaskGroup() as group:
        pages = [group.create_task(page()) for _ in range(PAGES)]
        for _ in range(PAGES):
            await opened_pages.acquire()
        assert web.feed.clients == PAGES
        await tell(settings, [health_changed("a", number) for number in range(FACTS)])
    assert [one.result() for one in pages] == [list(range(FACTS))] * PAGES


async def test_a_page_that_does_not_listen_is_reset_and_holds_up_nobody(settings: Settings) -> None:
    """It takes what the sockets hold, then falls behind the ring; listening again, it hears `reset` and the end."""
    long = account(name="x" * LONG)
    async with opened(settings.model_copy(update={"stream_kept": 100})) as web:
        await until_ready(web)
        with contextlib.closing(socket.create_connection(_address(web), timeout=60)) as deaf:
            request = f"GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {web.key}\r\n\r\n"
            await asyncio.to_thread(deaf.sendall, request.encode())
            while web.feed.clients < 1:
                await asyncio.sleep(0.01)
            heard = []
            async with listening(web) as events:
                await anext(events)
                await anext(events)
                for part in range(TOLD // 20):
                    numbers = range(part * 20, part * 20 + 20)
                    await tell(settings, [health_changed("a", number, snapshot=long) for number in numbers])
                    heard += await take(events, 20)
            assert [one.data["sequence"] for one in heard] == list(range(TOLD))
            said = await asyncio.to_thread(_rest, deaf)
    assert b"event: reset" in said
    assert b'"why":"slow"' in said
    assert len(said) < TOLD * LONG


def _address(web: OpenWeb) -> tuple[str, int]:
    parts = urlsplit(web.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def _rest(deaf: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"0\r\n\r\n") and (more := deaf.recv(1 << 20)):
        said += more
    return said
