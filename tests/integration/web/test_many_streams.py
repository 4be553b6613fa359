"""Two hundred pages at once, and one that does not listen."""

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit

from services.settings import Settings
from tests.facts import health_changed
from tests.integration.projector.projecting import tell
from tests.integration.web.opened_web import OpenWeb, listening, opened, take, until_ready

PAGES = 200
FACTS = 50


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
    padding = "x" * 20_000
    async with opened(settings.model_copy(update={"stream_kept": 100})) as web:
        await until_ready(web)
        with contextlib.closing(socket.create_connection(_address(web), timeout=20)) as deaf:
            request = f"GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {web.key}\r\n\r\n"
            await asyncio.to_thread(deaf.sendall, request.encode())
            while web.feed.clients < 1:
                await asyncio.sleep(0.01)
            heard = []
            for part in range(60):
                facts = [health_changed("a", part * 20 + number) for number in range(20)]
                for fact in facts:
                    fact.scorecard = fact.data.account.name = padding  # type: ignore[union-attr]
                async with listening(web) as events:
                    await anext(events)
                    await anext(events)
                    await tell(settings, facts)
                    heard += await take(events, 20)
            assert [one.data["sequence"] for one in heard] == list(range(1200))
            said = await asyncio.to_thread(_rest, deaf)
    assert b"event: reset" in said
    assert b'"why":"slow"' in said
    assert len(said) < 1200 * len(padding)


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
