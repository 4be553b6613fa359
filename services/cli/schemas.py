"""`kesher schemas`: what crosses a border, written down under schemas/json, and checked against it."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

import schemas
from schemas.compatibility import Document, Side, breaking
from schemas.documents import documents
from schemas.errors import Refused

FOLDER = Path(schemas.__file__).parent / "json"
SIDES: tuple[Side, ...] = ("inputs", "facts")
app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="JSON Schemas, AsyncAPI and OpenAPI, made from the types."
)


@app.command()
def write(*, meant: Annotated[bool, typer.Option("--breaking", help="Also if it breaks someone")] = False) -> None:
    """Write schemas/json anew; refuses what would break those who send events or read facts."""
    made = everything()
    problems = breaks(stored(), made)
    if problems and not meant:
        raise Refused(_told(problems) + "\nIf that is meant, say --breaking, and say it in CHANGELOG.md.")
    for path in stored().keys() - made.keys():
        (FOLDER / path).unlink()
    for path, document in made.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_bytes(spelled(document))


@app.command()
def check() -> None:
    """Compare schemas/json with the types: status 1 when something would break, or is out of date."""
    made, there = everything(), stored()
    if problems := breaks(there, made):
        raise Refused(_told(problems))
    if stale := [path for path in sorted(made.keys() | there.keys()) if made.get(path) != there.get(path)]:
        raise Refused(f"out of date: {', '.join(stale)}.  Run `make schemas`.")


def everything() -> dict[str, Document]:
    """Path -> document, as the types say now."""
    from services.ingest.app import openapi as ingest
    from services.web.app import openapi as web

    return documents() | {"openapi-web.json": web(), "openapi-ingest.json": ingest()}


def stored() -> dict[str, Document]:
    """Path -> document, as checked in."""
    return {str(path.relative_to(FOLDER)): msgspec.json.decode(path.read_bytes()) for path in FOLDER.rglob("*.json")}


def breaks(old: dict[str, Document], new: dict[str, Document]) -> list[str]:
    """What in the schemas of events breaks someone, one sentence each."""
    found = []
    for side in SIDES:
        for path in sorted(path for path in old if path.startswith(f"{side}/")):
            changes = breaking(side, old[path], new[path]) if path in new else ["removed"]
            found += [f"{path.removesuffix('.json')} {change}" for change in changes]
    return found


def spelled(document: dict[str, Any]) -> bytes:
    """The bytes of the file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _told(problems: list[str]) -> str:
    return "this breaks those who send events or read facts:\n" + "\n".join(problems)
