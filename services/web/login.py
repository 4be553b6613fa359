"""In and out: GET /login/{link} shows a button, POST opens the session, POST /logout ends it.

Only the POST uses a link up, so that mail scanners and previews, which fetch links, do not."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.adapters.problems import problem
from services.web import access, pages
from services.web.guard import COOKIE, address, same_origin, too_often
from services.web.parts import parts
from services.web.throttle import Throttle

HOME = "/"


def router() -> APIRouter:
    """The routes, with a throttle of their own."""
    routes = APIRouter(include_in_schema=False)
    throttle = Throttle()

    @routes.get("/login.css")
    async def style() -> Response:
        return pages.style()

    @routes.get("/login/{link}")
    async def ask(link: str) -> Response:
        return pages.page("enter")

    @routes.post("/login/{link}")
    async def enter(link: str, request: Request) -> Response:
        web, source = parts(request), address(request)
        if not same_origin(request):
            return problem(403, "a page of another site sent this; open the login link itself")
        if wait := throttle.wait(source, web.monotonic()):
            return too_often(wait)
        session = await access.redeem(web.pool, link, web.now())
        if session is None:
            throttle.failed(source, web.monotonic())
            return pages.page("spent", 410)
        return _with_cookie(RedirectResponse(HOME, 303), request, session, int(access.SESSION.total_seconds()))

    @routes.post("/logout")
    async def leave(request: Request) -> Response:
        web = parts(request)
        if session := request.cookies.get(COOKIE):
            await access.end_session(web.pool, session)
            web.callers.forget(session)
        return _with_cookie(RedirectResponse(HOME, 303), request, "", 0)

    return routes


def _with_cookie(answer: Response, request: Request, value: str, seconds: int) -> Response:
    is_https = "https" in (request.url.scheme, parts(request).settings.public_url.partition(":")[0].lower())
    answer.set_cookie(COOKIE, value, max_age=seconds, httponly=True, samesite="lax", secure=is_https)
    answer.headers["Cache-Control"] = "no-store"
    return answer
