"""Who gets in, and who does not."""

import asyncio
import re
from collections.abc import Iterator

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from schemas.errors import Refused
from services.adapters import clock
from services.settings import Settings
from services.web import access
from services.web.access import add_user, create_key, create_login_link, revoke_key
from services.web.guard import COOKIE, LOCAL, OPEN
from services.web.throttle import FAILURES
from tests.integration.web.opened_web import OpenWeb, opened, until_ready

THROUGH_A_PROXY = {"X-Forwarded-For": "203.0.113.9"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def paths(web: OpenWeb) -> Iterator[str]:
    """Every path that the app serves, its parameters filled in, and two that it does not."""
    for route in iter_route_contexts(web.app.routes):
        yield re.sub(r"\{[^}]*\}", "x", route.path)
    yield from ("/nothing/here", "/api/nothing")


async def test_nothing_is_served_without_a_key_or_a_session(web: OpenWeb) -> None:
    asked = set(paths(web))
    assert {"/api/accounts", "/api/accounts/x", "/api/signals", "/api/portfolio", "/api/stream", "/"} <= asked
    async with web.stranger(**THROUGH_A_PROXY) as stranger:
        for path in asked:
            if path in OPEN or path.startswith("/login/"):
                continue
            for method in METHODS:
                answer = await stranger.request(method, path)
                assert answer.status_code == 401, (method, path)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("given", ["Bearer kes_wrong", "Bearer", "Basic a2V5Og==", "kes_wrong", "Bearer \u00e9"])
async def test_a_key_that_does_not_exist_opens_nothing(web: OpenWeb, given: str) -> None:
    async with web.stranger() as stranger:
        answer = await stranger.get("/api/accounts", headers=[(b"authorization", given.encode("latin-1"))])
    assert answer.status_code == 401
    assert "kesher keys create" in answer.json()["detail"]


async def test_a_write_key_opens_the_ingest_door_only_and_an_admin_key_everything(web: OpenWeb) -> None:
    for scope, status in (("write", 403), ("admin", 200), ("read", 200)):
        key = await create_key(web.pool, scope, scope, clock.now())
        async with web.stranger(Authorization=f"Bearer {key}") as client:
            assert (await client.get("/api/accounts")).status_code == status


async def test_a_revoked_key_opens_nothing_where_it_was_not_known(web: OpenWeb, settings: Settings) -> None:
    key = await create_key(web.pool, "old", "read", clock.now())
    assert await revoke_key(web.pool, key[:12], clock.now()) == "old"
    with pytest.raises(Refused, match="no live key"):
        await revoke_key(web.pool, key[:12], clock.now())
    async with web.stranger(Authorization=f"Bearer {key}") as client:
        assert (await client.get("/api/accounts")).status_code == 401


async def test_secrets_are_stored_as_hashes_only(web: OpenWeb) -> None:
    await add_user(web.pool, "dana@example.com", clock.now())
    link = await create_login_link(web.pool, "dana@example.com", web.url, clock.now())
    async with web.stranger() as client:
        answer = await client.post(link)
    secrets = (web.key, link.rpartition("/")[2], answer.cookies[COOKIE])
    for table in ("api_keys", "login_links", "sessions", "users"):
        stored = str([tuple(row) for row in await web.pool.fetch(f"SELECT * FROM {table}")])  # noqa: S608 -- four words
        assert stored != "[]"
        assert not any(secret in stored for secret in secrets)


async def test_probes_and_metrics_are_open_on_this_machine_and_elsewhere_with_a_key(web: OpenWeb) -> None:
    async with web.stranger() as near, web.stranger(**THROUGH_A_PROXY) as far:
        assert (await far.get("/healthz")).status_code == 200
        for path in LOCAL:
            assert (await near.get(path)).status_code == 200
            assert (await far.get(path)).status_code == 401
            assert (await web.http.get(path, headers=THROUGH_A_PROXY)).status_code == 200
        assert (await far.get("/healthz/../metrics")).status_code == 401


async def test_a_login_link_works_once_and_fetching_it_does_not_use_it_up(web: OpenWeb) -> None:
    await add_user(web.pool, "Dana@Example.com", clock.now(), name="דנה", language="he")
    link = await create_login_link(web.pool, "dana@example.com", web.url, clock.now())
    async with web.stranger() as scanner, web.stranger() as dana:
        for _ in range(3):
            page = await scanner.get(link)
            assert page.status_code == 200
            assert "<form" in page.text
            assert "set-cookie" not in page.headers
        entered = await dana.post(link)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/"))
        assert "Secure" not in cookie
        assert (await dana.get("/api/accounts")).status_code == 200
        again = await scanner.post(link)
        assert again.status_code == 410
        assert "kesher users login-link" in again.text
        assert (await scanner.get("/api/accounts")).status_code == 401

        session = dana.cookies[COOKIE]
        assert (await dana.post("/logout")).status_code == 303
        left = await scanner.get("/api/accounts", headers={"Cookie": f"{COOKIE}={session}"})
        assert left.status_code == 401


async def test_only_one_of_two_simultaneous_clicks_gets_in(web: OpenWeb) -> None:
    await add_user(web.pool, "dana@example.com", clock.now())
    link = await create_login_link(web.pool, "dana@example.com", web.url, clock.now())
    async with web.stranger() as client:
        answers = await asyncio.gather(*(client.post(link) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 7


async def test_links_and_sessions_end_on_time(settings: Settings) -> None:
    time = [1_800_000_000.0]
    async with opened(settings, now=lambda: time[0]) as web:
        await add_user(web.pool, "dana@example.com", time[0])
        late = await create_login_link(web.pool, "dana@example.com", web.url, time[0])
        async with web.stranger() as client:
            time[0] += access.LINK.total_seconds()
            assert (await client.post(late)).status_code == 410
            link = await create_login_link(web.pool, "dana@example.com", web.url, time[0])
            assert (await client.post(link)).status_code == 303
            time[0] += access.SESSION.total_seconds() - 1
            assert (await client.get("/api/accounts")).status_code == 200
            time[0] += 1
            assert (await client.get("/api/accounts")).status_code == 401


async def test_a_page_of_another_site_cannot_act_for_a_person(web: OpenWeb) -> None:
    await add_user(web.pool, "dana@example.com", clock.now())
    link = await create_login_link(web.pool, "dana@example.com", web.url, clock.now())
    async with web.stranger() as dana:
        assert (await dana.post(link, headers={"Origin": "https://evil.example"})).status_code == 403
        assert (await dana.post(link, headers={"Origin": web.url})).status_code == 303
        assert (await dana.post("/logout", headers={"Origin": "https://evil.example"})).status_code == 403
        assert (await dana.post("/logout", headers={"Origin": "null"})).status_code == 403
        assert (await dana.get("/api/accounts")).status_code == 200


async def test_the_cookie_of_an_https_console_is_secure(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"public_url": "https://kesher.example"})) as web:
        await add_user(web.pool, "dana@example.com", clock.now())
        link = await create_login_link(web.pool, "dana@example.com", web.url, clock.now())
        async with web.stranger() as dana:
            entered = await dana.post(link)
        assert "Secure" in entered.headers["set-cookie"]
        assert "max-age" in entered.headers["strict-transport-security"]


async def test_who_fails_too_often_waits_and_others_do_not(web: OpenWeb) -> None:
    guesser = {"X-Forwarded-For": "203.0.113.1"}
    async with web.stranger(Authorization="Bearer kes_guess", **guesser) as client:
        statuses = [(await client.get("/api/accounts")).status_code for _ in range(FAILURES + 5)]
        refused = await client.get("/api/accounts")
    assert statuses == [401] * FAILURES + [429] * 5
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert (await web.http.get("/api/accounts")).status_code == 200
    for path in ("/login/a", "/login/b"):
        async with web.stranger(**guesser) as client:
            assert (await client.post(path)).status_code == 410


async def test_a_person_without_a_session_reads_what_to_do_in_two_languages(web: OpenWeb) -> None:
    async with web.stranger(Accept="text/html") as client:
        page = await client.get("/")
    assert page.status_code == 401
    assert "kesher users login-link" in page.text
    assert 'dir="rtl"' in page.text


async def test_every_answer_tells_the_browser_to_trust_nothing_else(web: OpenWeb) -> None:
    async with web.stranger() as stranger:
        answers: list[httpx2.Response] = [await stranger.get(path) for path in ("/", "/login/x", "/healthz", "/nope")]
    answers += [await web.http.get(path) for path in ("/", "/api/accounts", "/nope")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "server" not in answer.headers


async def test_people_and_keys_are_refused_with_what_to_do(web: OpenWeb) -> None:
    now = clock.now()
    await add_user(web.pool, "dana@example.com", now)
    for wrong, what in (
        (add_user(web.pool, "DANA@example.com", now), "login-link"),
        (add_user(web.pool, "no address", now), "dana@example.com"),
        (add_user(web.pool, "x@example.com", now, language="xx"), "speaks en and he"),
        (create_login_link(web.pool, "who@example.com", web.url, now), "kesher users add"),
        (create_key(web.pool, "x", "everything", now), "read"),
        (create_key(web.pool, " ", "read", now), "name"),
        (revoke_key(web.pool, "nothing", now), "kesher keys list"),
    ):
        with pytest.raises(Refused, match=what):
            await wrong


async def test_ready_says_why_not(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"prefix": "nothing-here"})) as web:
        deadline = clock.monotonic() + 20
        while "kesher topics" not in (answer := await web.http.get("/readyz")).text:
            assert clock.monotonic() < deadline, answer.text
            await asyncio.sleep(0.05)
        assert answer.status_code == 503
        assert (await web.http.get("/healthz")).status_code == 200
        assert (await web.http.get("/api/accounts")).status_code == 200
    async with opened(settings) as web:
        await until_ready(web)
