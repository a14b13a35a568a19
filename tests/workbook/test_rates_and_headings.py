"""Rates that are read from one row of a column, and headings that stand on two lines."""

from __future__ import annotations

import random
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from tests.workbook import sheets
from tests.workbook.graph.small import judged, write
from tests.workbook.test_parts_of_tables import table

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook
from tinyproof.check.workbook.read.open_book import open_book
from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.check.workbook.understand.tables import find_tables


@pytest.mark.parametrize(("there", "severity"), [(0.5, "warning"), (0.3, "error")])
def test_a_rate_with_a_fixed_row_is_worth_what_stands_in_that_row(there: float, severity: str, tmp_path: Path) -> None:
    """The labelled rate is 0.5; the column holds another number in every other row."""
    cells = table(*range(6, 12)) | {"K5": "note"} | {f"K{r}": there if r == 7 else 0.4 for r in range(6, 12)}
    cells |= {f"C{r}": f"=C{r - 1}-$K$7*J{r - 1}" for r in range(7, 12)}
    (finding,) = [f for f in judged(tmp_path, cells).findings if f.rule == "wrong-rate-cell"]
    assert finding.severity == severity


def test_a_heading_of_two_lines_may_have_a_dozen_characters_above(tmp_path: Path) -> None:
    above = "∂loss_total/"
    assert len(above) == 12
    cells = table(*range(6, 12)) | {"I4": above, "I5": "∂w1"}
    (found,) = find_tables(Grid(open_book(write(tmp_path / "sheet.xlsx", cells))), 0)
    assert found.texts[9] == above + "∂w1"


def with_named_rates(name: str, path: Path, slip: bool = True) -> FileReport:
    """A table whose rate is a defined name with 1 behind it; one update of w1 takes the name with 3, another rate."""
    made = sheets.make(sheets.Plan(rate=0.5, rows=8, bias="none"), random.Random(1))
    cells = {at: _named(held, f"{name}1") for at, held in made.cells.items()}
    if slip:
        at = made.first + 3, made.at["w1"]
        cells[at] = _named(made.cells[at], f"{name}3")
    sheets.write(path, {"S": cells}, values={"S": {}})
    book = openpyxl.load_workbook(path)
    book["S"]["AK1"] = 0.9
    for number, cell in ((1, "$C$3"), (3, "$AK$1")):
        book.defined_names[f"{name}{number}"] = DefinedName(f"{name}{number}", attr_text=f"S!{cell}")
    book.save(path)
    return audit_workbook(path)


def _named(held: object, name: str) -> object:
    return held.replace("$C$3", name) if isinstance(held, str) else held


@pytest.mark.parametrize("name", ["rate_", "größe", "gro\u0308a", "XYZ"])
def test_another_name_for_the_rate_is_another_rate(name: str, tmp_path: Path) -> None:
    """Whatever script it is written in, and also where it looks like a cell beyond the last column."""
    assert with_named_rates(name, tmp_path / "right.xlsx", slip=False).status == "right"
    found = with_named_rates(name, tmp_path / "wrong.xlsx")
    assert [finding.rule for finding in found.findings] == ["wrong-rate-cell"]


def test_a_name_that_is_a_cell_too_is_not_taken_for_either(tmp_path: Path) -> None:
    found = with_named_rates("TAX", tmp_path / "sheet.xlsx")
    assert found.status == "undecided"
    assert {finding.rule for finding in found.findings} == {"not-understood"}
    assert "w1 could not be judged: TAX1 is a cell, and a name that is defined" in found.problem


def test_a_name_that_is_a_cell_too_belongs_to_what_a_formula_says(tmp_path: Path) -> None:
    """TAX1 is the cell alone here, and what was filled down to TAX3 is no longer the same."""
    book = openpyxl.Workbook()
    book["Sheet"]["B1"], book["Sheet"]["B3"] = "=2*TAX1", "=2*tax3"
    book.defined_names["TAX3"] = DefinedName("TAX3", attr_text="Sheet!$A$1")
    book.save(tmp_path / "sheet.xlsx")
    grid = Grid(open_book(tmp_path / "sheet.xlsx"))
    (_, one), (_, other) = (grid.template(grid.sheet(0).cells[row, 2], 0) for row in (1, 3))
    assert set(one.refs) == {"TAX1"}
    assert other.problem
