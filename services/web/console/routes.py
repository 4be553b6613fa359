"""The console's addresses: GET / is the portfolio, everything below /console/ is what its page loads.

The guard of the web door has let nobody in without a session; what accounts hold comes through the public API alone."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from schemas.api.portfolio import HealthPoint
from services.adapters.problems import fault
from services.web.api import reads
from services.web.api.accounts import check_known
from services.web.console.assets import assets
from services.web.console.catalogue import messages
from services.web.console.chart import health_chart
from services.web.console.language import COOKIE, LANGUAGES, chosen
from services.web.console.pages import CHART, MESSAGES, STATIC, portfolio_page
from services.web.parts import caller, parts

router = APIRouter(include_in_schema=False)
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
"""For addresses that change with their content."""
POINTS = 200
"""More would not be told apart in a chart."""
YEAR = 31_536_000
"""Seconds that the choice of language is remembered."""


@router.get("/", response_class=HTMLResponse)
async def portfolio(request: Request, lang: str | None = None) -> Response:
    """The portfolio in the language asked for (?lang=), remembered, set for the person, or preferred by the browser."""
    person = caller(request).person
    remembered = request.cookies.get(COOKIE) or (person.language if person else None)
    language = chosen(lang, remembered, request.headers.get("accept-language"))
    page = HTMLResponse(portfolio_page(language, parts(request).settings.base_currency))
    if lang is not None:
        is_https = request.url.scheme == "https"
        page.set_cookie(COOKIE, language, max_age=YEAR, httponly=True, samesite="lax", secure=is_https)
    return page


@router.get(STATIC + "/{version}/{name}")
async def static(version: str, name: str) -> Response:
    """A file of the page; the version only keeps caches apart."""
    asset = assets().get(name)
    if asset is None:
        raise fault(404, f"the console has no file {name!r}")
    return Response(asset.body, media_type=asset.media_type, headers=FOR_EVER)


@router.get(MESSAGES + "/{edition}/{language}.json")
async def words(edition: str, language: str) -> Response:
    """The page's words; the edition only keeps caches apart."""
    if language not in LANGUAGES:
        raise fault(404, f"the console speaks {' and '.join(LANGUAGES)}, not {language!r}")
    return JSONResponse(messages(language), headers=FOR_EVER)


@router.get(CHART)
async def chart(request: Request, account: str, language: str = LANGUAGES[0], zone: str = "UTC") -> Response:
    """An account's health over time as SVG, its dates in `zone`; 204 when there is nothing to draw yet."""
    check_known(account)
    async with reads.snapshot(parts(request).pool) as connection:
        rows = await reads.history(connection, account, None, POINTS)
    points = [HealthPoint.model_validate(dict(row)) for row in rows]
    drawn = health_chart(points, language if language in LANGUAGES else LANGUAGES[0], _zone(zone))
    return Response(drawn, media_type="image/svg+xml") if drawn else Response(status_code=204)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):  # the browser's own word; UTC is right, if less handy
        return UTC
