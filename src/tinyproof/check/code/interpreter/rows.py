"""Rows: which rows of which source an array, a table or a data set holds, however it was cut, scaled and reshaped.

A source (a call of load_data, a file, a folder) is cut into parts (train_test_split, slices, folds). Two sets of rows
are compared by the cuts that led to them, never by their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from tinyproof.check.code.interpreter.values import Choice, Made, Map, Seq, Value, options
from tinyproof.check.finding import CodePlace

RootKind = Literal["train", "test", "validation", "all"]
Side = Literal["both", "x", "y", "scores", "index", "mask"]
_WORDS: tuple[tuple[RootKind, re.Pattern[str]], ...] = (
    ("train", re.compile(r"(?<![a-z])train(?:ing)?(?![a-z])")),
    ("test", re.compile(r"(?<![a-z])(?:test(?:ing)?|tst|t10k)(?![a-z])")),
    ("validation", re.compile(r"(?<![a-z])(?:val|valid|validation|dev)(?![a-z])")),
)
ORDER = "(order)"  # in the key of a cut: through rows that had been put in this order
MAX_CUTS = 12
MAX_PATHS = 8


@dataclass(frozen=True)
class Root:
    """A source of rows. `key`: equal for two calls that give the same rows. `what`: its name for people."""

    key: tuple[object, ...]
    kind: RootKind
    what: str
    form: Literal["set", "file", "archive", "folder", "rows"]
    place: CodePlace = field(compare=False)
    size: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Cut:
    """One cut through rows: of two cuts with one `key`, different parts have no row in common.

    `kind` slice: `low` and `high` are its bounds (None: open; a number, or the text of one). filter: some of the rows,
    which ones is not known. `share`: what a random split holds out, a number of rows or a share, where it says so.
    """

    kind: Literal["split", "slice", "filter"]
    key: tuple[object, ...]
    part: str = ""
    low: object = None
    high: object = None
    share: object = field(default=None, compare=False)


@dataclass(frozen=True)
class Path:
    """The way from a source to rows of it."""

    root: Root
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True)
class Step:
    """What was done to every row: `scaled` by a number, `fitted` by something that learned from rows, `opaque`.

    `name`: the operation with its number, or the transformer; `learned`: the rows that it learned from; `depth`: how
    many cuts had been made by then. `used`: where a maker that may serve several was put to these rows.
    """

    kind: Literal["scaled", "fitted", "oversampled", "augmented", "opaque"]
    name: str
    learned: tuple[Path, ...] = ()
    maker: int = 0
    depth: int = 0
    place: CodePlace | None = field(default=None, compare=False)
    used: CodePlace | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Drawn:
    """A random order that rows were put in: drawn where, from which stream of numbers; `token`: by which draw."""

    place: CodePlace
    calls: tuple[CodePlace, ...]
    stream: tuple[object, ...]
    token: object = field(default_factory=object, compare=False, repr=False)


@dataclass(eq=False)
class Fit:
    """A model learns from rows; `validation`: what it is measured on while it learns.

    `name`: the method. `callbacks`: what is called while it learns.
    """

    model: Value
    rows: Rows | None
    place: CodePlace
    name: str = "fit"
    validation: Rows | None = None
    callbacks: tuple[Made, ...] = ()


@dataclass(eq=False)
class Rows(Value):
    """An array, a table or a data set. `side`: images and labels, one of both, or what a model made of them.

    `scores`: the model that gave them is `model`, after the fits `fits`, at the place `asked` (outside of functions).
    `names`: the variables bound to it. `turn`: the bounds, as they are written, between which a loop cuts another piece
    out in each of its turns. `batch`: how many of them a loader gives at once, 0 where it is no loader, -1 where that
    is not known. `orders`: the random orders that they were put in.
    `moved`: the orders that a table was put in as a whole, by their seed or draw.
    `across`: they lie beside each other, one in each column (transposed).
    `columns`: what was picked and dropped of a table's columns (see `columns`). `origin`: of a mask, the rows it is of.
    """

    paths: tuple[Path, ...]
    side: Side = "both"
    steps: tuple[Step, ...] = ()
    model: Value | None = None
    fits: tuple[Fit, ...] = ()
    names: list[str] = field(default_factory=list)
    turn: tuple[str, str] = ("", "")
    asked: CodePlace | None = None
    batch: int = 0
    orders: tuple[Drawn, ...] = ()
    columns: tuple[tuple[str, object], ...] = ()
    origin: Rows | None = None
    across: bool = False
    moved: tuple[object, ...] = ()

    def cut(self, cut: Cut) -> Rows:
        """Some of these rows; a cut through rows in another order is another cut."""
        order = (ORDER, tuple(drawn.token for drawn in self.orders[-MAX_CUTS:]), self.moved)
        if (self.orders or self.moved) and order not in cut.key and len(cut.key) < 2 * MAX_CUTS:
            cut = replace(cut, key=(*cut.key, order))
        paths = tuple(p if len(p.cuts) >= MAX_CUTS else Path(p.root, (*p.cuts, cut)) for p in self.paths)
        return replace(self, paths=paths, names=[])

    def after(self, step: Step) -> Rows:
        """The same rows, changed."""
        if len(self.steps) >= MAX_CUTS or (self.side not in ("both", "x") and step.kind != "oversampled"):
            return replace(self, names=[])  # what is done to labels and guesses changes no unit of the data
        return replace(self, steps=(*self.steps, replace(step, depth=self.depth)), names=[])

    def turned(self, side: Side, model: Value | None = None) -> Rows:
        """The same rows, seen from another side."""
        return replace(self, side=side, model=model or self.model, names=[])

    def same_as(self, other: Value) -> bool:
        """Whether the other are the same rows, in the same state."""
        if not isinstance(other, Rows) or (self.side, self.model) != (other.side, other.model):
            return False
        return self.paths == other.paths and self.steps == other.steps

    @property
    def depth(self) -> int:
        return max((len(path.cuts) for path in self.paths), default=0)


def names_kept(rows: Rows) -> list[str]:
    """The names that another form of the same rows still goes by: of batches that a loop cuts, those of the whole."""
    return list(rows.names) if rows.turn != ("", "") else []


def unordered(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The paths as if nothing had been put in another order before it was cut."""
    return tuple(Path(path.root, tuple(map(_unordered, path.cuts))) for path in paths)


def _unordered(cut: Cut) -> Cut:
    return replace(cut, key=tuple(part for part in cut.key if not (isinstance(part, tuple) and part[:1] == (ORDER,))))


def union(parts: Iterable[Rows]) -> Rows | None:
    """All rows of several; None where there are none."""
    known = list(parts)
    if not known:
        return None
    paths = dict.fromkeys(path for rows in known for path in rows.paths)
    return Rows(tuple(paths)[:MAX_PATHS], known[0].side, known[0].steps)


def rows_in(value: Value | None) -> Rows | None:
    """The rows that a value is, or holds first: an array, (images, labels), [one input, another]."""
    if isinstance(value, Rows):
        return value
    if isinstance(value, Seq) and isinstance(value.rows, Rows):
        return value.rows
    if isinstance(value, Seq):
        inside = [rows for rows in map(rows_in, value.items[:4]) if rows is not None]
        if not value.whole and len({rows.paths for rows in inside}) > 1:
            return union(inside)  # a list that was filled from several sources
        return inside[0] if inside else None
    if isinstance(value, Choice):
        found = [rows_in(option) for option in options(value)]
        known = [rows for rows in found if rows is not None]
        same = len(known) == len(found) and all(rows.paths == known[0].paths for rows in known)
        return known[0] if same else None
    return None


def some_of(value: Value, cuts: Iterable[Cut]) -> Value:
    """The value where only some rows are let through: an array, or several side by side."""
    if isinstance(value, Rows):
        for cut in cuts:
            value = value.cut(cut)
    elif isinstance(value, Seq) and value.whole and any(isinstance(item, Rows) for item in value.items):
        return Seq([some_of(item, cuts) for item in value.items])
    return value


class Parts(Map):
    """Rows by name, as keys and as attributes: a dict of data sets, a bunch of arrays, a pair of loaders."""


def kind_of_words(text: str) -> RootKind:
    """What the words of a path or a key say: train, test, validation; all where they say nothing.

    >>> kind_of_words("data/test"), kind_of_words("titanic/train.csv"), kind_of_words("latest.csv")
    ('test', 'train', 'all')
    """
    for part in reversed(re.split(r"[/\\]", text)):
        word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part).lower()
        found = [kind for kind, pattern in _WORDS if pattern.search(word)]
        if found:
            return found[0] if len(found) == 1 else "all"
    return "all"
