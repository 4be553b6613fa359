"""The scorecard that the settings name: a file, one that ships with Kesher, or the default."""

from pathlib import Path

import streams.scorecards
from schemas.errors import Refused
from schemas.scorecard import Scorecard
from schemas.scorecard_file import load
from services.settings import Settings, variable

BUILT_IN = Path(next(iter(streams.scorecards.__path__)))
DEFAULT = BUILT_IN / "default.yaml"


def file_of(named: Path | None) -> Path:
    """The file of a setting: a path, or the name of a scorecard that ships with Kesher; the default for None."""
    if named is None:
        return DEFAULT
    built_in = BUILT_IN / f"{named}.yaml"
    return built_in if built_in.exists() and not named.exists() else named


def chosen(settings: Settings) -> Scorecard:
    """The scorecard to score by.  Refused with the file, what is wrong in it, and the setting that names it."""
    try:
        return load(file_of(settings.scorecard))
    except Refused as error:
        names = " or ".join(sorted(path.stem for path in BUILT_IN.glob("*.yaml")))
        advice = f"{variable('scorecard')} names this file; it takes a path, or {names} for one that ships with Kesher"
        raise Refused(f"{error}\n{advice}") from error
