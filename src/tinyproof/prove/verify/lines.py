"""What a verification is made of: its lines, how far it may go, and a stored copy held against what is counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tinyproof.core.errors import TinyproofError
from tinyproof.core.plain_data import read_json
from tinyproof.core.plain_names import double, unusual
from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import NAMES
from tinyproof.network import own_files
from tinyproof.prove import known_figures
from tinyproof.ship.claim import Proved
from tinyproof.train.recipe import RECIPES

_COPY_BYTES = 10_000_000


@dataclass(frozen=True)
class Line:
    """One check: where, what, whether it holds (None: it could not be checked), and what was found. `asked`: somebody
    asked for this very check; not to make it is no success."""

    place: str
    what: str
    holds: bool | None
    found: str = ""
    asked: bool = False


@dataclass(frozen=True)
class Verified:
    """All checks of a folder. `exit_code`: 1 where one does not hold, was asked for and not made, or none could be."""

    folder: Path
    lines: tuple[Line, ...]

    @property
    def broken(self) -> tuple[Line, ...]:
        """The checks that do not hold."""
        return tuple(line for line in self.lines if line.holds is False)

    @property
    def exit_code(self) -> int:
        """0 when something was checked, all of it holds, and what was asked for was done."""
        undone = any(line.asked and line.holds is None for line in self.lines)
        return int(bool(self.broken) or undone or not any(line.holds for line in self.lines))

    def table(self) -> Table:
        """The checks as a table."""
        words = {True: "holds", False: "BROKEN", None: "not checked"}
        columns = (Column("where"), Column("what"), Column("answer"), Column("found"))
        return Table("", columns, tuple((x.place, x.what, words[x.holds], x.found) for x in self.lines))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"folder": str(self.folder), "exit_code": self.exit_code, "checks": [vars(line) for line in self.lines]}


@dataclass(frozen=True)
class VerifyOptions:
    """How far a verification may go: `weights` (load data and weights, and evaluate again); where MNIST lies or the
    path of your own data; the files of your own networks. A name that a record gives is never opened as a path.
    """

    weights: bool = True
    dataset: str | None = None
    data: str | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One verification: the folder that it began in, its options, how the packs are called that were unpacked, and what
    the proofs that it met say of themselves in the exports of their runs."""

    root: Path
    options: VerifyOptions
    packs: dict[Path, str] = field(default_factory=dict)
    proved: dict[Path, Proved | None] = field(default_factory=dict)

    def name(self, place: Path) -> str:
        """How a folder is called in the lines."""
        for there, called in self.packs.items():
            if place.is_relative_to(there):
                return (PurePosixPath(called) / place.relative_to(there).as_posix()).as_posix()
        return place.resolve().name if place == self.root else place.relative_to(self.root).as_posix()

    def line(self, place: Path, what: str, holds: bool | None, found: str = "") -> Line:
        """A line about a folder."""
        return Line(self.name(place), what, holds, found)

    def copy(self, path: Path, what: str, count: Callable[[], Any], said: Callable[[Any], str] = lambda _: "") -> Line:
        """Whether a stored copy of an answer is what `count` gives now; `said`: what to say of it where it is."""
        place = path.parent
        if not path.is_file():
            return self.line(place, what, None, f"there is no {path.name}")
        try:
            counted, stored = count(), read_json(path, _COPY_BYTES)
        except TinyproofError as error:
            return self.line(place, what, False, str(error))
        wrong = differences(counted, stored)
        return self.line(place, what, not wrong, f"differs in: {', '.join(wrong)}" if wrong else said(counted))


def kept_files(case: Case, folder: Path, recorded: Mapping[str, str]) -> list[Line]:
    """Whether the copies of a network's own files, which lie beside a record, are the recorded ones."""
    if not recorded:
        return []
    lost = [name for name in recorded if name not in own_files.kept(folder, recorded)]
    there = [name for name in lost if own_files.place(folder, name).exists()]
    told = (
        f"another content: {listed(there)}" if there else f"not kept: {listed(lost)}" if lost else listed([*recorded])
    )
    return [
        case.line(folder, "the kept files of the network are the recorded ones", not there and (not lost or None), told)
    ]


def plain_names(case: Case, place: Path, model: str, recipe: str, data: str) -> list[Line]:
    """Whether the names of the network, the recipe and the data are what they look like."""
    known = ((model, known_figures.NETS), (recipe, RECIPES), (data, NAMES))
    doubles = [f"{name!r} looks like {one}" for name, others in known if (one := double(name, others))]
    odd = [f"{name!r} {why}" for name, _ in known if (why := unusual(name))]
    holds = False if doubles else None if odd else True
    return [case.line(place, "the names are what they look like", holds, listed([*doubles, *odd], 2))]


def differences(counted: Any, stored: Any) -> list[str]:
    """Where plain data differs: the keys of a table, of a list those of each of its tables."""
    if isinstance(counted, dict) and isinstance(stored, dict):
        changed = [key for key in counted if not equal(counted[key], stored.get(key))]
        return changed + [str(key) for key in stored if key not in counted]
    if isinstance(counted, list) and isinstance(stored, list) and len(counted) == len(stored):
        every = [differences(one, other) for one, other in zip(counted, stored, strict=True)]
        return [f"{number}: {key}" for number, keys in enumerate(every, 1) for key in keys]
    return [] if equal(counted, stored) else ["the whole"]


def equal(one: Any, other: Any) -> bool:
    """Equal plain data; floats to 12 digits (another libm may round the last one differently)."""
    if isinstance(one, float) and isinstance(other, int | float):
        return near(one, other, 1e-12, 1e-15)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def near(one: float, other: float, relative: float, absolute: float = 0.0) -> bool:
    """Whether two numbers agree; a whole number too large for a float agrees with none."""
    try:
        return math.isclose(one, other, rel_tol=relative, abs_tol=absolute)
    except OverflowError:
        return False


def listed(names: list[str], most: int = 6) -> str:
    """The first names, and how many there are besides.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
