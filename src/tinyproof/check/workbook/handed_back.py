"""An exercise that was handed back: found in a workbook by the network that its hidden sheet keeps.

Formulas may stand on sheets of other names, and the givens elsewhere on the cover; the table has to be where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyproof.backprop.exercise_book import (
    COVER,
    FILL_IN,
    FORMAT,
    GIVENS,
    KEPT,
    LEFT,
    NAME,
    TOP,
    Exercise,
    kept_exercise,
)
from tinyproof.backprop.sheet import letters
from tinyproof.backprop.table_sheet import all_givens
from tinyproof.check.workbook.read.cells import Book, Cell
from tinyproof.check.workbook.read.references import rough_references
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.errors import DataError, InputError, one_line

_MOST_LINES = 2_000
_MOST_NAME = 60
Cells = Mapping[tuple[int, int], Cell]


@dataclass(frozen=True)
class HandedBack:
    """An exercise as it came back. `table`: the position of its sheet; `givens`: where each given stands, by its
    defined name; `made_for` and `student`: the names in the hidden sheet and on the cover, shortened."""

    exercise: Exercise
    book: Book
    table: int
    givens: dict[Place, str]
    made_for: str
    student: str

    @property
    def sheet(self) -> str:
        """The name of the sheet with the table, as it is now."""
        return self.book.sheets[self.table].name


@dataclass(frozen=True)
class Unjudged:
    """Why an exercise cannot be judged as one."""

    why: str


def handed_back(book: Book) -> HandedBack | Unjudged | None:
    """The exercise that a workbook is; None where it is none."""
    hidden = [sheet for sheet in book.sheets if _text_at(sheet.cells, (1, 1)) == FORMAT]
    if not hidden:
        covers = any(_text_at(sheet.cells, (3, 1)).startswith(FILL_IN) for sheet in book.sheets)
        return Unjudged(f"an exercise without its hidden sheet ({KEPT})") if covers else None
    try:
        kept = kept_exercise(_lines(hidden[0].cells))
        if kept is None:
            return Unjudged("an exercise whose hidden sheet was changed")
        exercise, made_for = kept
        columns = exercise.trace.columns  # raises where the numbers overflow
    except (InputError, DataError) as error:
        return Unjudged(f"an exercise whose hidden sheet was changed ({one_line(str(error), 120)})")
    tables = [k for k, sheet in enumerate(book.sheets) if _in_place(columns, sheet.cells)]
    if not tables:
        return Unjudged(
            f"an exercise whose table does not stand where it stood (headings in row {TOP}, from {letters(LEFT)} on)"
        )
    table = next((k for k in tables if book.sheets[k].name == exercise.sheet), tables[0])
    givens = _givens(book, exercise)
    cover = next((place.sheet for place in givens), None)
    shift = next((place.row - GIVENS - 1 for place in givens), 0)
    student = "" if cover is None else _text_at(book.sheets[cover].cells, (NAME[0] + 1 + shift, NAME[1] + 1))
    return HandedBack(exercise, book, table, givens, shortened(made_for), shortened(student))


def shortened(name: str) -> str:
    """A name as reports show it."""
    return one_line(name.strip(), _MOST_NAME)


def _givens(book: Book, exercise: Exercise) -> dict[Place, str]:
    """Where each given stands: what its defined name says, which programs keep up to date, or where it was."""
    sheets = {sheet.name: index for index, sheet in reversed(list(enumerate(book.sheets)))}
    found = {}
    for k, name in enumerate(all_givens(exercise.net)):
        told = list(rough_references(book.names.get((name.lower(), ""), "")).values())
        sheet, row, column = (told[0].sheet, told[0].row, told[0].col) if told else (COVER, GIVENS + k + 1, 2)
        if sheet in sheets:
            found[Place(sheets[sheet], row, column)] = name
    return found


def _lines(cells: Cells) -> list[str]:
    """The texts of the first column, from the top to the last that is filled; an empty row is an empty line."""
    last = min(max((row for row, column in cells if column == 1), default=0), _MOST_LINES)
    return [_text_at(cells, (row, 1)) for row in range(1, last + 1)]


def _text_at(cells: Cells, place: tuple[int, int]) -> str:
    cell = cells.get(place)
    return "" if cell is None or cell.value is None else shown(cell.value)


def shown(value: float | str) -> str:
    """A number or a text as a cell shows it."""
    return value if isinstance(value, str) else f"{value:.15g}"


def _in_place(columns: tuple[str, ...], cells: Cells) -> bool:
    """Whether the headings stand in the row and the columns in which they were."""
    held = (cells.get((TOP, LEFT + k + 1)) for k in range(len(columns)))
    said = [cell.value.replace("\u2202", "d") if cell and isinstance(cell.value, str) else None for cell in held]
    return said == list(columns)
