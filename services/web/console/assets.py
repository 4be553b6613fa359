"""The files a browser loads: read once, named by their content, so that they may be cached for ever."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A file and its media type."""

    body: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every file of static/ by its name."""
    found = sorted((files(__package__) / "static").iterdir(), key=lambda file: file.name)
    kinds = [(file, _TYPES.get(f".{file.name.rpartition('.')[2]}")) for file in found if file.is_file()]
    return {file.name: Asset(file.read_bytes(), kind) for file, kind in kinds if kind}


@cache
def version() -> str:
    """Changes with any asset: 12 hex digits, part of every asset's address."""
    digest = sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + b"\0" + asset.body)
    return digest.hexdigest()[:12]
