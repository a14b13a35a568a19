"""A workbook as plain data: cells, repeated rows of formulas, charts, pictures, names. `xlsx` writes it.

Rows and columns count from 0 here; formulas are Excel text without the `=`, as `notation.excel` gives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyproof.backprop.program import Floats
from tinyproof.core.errors import InputError

MOST_ROWS, MOST_COLUMNS, MOST_FORMULA = 1_048_576, 16_384, 8_192
THIS, ABOVE = "\x00", "\x01"  # in a block's formulas: the number of this row, and of the row above

Style = Literal[
    "",
    "title",
    "heading",
    "heading left",
    "heading indented",
    "label",
    "label indented",
    "indented",
    "given",
    "whole",
    "value",
    "small",
    "difference",
    "verdict",
    "link",
    "mono",
    "dot",
    "paint",
    "choice",
    "answer",
    "percent",
    "quiet",
    "asked",
    "asked heading",
    "band given",
    "band update",
    "band forward",
    "band backward",
    "conclusion",
]


@dataclass(frozen=True)
class Formula:
    """A live formula and the value that a reader shows before it recalculates."""

    text: str
    value: float | str


@dataclass(frozen=True)
class Cell:
    """One cell; text is always written as text, whatever it begins with. `link`: a place in this workbook."""

    row: int
    column: int
    value: Formula | float | str
    style: Style = ""
    note: str = ""
    link: str = ""


@dataclass(frozen=True)
class BlockColumn:
    """A column of formulas: `first` in the first row, then `rest` in turn; THIS and ABOVE stand for row numbers.

    `values`: what each shows, nan for an error. `empty_from`: the row of the block, from 0, from which on its cells are
    left empty, to be filled in.
    """

    first: str
    rest: tuple[str, ...]
    values: Floats
    style: Style = "value"
    empty_from: int | None = None


@dataclass(frozen=True)
class Block:
    """Rows of formulas that repeat, from (`top`, `left`) on: the table of a learning rate."""

    top: int
    left: int
    columns: tuple[BlockColumn, ...]

    @property
    def rows(self) -> int:
        return max(len(column.values) for column in self.columns)


@dataclass(frozen=True)
class Series:
    """A line in a chart, over rows `first` to `last` of two columns of a sheet."""

    name: str
    sheet: str
    first: int
    last: int
    x: int
    y: int


@dataclass(frozen=True)
class Chart:
    """A native chart of lines, its upper left corner in a cell; size in pixels; an empty title is none."""

    row: int
    column: int
    title: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    log: bool = False
    width: int = 720
    height: int = 360


@dataclass(frozen=True)
class Picture:
    """A PNG over the cells, scaled; `alt` says what it shows."""

    row: int
    column: int
    png: bytes
    alt: str
    scale: float = 1.0


Area = tuple[int, int, int, int]  # first row and column, last row and column


@dataclass(frozen=True)
class Scale:
    """Cells coloured by their numbers, from the first colour at `low` to the last at `high` (None: the smallest and the
    largest of them); of three colours the middle one stands for 0."""

    area: Area
    colours: tuple[str, ...]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Choice:
    """A cell that takes whole numbers from `low` to `high` alone, and says so in `words`."""

    row: int
    column: int
    low: int
    high: int
    words: str


@dataclass(frozen=True)
class Sheet:
    """One worksheet. `names`: defined names of this sheet alone, with their cell. `red`: ranges whose cells turn red
    where they say anything but `ok`. `widths`: of columns from the first to the last, in characters; `heights`: of
    rows, in points. `bars`: ranges whose numbers from 0 to 1 are shown as bars too.
    `hidden`: kept from sight. `banded`: the row above the headings names the bands, and is printed with them."""

    name: str
    cells: tuple[Cell, ...] = ()
    block: Block | None = None
    charts: tuple[Chart, ...] = ()
    pictures: tuple[Picture, ...] = ()
    names: tuple[tuple[str, int, int], ...] = ()
    widths: tuple[tuple[int, int, float], ...] = ()
    freeze: tuple[int, int] | None = None
    red: tuple[Area, ...] = ()
    colour: str = ""
    heights: tuple[tuple[int, int, float], ...] = ()
    scales: tuple[Scale, ...] = ()
    bars: tuple[Area, ...] = ()
    choices: tuple[Choice, ...] = ()
    hidden: bool = False
    banded: bool = False


@dataclass(frozen=True)
class Book:
    """A workbook. `names`: defined names of the whole workbook -> sheet, row, column. `dated`: whether the file says
    when it was made; without, the same book gives the same bytes."""

    title: str
    sheets: tuple[Sheet, ...]
    names: tuple[tuple[str, str, int, int], ...] = ()
    dated: bool = True


def letters(column: int) -> str:
    """A column's letters, counted from 0.

    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def address(row: int, column: int, sheet: str = "") -> str:
    """An absolute reference: `'eta 0.1'!$B$2`."""
    cell = f"${letters(column)}${row + 1}"
    return f"{quoted(sheet)}!{cell}" if sheet else cell


def quoted(sheet: str) -> str:
    """A sheet's name as formulas write it."""
    return "'" + sheet.replace("'", "''") + "'"


def check_fits(rows: int, columns: int, where: str = "") -> None:
    """Refuse a table that no worksheet can hold. Raises InputError."""
    if columns > MOST_COLUMNS:
        raise InputError("network", f"{columns:,} columns", f"at most {MOST_COLUMNS:,}, the columns of a sheet", where)
    if rows > MOST_ROWS:
        raise InputError("iterations", f"{rows:,} rows", f"at most {MOST_ROWS:,}, the rows of a sheet", where)


def check_formula(text: str, rows: int, what: str, where: str = "") -> str:
    """Refuse a formula that Excel cannot hold in the last of that many rows. Returns it; raises InputError."""
    length = len(text) + (text.count(THIS) + text.count(ABOVE)) * (len(str(rows)) - 1)
    if length >= MOST_FORMULA:
        allowed = f"fewer than {MOST_FORMULA:,} characters: a smaller network, or the style chain"
        raise InputError(f"formula of {what}", f"{length:,} characters", allowed, where)
    return text
