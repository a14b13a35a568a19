"""Typed or missing gradients and weights are errors, in one cell and in whole columns; what is meant so is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workbook.sheets import Cells, Plan, Sheet, calculate, make, write

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook

SHEETS = [
    make(Plan(row=5, rows=8), random.Random(5)),
    make(Plan(row=9, rows=7, order="gradients first", heads="b", style=2), random.Random(3)),
    make(Plan(hidden=3, order="grouped", heads="d", bias="trained", act_h="tanh", col=3), random.Random(4)),
    make(Plan(row=4, rows=10, helpers=True, order="inputs first", heads="e", style=1), random.Random(6)),
]


def judged(folder: Path, cells: Cells) -> FileReport:
    return audit_workbook(write(folder / "a.xlsx", {"S": cells}))


def errors(report: FileReport) -> set[tuple[str, str]]:
    return {(f.rule, f.place.column) for f in report.findings if f.severity == "error"}  # type: ignore[union-attr]


def rows_of(sheet: Sheet) -> range:
    return range(sheet.first, sheet.last + 1)


def typed(sheet: Sheet, number: float | None, *quantities: str, rows: range | None = None) -> Cells:
    cells = dict(sheet.cells)
    for quantity in quantities:
        for row in rows or rows_of(sheet):
            if number is None:
                cells.pop((row, sheet.at[quantity]), None)
            else:
                cells[row, sheet.at[quantity]] = number
    return cells


def slopes(sheet: Sheet) -> list[str]:
    return [f"dE/d{weight}" for weight in sheet.weights]


def middle(sheet: Sheet) -> range:
    return range(sheet.first + 3, sheet.first + 4)


BROKEN: dict[str, Callable[[Sheet], tuple[Cells, set[str]]]] = {
    "one gradient column typed": lambda s: (typed(s, 0.001, "dE/dw2"), {"dE/dw2"}),
    "one gradient column typed, minus": lambda s: (typed(s, -3.0, "dE/dw4"), {"dE/dw4"}),
    "all gradient columns typed": lambda s: (typed(s, 0.001, *slopes(s)), set(slopes(s))),
    "one gradient cell typed": lambda s: (typed(s, 0.001, "dE/dw1", rows=middle(s)), {"dE/dw1"}),
    "a gradient column left empty": lambda s: (typed(s, None, "dE/dw3"), {"dE/dw3"}),
    "a gradient cell left empty": lambda s: (typed(s, None, "dE/dw3", rows=middle(s)), {"dE/dw3"}),
    "a weight cell left empty": lambda s: (typed(s, None, "w3", rows=middle(s)), {"w3"}),
    "an activation left empty": lambda s: (typed(s, None, "a_h1", rows=middle(s)), {"a_h1"}),
    "a weight typed": lambda s: (typed(s, 0.25, "w1"), {"w1"}),
}


@pytest.mark.parametrize("sheet", SHEETS, ids=["course", "gradients first", "biases", "helpers"])
@pytest.mark.parametrize("name", BROKEN)
def test_it_is_an_error_in_its_column(name: str, sheet: Sheet, tmp_path: Path) -> None:
    cells, columns = BROKEN[name](sheet)
    report = judged(tmp_path, cells)
    assert report.status == "wrong"
    assert errors(report) == {("pasted-values", column) for column in columns}
    assert not [line for line in report.checked if line.endswith(": right")]


RIGHT: dict[str, Callable[[Sheet], Cells]] = {
    "the last row has no gradients": lambda s: typed(s, None, *slopes(s), rows=range(s.last, s.last + 1)),
    "a start weight is left empty": lambda s: typed(s, None, "w1", rows=range(s.first, s.first + 1)),
}


@pytest.mark.parametrize("sheet", SHEETS, ids=["course", "gradients first", "biases", "helpers"])
@pytest.mark.parametrize("name", RIGHT)
def test_what_nobody_reads_may_be_missing(name: str, sheet: Sheet, tmp_path: Path) -> None:
    report = judged(tmp_path, RIGHT[name](sheet))
    assert (report.status, report.findings) == ("right", ())


def test_a_gradient_column_pasted_as_it_was_is_only_fragile(tmp_path: Path) -> None:
    sheet = SHEETS[0]
    values = calculate(sheet.cells)
    cells = dict(sheet.cells)
    for row in rows_of(sheet):
        cells[row, sheet.at["dE/dw3"]] = values[row, sheet.at["dE/dw3"]]
    report = judged(tmp_path, cells)
    assert report.status == "right"
    assert [(f.rule, f.severity) for f in report.findings] == [("pasted-values", "warning")]


@pytest.mark.parametrize("between", [5, 310])
def test_every_sheet_counts(between: int, tmp_path: Path) -> None:
    wrong = typed(SHEETS[0], 0.001, "dE/dw2")
    empty: dict[str, Cells] = {f"empty {number}": {} for number in range(between)}
    report = audit_workbook(write(tmp_path / "a.xlsx", {"first": SHEETS[0].cells, **empty, "last": wrong}))
    assert report.status == "wrong"
    assert {f.place.sheet for f in report.findings} == {"last"}  # type: ignore[union-attr]
