"""How the API describes itself: OpenAPI 3.1 with every refusal, what opens it, and the events of its stream."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.api.portfolio import Change, Fault

ADDRESS = "/api/openapi.json"
VERSION = "1"
ABOUT: dict[str, Any] = {
    "title": "Kesher",
    "version": VERSION,
    "description": (
        "Every account's health, stage and signals, and the changes as they happen.  Each answer's `cursor` continues"
        " in /api/stream, so that nothing falls between a page and the stream."
    ),
    "openapi_url": None,
    "docs_url": None,
    "redoc_url": None,
    "redirect_slashes": False,
    "separate_input_output_schemas": False,
}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Fault"}}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No key and no session, or one that does not exist", "content": _PROBLEM},
    403: {"description": "The key's scope does not open this", "content": _PROBLEM},
    422: {"description": "A parameter cannot be used; the detail says which and why", "content": _PROBLEM},
    429: {"description": "Too many failed attempts from this address", "content": _PROBLEM},
    503: {"description": "Postgres does not answer; Retry-After says when to try again", "content": _PROBLEM},
}
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such account", "content": _PROBLEM}}
_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "`kesher keys create NAME --scope read`"},
    "session": {"type": "apiKey", "in": "cookie", "name": "kesher_session", "description": "The console's own"},
}


def attach(app: FastAPI) -> None:
    """Serve the description, completed."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        return _completed(plain())

    async def serve(_: Request) -> Response:
        return JSONResponse(app.openapi())

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_route(ADDRESS, serve, include_in_schema=False)


def _completed(described: dict[str, Any]) -> dict[str, Any]:
    """With the schemas that no route names by itself, and what opens the doors."""
    components = described["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for body in (Fault, Change):
        components["schemas"][body.__name__] = body.model_json_schema(ref_template="#/components/schemas/{model}")
    components["securitySchemes"] = _SECURITY
    described["security"] = [{"key": []}, {"session": []}]
    return described
