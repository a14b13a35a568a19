"""A workbook as a grid: what stands in a cell, and its formula as an expression, read once for all cells that share it.

Formulas copied down a column are one formula: its text with every relative reference written as an offset is the key
under which it is parsed once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from openpyxl.formula.translate import Translator, TranslatorError
from openpyxl.utils import get_column_letter

from tinyproof.backprop.expr import Expr, Num, Var
from tinyproof.check.workbook.read.cells import Book, Cell, ReadSheet
from tinyproof.check.workbook.read.formula import Formula, parse
from tinyproof.check.workbook.read.references import REFERENCE, Ref, may_be_a_name, rough_references
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.understand.filled_down import FilledDown

_SHORT = 300  # characters: longer formulas are not kept from file to file
_PLAIN = re.compile(r"=\s*([+-]?\d*\.?\d+)\s*")


class Place(NamedTuple):
    """A cell: the sheet's position in the workbook, row and column from 1."""

    sheet: int
    row: int
    col: int


def address(row: int, col: int) -> str:
    """`AA33`; `#REF!` outside the sheet, where a formula that was filled too far reads."""
    return f"{get_column_letter(col)}{row}" if row > 0 and col > 0 else "#REF!"


def formula_at(cell: Cell, row: int, col: int) -> str:
    """A formula as it reads in one of the cells that share it; as it was written where it was filled too far."""
    written = cell.formula or ""
    if (cell.from_row, cell.from_col) == (row, col) or min(cell.from_row, cell.from_col) < 1:
        return written
    try:
        return str(Translator(written, address(cell.from_row, cell.from_col)).translate_formula(address(row, col)))
    except TranslatorError:
        return written


@lru_cache(maxsize=2_000)
def _parsed(text: str) -> Formula:
    """A formula without defined names; the files of a class hold the same ones again and again."""
    return parse(text)


@dataclass(frozen=True)
class Template:
    """A formula as written at (row, col): its expression over `refs`' names, or why it was not understood.

    A formula that was not understood has in `refs` the cells that it mentions.
    """

    row: int
    col: int
    expr: Expr | None
    refs: dict[str, Ref]
    problem: str = ""


@dataclass
class Grid:
    """The cells of a workbook. Reading a formula twice costs a dictionary look-up."""

    book: Book
    templates: dict[object, Template] = field(default_factory=dict)
    by_name: dict[str, int] = field(default_factory=dict)
    _keys: FilledDown = field(default_factory=FilledDown)
    _texts: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)
    _held: dict[tuple[int, Callable[[str], bool]], list[tuple[int, int, str]]] = field(default_factory=dict)
    _names: dict[int, dict[str, str]] = field(default_factory=dict)
    repairs: dict[object, Any] = field(default_factory=dict)  # what `judge` found out, for the other sheets

    def __post_init__(self) -> None:
        self.by_name = {sheet.name.lower(): index for index, sheet in reversed(list(enumerate(self.book.sheets)))}

    def of(self, book: Book) -> Grid:
        """Another state of the workbook: what was read and tried is not read and tried again."""
        return Grid(book, self.templates, repairs=self.repairs, _keys=self._keys)

    def sheet(self, index: int) -> ReadSheet:
        return self.book.sheets[index]

    def cell(self, place: Place) -> Cell | None:
        return self.book.sheets[place.sheet].cells.get((place.row, place.col))

    def number(self, place: Place) -> float | None:
        """The number that the cell holds or shows (its cached value); a text that is a number counts, as in Excel."""
        cell = self.cell(place)
        if cell is None or cell.kind == "e":
            return None
        if cell.value is None:  # `=0.5`, never calculated
            plain = _PLAIN.fullmatch(cell.formula or "")
            return float(plain[1]) if plain else None
        if isinstance(cell.value, float):
            return cell.value
        try:
            return float(cell.value.strip())
        except ValueError:
            return None

    def held(self, place: Place, copies: int = 4) -> float | None:
        """The number of a cell; where the file keeps none for a plain copy of another cell (`=B7`), that one's."""
        number, cell = self.number(place), self.cell(place)
        if number is not None or cell is None or cell.formula is None or not copies:
            return number
        _, template = self.template(cell, place.sheet)
        if not isinstance(template.expr, Var):
            return template.expr.value if isinstance(template.expr, Num) else None
        return self.held(self.target(template.refs[template.expr.name], template, place), copies - 1)

    def text(self, place: Place) -> str:
        """The text of a cell, "" for numbers and empty cells."""
        cell = self.cell(place)
        return cell.value if cell is not None and isinstance(cell.value, str) and cell.kind == "s" else ""

    def texts(self, sheet: int) -> list[tuple[int, int, str]]:
        """The cells of a sheet that hold a text: row, column, text."""
        if sheet not in self._texts:
            cells = self.sheet(sheet).cells
            self._texts[sheet] = [
                (row, col, cell.value)
                for (row, col), cell in cells.items()
                if cell.kind == "s" and isinstance(cell.value, str)
            ]
        return self._texts[sheet]

    def texts_that(self, sheet: int, hold: Callable[[str], bool]) -> list[tuple[int, int, str]]:
        """Those of which a test holds; it is asked once a text, however many tables the sheet has."""
        if (sheet, hold) not in self._held:
            self._held[sheet, hold] = [one for one in self.texts(sheet) if hold(one[2])]
        return self._held[sheet, hold]

    def names_on(self, sheet: int) -> dict[str, str]:
        """Defined names as a sheet sees them: its own before the workbook's."""
        if sheet not in self._names:
            own = self.sheet(sheet).name
            found = {name: text for (name, where), text in self.book.names.items() if not where}
            found.update({name: text for (name, where), text in self.book.names.items() if where == own})
            self._names[sheet] = found
        return self._names[sheet]

    def key(self, cell: Cell, sheet: int) -> object:
        """What formula cells that say the same have in common."""
        assert cell.formula is not None
        key = self._keys.key(cell.formula, cell.from_row, cell.from_col)
        if not self.book.names:
            return key
        if not self.cell_names:
            return key, sheet
        read = (found.group().lower() for found in REFERENCE.finditer(cell.formula))
        return key, sheet, *(name for name in read if name in self.cell_names)

    @cached_property
    def cell_names(self) -> frozenset[str]:
        """The defined names that read like a cell (TAX1)."""
        return frozenset(name for name, _ in self.book.names if may_be_a_name(name))

    def template(self, cell: Cell, sheet: int) -> tuple[object, Template]:
        """The key and the meaning of a formula cell; cells of one column with one key say the same."""
        assert cell.formula is not None
        key = self.key(cell, sheet)
        found = self.templates.get(key)
        if found is None:
            found = self.templates[key] = self._read(cell, sheet)
        return key, found

    def _read(self, cell: Cell, sheet: int) -> Template:
        assert cell.formula is not None
        if cell.kind == "x":
            return self._unread(cell, "it is an array formula or a data table")
        try:
            names = self.names_on(sheet)
            formula = parse(cell.formula, names) if names or len(cell.formula) > _SHORT else _parsed(cell.formula)
        except NotUnderstood as problem:
            return self._unread(cell, str(problem))
        unknown = next((ref.sheet for ref in formula.refs.values() if ref.sheet and self.find(ref.sheet) is None), None)
        if unknown is not None:
            return self._unread(cell, f"it reads the sheet {unknown!r}, which is not there")
        return Template(cell.from_row, cell.from_col, formula.expr, dict(formula.refs))

    def _unread(self, cell: Cell, problem: str) -> Template:
        return Template(cell.from_row, cell.from_col, None, rough_references(cell.formula or ""), problem)

    def find(self, name: str) -> int | None:
        return self.by_name.get(name.lower())

    def target(self, ref: Ref, template: Template, at: Place) -> Place:
        """The cell that a reference of the template means when the formula stands at `at`."""
        row = ref.row if ref.row_fixed else ref.row + at.row - template.row
        col = ref.col if ref.col_fixed else ref.col + at.col - template.col
        sheet = self.find(ref.sheet) if ref.sheet else at.sheet
        return Place(at.sheet if sheet is None else sheet, row, col)

    def outside_name(self, place: Place) -> str:
        """The name of the variable for a cell outside a table: `Sheet1!G31`."""
        return f"{self.sheet(place.sheet).name}!{address(place.row, place.col)}"
