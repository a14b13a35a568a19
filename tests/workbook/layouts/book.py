"""Cells and array formulas of a workbook, their values, and the file."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import xlsxwriter
from tests.workbook.layouts.evaluate import Sheets
from tests.workbook.layouts.excel_text import cell_name
from tests.workbook.layouts.terms import Address


@dataclass(frozen=True)
class Book:
    """A workbook. `cells`: numbers, texts, formulas; `arrays`: (first, last cell) -> formula.

    `circling`: the values of the cells that read themselves, by iterative calculation.
    """

    titles: tuple[str, ...]
    cells: dict[Address, float | str] = field(hash=False)
    arrays: dict[tuple[Address, Address], str] = field(default_factory=dict, hash=False)
    notes: dict[Address, str] = field(default_factory=dict, hash=False)
    charted: tuple[Address, ...] = ()
    names: dict[str, Address] = field(default_factory=dict, hash=False)
    circling: dict[Address, float] = field(default_factory=dict, hash=False)

    @cached_property
    def values(self) -> dict[Address, Any]:
        """The value of every formula; NaN for an error."""
        return Sheets(self.titles, self.cells, self.arrays, self._turning(), names=self.names).all()

    def _turning(self) -> dict[Address, float]:
        return {at: value for at, value in self.circling.items() if isinstance(self.cells.get(at), str)}

    def number(self, address: Address) -> float:
        """The value of any cell; 0 for a blank one."""
        if address in self.values:
            return float(self.values[address])
        held = self.cells.get(address)
        return math.nan if isinstance(held, str) else float(held or 0.0)

    def write(self, path: Path) -> Path:
        """The .xlsx file, with cached values."""
        book = xlsxwriter.Workbook(str(path))
        sheets = [book.add_worksheet(title) for title in self.titles]
        for at, held in self.cells.items():
            if isinstance(held, str) and held.startswith("="):
                sheets[at.sheet].write_formula(at.row, at.column, held, None, _shown(self.values[at]))
            elif held != "":
                sheets[at.sheet].write(at.row, at.column, held)
        for (first, last), formula in self.arrays.items():
            spot = (first.row, first.column, last.row, last.column)
            sheets[first.sheet].write_array_formula(*spot, "{" + formula + "}", None, _shown(self.values[first]))
            for at in self.values:
                inside = first.row <= at.row <= last.row and first.column <= at.column <= last.column
                if at.sheet == first.sheet and inside and at != first:
                    sheets[at.sheet].write_number(at.row, at.column, _shown(self.values[at]))
        for name, at in self.names.items():
            book.define_name(name, f"='{self.titles[at.sheet]}'!{cell_name(at, 'cr')}")
        for at, note in self.notes.items():
            sheets[at.sheet].write_comment(at.row, at.column, note)
        if self.charted:
            self._chart(book, sheets)
        book.close()
        if self.circling:
            _iterate(path)
        return path

    def _chart(self, book: Any, sheets: list[Any]) -> None:
        first, last = self.charted[0], self.charted[-1]
        if first.sheet != last.sheet or (first.row != last.row and first.column != last.column):
            return
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": [self.titles[first.sheet], first.row, first.column, last.row, last.column]})
        below = 2 + max(at.row for at in self.cells if at.sheet == first.sheet)
        sheets[first.sheet].insert_chart(below, 1, chart)


def _iterate(path: Path) -> None:
    """Switches iterative calculation on, which the writer cannot."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    with zipfile.ZipFile(aside) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == "xl/workbook.xml":
                content = content.replace(b"<calcPr ", b'<calcPr iterate="1" iterateCount="1" ')
            new.writestr(item, content)
    aside.unlink()


def _shown(value: Any) -> Any:
    return "#NUM!" if isinstance(value, float) and not math.isfinite(value) else value
