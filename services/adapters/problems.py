"""Errors over HTTP as problem details (RFC 9457): what was wrong and what to do, never a stack trace."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, Response

from schemas.api.portfolio import Fault


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer; the title is the status' own phrase."""
    body = Fault(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def fault(status: int, detail: str, **headers: str) -> HTTPException:
    """To raise in a route: `Retry_After="5"` becomes the header Retry-After."""
    return HTTPException(status, detail, {name.replace("_", "-"): value for name, value in headers.items()})


def attach(app: FastAPI) -> None:
    """Every refusal of the app answers as a problem."""

    @app.exception_handler(StarletteHTTPException)
    async def refused(_: Request, error: StarletteHTTPException) -> Response:
        return problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return problem(422, wrong)
