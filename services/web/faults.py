"""What went wrong, as problem details from one place: what, where, what to do, and nothing of our insides."""

import math
from collections.abc import Mapping
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from schemas.errors import Refused, RetryLater
from services.adapters import problems
from services.adapters.postgres import AWAY
from services.web.headers import HEADERS

_AWAY_SECONDS = "5"


def attach(app: FastAPI) -> None:
    """Every failure of a route answers as a problem."""
    problems.attach(app)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RetryLater, _later)
    for away in AWAY:
        app.add_exception_handler(away, _away)
    app.add_exception_handler(Exception, _unforeseen)


async def _unreadable(request: Request, error: Exception) -> Response:
    known = _parameters(request)
    errors = cast("RequestValidationError", error).errors()
    return problems.problem(422, "; ".join(_sentence(wrong, known) for wrong in errors))


def _parameters(request: Request) -> str:
    """The query parameters that the route knows."""
    fields = request.scope["route"].dependant.query_params
    return ", ".join(name for field in fields for name in getattr(field.field_info.annotation, "model_fields", ()))


def _sentence(wrong: Mapping[str, Any], known: str) -> str:
    where, *names = wrong["loc"]
    if wrong["type"] == "extra_forbidden":
        return f"there is no {where} parameter `{'.'.join(map(str, names))}` here, only {known}"
    value = str(wrong["input"])
    sent = f"; you sent {value[:60]!r}{' ...' if len(value) > 60 else ''}" if wrong["type"] != "missing" else ""
    return f"{where} parameter `{'.'.join(map(str, names))}`: {wrong['msg']}{sent}"


async def _refused(_: Request, error: Exception) -> Response:
    return problems.problem(422, str(error))


async def _later(_: Request, error: Exception) -> Response:
    wait = cast("RetryLater", error).wait
    return problems.problem(503, str(error), {"Retry-After": str(math.ceil(wait.total_seconds()))})


async def _away(_: Request, error: Exception) -> Response:
    detail = f"Postgres does not answer ({type(error).__name__}); this passes, try again in {_AWAY_SECONDS} s"
    return problems.problem(503, detail, {"Retry-After": _AWAY_SECONDS})


async def _unforeseen(_: Request, __: Exception) -> Response:
    return problems.problem(500, "this is a fault of Kesher's own; the web process's log says more", HEADERS)
