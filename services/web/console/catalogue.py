"""The console's words: what gettext knows in each language, for templates and for the browser.

Sentences are looked up by their English text; measures, stages, signals and the like by their key within a context, so
that a scorecard's own names fall through to a readable form of the key.  The .po files are read as they are."""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, PackageLoader, StrictUndefined

Messages = dict[str, str | list[str]]
CONTEXT_END = "\u0004"
"""Between the context of a message and its id, as gettext has it."""


@cache
def catalogue(language: str) -> Catalog:
    """The messages of a language of language.LANGUAGES as written; FileNotFoundError for any other."""
    with (files(__package__) / "translations" / f"{language}.po").open("rb") as written:
        return read_po(written, locale=language, abort_invalid=True)


@cache
def translations(language: str) -> Translations:
    """The messages of a language, ready to look up."""
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def messages(language: str) -> Messages:
    """Every message for the browser: its id, or context + U+0004 + id, to its text; plurals to [one, other]."""
    found: Messages = {}
    for message in catalogue(language):
        name = message.id if isinstance(message.id, str) else message.id[0]
        key = f"{message.context}{CONTEXT_END}{name}" if message.context else name
        text = message.string or ""
        found[key] = text if isinstance(text, str) else list(text)
    found.pop("", None)  # the head of the file
    return found


@cache
def edition(language: str) -> str:
    """Changes with the messages: 12 hex digits, part of their address, so that a browser may keep them for ever."""
    return sha256(json.dumps(messages(language), sort_keys=True).encode()).hexdigest()[:12]


@cache
def templates(language: str) -> Environment:
    """Jinja2 that escapes everything, refuses unknown names and speaks the language."""
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return environment
