"""Which language a page speaks, and what that means for direction."""

from collections.abc import Iterator
from typing import Final

LANGUAGES: Final = ("en", "he")
NAMES: Final = {"en": "English", "he": "עברית"}
DIRECTIONS: Final = {"en": "ltr", "he": "rtl"}
COOKIE: Final = "kesher_language"


def chosen(asked: str | None, remembered: str | None, accepted: str | None) -> str:
    """The first language we speak of: the address (?lang=), the cookie, the browser's Accept-Language; else English."""
    for wish in (asked, remembered, *_by_preference(accepted or "")):
        known = _known(wish or "")
        if known:
            return known
    return LANGUAGES[0]


def _known(wish: str) -> str | None:
    code = wish.strip().lower().split("-")[0]
    code = "he" if code == "iw" else code  # the code that old browsers and Java send for Hebrew
    return code if code in LANGUAGES else None


def _by_preference(header: str) -> Iterator[str]:
    wishes = [part.partition(";") for part in header.split(",") if part.strip()]
    for _, name in sorted(((-_quality(rest), name) for name, _, rest in wishes), key=lambda wish: wish[0]):
        yield name


def _quality(parameter: str) -> float:
    text = parameter.strip().removeprefix("q=")
    return float(text) if text.replace(".", "", 1).isdigit() else 1.0
