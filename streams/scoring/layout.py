"""The shape of a row: which columns, in which order and type.  A layout is data, so that rows of an older one can be
read by name.  Every value is a commutative merge but for the decisions (`DECISIONS`)."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np

from streams.scoring.decay import Decay

WORD = 8
FEW = 16
"""Different values that a distinct column keeps one by one."""
CELLS = 128
"""Cells of a distinct column that holds more."""
DAYS = 64
"""Days that a days column remembers, one bit each."""
MERGE_IDS = 2
RECENT, RECENT_REST = "recent", "recent_rest"
RECENT_FIRST = 16
"""Ids kept in the first of the two blocks; most accounts need no other."""
WIDE = ("recent_rest", "many", "merge")
"""Sidecars that few accounts have."""
DECISIONS = (
    "judged",
    "stage_since",
    "signal_since",
    "told_scores",
    "told_shares",
    "told_score",
    "told_cap_points",
    "sequence",
    "episodes",
    "signals",
    "levels",
    "told_levels",
    "band",
    "told_band",
    "stage",
    "told_stage",
    "told_weighting",
    "told_cap",
)
"""Columns that hold what was decided and told; a merge keeps those of the row that stays."""


@dataclass(frozen=True)
class Sidecar:
    """A wide column that only the accounts with data pay for.  `kind` is recent, slots, few, many or merge."""

    kind: str
    name: str
    size: int

    @property
    def key(self) -> str:
        """Its own name: a distinct column has two sidecars."""
        return f"{self.name}.{self.kind}" if self.kind in {"few", "many"} else self.name

    @property
    def wide(self) -> bool:
        """Whether few accounts have it."""
        return self.kind in WIDE or self.name in WIDE

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """A block, of whole words."""
        return _whole_words(self.fields)

    @property
    def fields(self) -> list[tuple[str, str] | tuple[str, str, int]]:
        """(name, type, width) of its parts."""
        if self.kind == "slots":
            return [
                (f"{self.name}.at", "<f8", self.size),
                (f"{self.name}.hash", "<u4", self.size),
                (f"{self.name}.value", "<f4", self.size),
            ]
        if self.kind == "merge":
            return [("merged_into", "<u8"), ("merge_ids", "<u8", self.size)]
        return [(self.key, {"recent": "<u8", "few": "<u4", "many": "<u2"}[self.kind], self.size)]


@dataclass(frozen=True)
class Layout:
    """Names of the columns of each kind; half-lives in seconds."""

    sources: tuple[str, ...]
    counters: tuple[tuple[str, float], ...]
    gauges: tuple[str, ...]
    categories: tuple[str, ...]
    firsts: tuple[str, ...]
    latests: tuple[str, ...]
    days: tuple[str, ...]
    measures: tuple[str, ...]
    signals: tuple[str, ...]
    stages: tuple[str, ...]
    weightings: tuple[str, ...]
    caps: tuple[str, ...]
    sidecars: tuple[Sidecar, ...]

    @cached_property
    def _fields(self) -> list[tuple[str, str] | tuple[str, str, int]]:
        """All but the sidecars, widest types first so that nothing is padded but the end."""
        measures, signals = len(self.measures), len(self.signals)
        return [
            ("offsets", "<i8", len(self.sources)),
            ("generation", "<i8"),
            ("as_of", "<f8"),
            ("judged", "<f8"),
            ("stage_since", "<f8"),
            ("sums", "<f8", len(self.counters)),
            ("gauge", "<f8", len(self.gauges)),
            ("gauge_at", "<f8", len(self.gauges)),
            ("category", "<u8", len(self.categories)),
            ("category_at", "<f8", len(self.categories)),
            ("day_bits", "<u8", len(self.days)),
            ("first", "<u4", len(self.firsts)),
            ("latest", "<u4", len(self.latests)),
            ("signal_since", "<u4", signals),
            ("told_scores", "<f4", measures),
            ("told_shares", "<f4", measures),
            ("told_score", "<f4"),
            ("told_cap_points", "<f4"),
            ("revision", "<u4"),
            ("sequence", "<u4"),
            ("partition", "<u2"),
            ("day_last", "<u2", len(self.days)),
            ("episodes", "<u2", signals),
            ("signals", "u1", signals),
            ("levels", "u1", signals),
            ("told_levels", "u1", signals),
            ("band", "u1"),
            ("told_band", "u1"),
            ("stage", "u1"),
            ("told_stage", "u1"),
            ("told_weighting", "u1"),
            ("told_cap", "u1"),
        ]

    @cached_property
    def core(self) -> np.dtype[np.void]:
        """A row without its sidecars, of whole words."""
        return _whole_words(self._fields)

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """A row in memory: the core and, for each sidecar, where its data lies (0: nowhere)."""
        return _whole_words([*self.core.descr, ("sidecar", "<u4", len(self.sidecars))], spare="spare_")

    @cached_property
    def packed_dtype(self) -> np.dtype[np.void]:
        """A row as the changelog holds it before the zero words are left out: the core, then the sidecars, those that
        few accounts have at the end."""
        return np.dtype([*self.core.descr, *(field for i in self.places for field in self.sidecars[i].dtype.descr)])

    @cached_property
    def places(self) -> list[int]:
        """The sidecars in the order in which they are packed."""
        return sorted(range(len(self.sidecars)), key=lambda i: self.sidecars[i].wide)

    @cached_property
    def decay(self) -> Decay:
        """Factors of the counters' half-lives."""
        return Decay(tuple(half_life for _, half_life in self.counters))

    @cached_property
    def words(self) -> int:
        """Eight-byte words of a packed row."""
        return self.packed_dtype.itemsize // WORD

    @cached_property
    def narrow(self) -> int:
        """Words of a packed row before those that few accounts have."""
        wide = [sidecar.dtype.itemsize for sidecar in self.sidecars if sidecar.wide]
        return self.words - sum(wide) // WORD

    @property
    def recent(self) -> int:
        """Ids that are remembered."""
        return sum(sidecar.size for sidecar in self.sidecars if sidecar.kind == "recent")

    @cached_property
    def record(self) -> bytes:
        """The layout as JSON; `Layout.parse` reads it."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @cached_property
    def fingerprint(self) -> int:
        """32 bits, never 0, that differ when names, order, types, half-lives or sources do."""
        return crc32(self.record + repr(self.packed_dtype.descr).encode()) or 1

    @classmethod
    def parse(cls, record: bytes) -> "Layout":
        """The layout of a layout record."""
        read = json.loads(record)
        counters = tuple((name, float(half_life)) for name, half_life in read.pop("counters"))
        sidecars = tuple(Sidecar(**sidecar) for sidecar in read.pop("sidecars"))
        return cls(counters=counters, sidecars=sidecars, **{name: tuple(names) for name, names in read.items()})

    @cached_property
    def named(self) -> dict[str, tuple[str, ...]]:
        """Column -> the name of each of its places.  With another half-life a counter is another sum."""
        counters = tuple(f"{name}@{half_life}" for name, half_life in self.counters)
        measures = dict.fromkeys(("told_scores", "told_shares"), self.measures)
        signals = dict.fromkeys(("signal_since", "episodes", "signals", "levels", "told_levels"), self.signals)
        return {
            "offsets": self.sources,
            "sums": counters,
            "gauge": self.gauges,
            "gauge_at": self.gauges,
            "category": self.categories,
            "category_at": self.categories,
            "first": self.firsts,
            "latest": self.latests,
            "day_bits": self.days,
            "day_last": self.days,
            **measures,
            **signals,
        }

    @cached_property
    def coded(self) -> dict[str, tuple[str, ...]]:
        """Column that holds a number -> what each number stands for; "" for none."""
        return {
            "stage": self.stages,
            "told_stage": self.stages,
            "told_weighting": ("", *self.weightings),
            "told_cap": ("", *self.caps),
        }


def _whole_words(fields: list[Any], spare: str = "spare") -> np.dtype[np.void]:
    missing = -np.dtype(fields).itemsize % WORD
    return np.dtype([*fields, (spare, "u1", missing)] if missing else fields)
