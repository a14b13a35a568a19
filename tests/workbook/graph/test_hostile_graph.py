"""Formulas from strangers, read as a graph of cells: bounded, one clear line, and the sheets beside them are judged."""

from __future__ import annotations

import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook
from tinyproof.check.workbook.graph import sheetgraph

Rows = dict[str, str | float]  # a cell -> its formula, or its number
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    "<sheets>{sheets}</sheets><definedNames>{names}</definedNames></workbook>"
)
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
RELATION = '<Relationship Id="r{n}" Type="' + KIND + '{kind}" Target="{target}"/>'
SECONDS = 30  # of processor; each needs a few on a quiet machine


def sheet(cells: Rows, arrays: dict[str, str] | None = None) -> str:
    """The XML of a sheet, a cell a row element: a reader takes them in any order. `arrays`: cell -> what it fills."""
    parts = []
    for place, held in cells.items():
        span = (arrays or {}).get(place)
        kind = f' t="array" ref="{span}"' if span else ""
        body = f"<f{kind}>{held}</f><v>0.5</v>" if isinstance(held, str) else f"<v>{held}</v>"
        parts.append(f'<row><c r="{place}">{body}</c></row>')
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return head + "".join(parts) + "</sheetData></worksheet>"


def workbook(path: Path, sheets: list[str], names: dict[str, str] | None = None) -> Path:
    listed = "".join(f'<sheet name="S{n}" sheetId="{n + 1}" r:id="r{n}"/>' for n in range(len(sheets)))
    defined = "".join(f'<definedName name="{name}">{text}</definedName>' for name, text in (names or {}).items())
    relations = [RELATION.format(n=n, kind="worksheet", target=f"s{n}.xml") for n in range(len(sheets))]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        main = RELATION.format(n=0, kind="officeDocument", target="xl/workbook.xml")
        archive.writestr("_rels/.rels", RELS.format(main))
        archive.writestr("xl/workbook.xml", BOOK.format(sheets=listed, names=defined))
        archive.writestr("xl/_rels/workbook.xml.rels", RELS.format("".join(relations)))
        for n, text in enumerate(sheets):
            archive.writestr(f"xl/s{n}.xml", text)
    return path


def line(slope: str = "*A{r}", rows: int = 9) -> Rows:
    """A line fitted one example a row: input A, target B, weight C, offset D, guess E; new weights in the next row."""
    cells: Rows = {"J1": 0.05, "C2": 0.3, "D2": 0.1}
    for r in range(2, 2 + rows):
        cells |= {f"A{r}": 0.4 + r % 4 / 3, f"B{r}": 1.1 + r % 4, f"E{r}": f"C{r}*A{r}+D{r}"}
        cells |= {f"F{r}": f"(E{r}-B{r})" + slope.format(r=r), f"G{r}": f"E{r}-B{r}"}
        if r > 2:
            cells |= {f"C{r}": f"C{r - 1}-$J$1*F{r - 1}", f"D{r}": f"D{r - 1}-$J$1*G{r - 1}"}
    return cells


def steps(change: str, rows: int) -> Rows:
    """A column in which each cell is the one above and a change."""
    cells: Rows = {"A1": 0.5}
    for r in range(2, rows + 2):
        cells |= {f"A{r}": f"A{r - 1}-0.1*{change.format(r=r, u=r - 1)}", f"B{r}": 0.3, f"C{r}": 0.7}
    return cells


def judged(path: Path) -> FileReport:
    start = time.process_time()
    report = audit_workbook(path)
    assert time.process_time() - start < SECONDS
    assert "\n" not in report.problem
    return report


def test_the_line_is_right_and_wrong(tmp_path: Path) -> None:
    """What the other tests put beside strange sheets can be told."""
    assert judged(workbook(tmp_path / "a.xlsx", [sheet(line())])).status == "right"
    assert judged(workbook(tmp_path / "b.xlsx", [sheet(line(slope=""))])).status == "wrong"


WHOLE = "A1:A1048576"
STRANGE: dict[str, Callable[[], str]] = {
    "a circle over sheets": lambda: sheet({f"A{r}": f"S1!A{r}+B{r}" for r in range(1, 60)}),
    "formulas of 8,000 characters": lambda: sheet(steps("+".join(["B{r}"] * 1_800), 120)),
    "formulas of 9,000 characters": lambda: sheet(steps("+".join(["B{r}"] * 2_600), 20)),
    "IF inside IF": lambda: sheet(steps("IF(B{r}&gt;0," * 55 + "C{r}" + ",1)" * 55, 60)),
    "brackets 400 deep": lambda: sheet(steps("(" * 400 + "A{u}" + ")" * 400, 20)),
    "whole columns": lambda: sheet(steps("SUMPRODUCT(B:B,C:C)*A{u}", 60)),
    "a million cells": lambda: sheet(steps("SUMPRODUCT(B1:B1000000,C1:C1000000)*A{u}", 60)),
    "matrices of a million products": lambda: sheet(steps("SUM(MMULT(B1:CV100,B1:CV100))", 20)),
    "matrices, nested": lambda: sheet(steps("SUM(" + "TRANSPOSE(" * 40 + "B1:CV100" + ")" * 40 + ")", 20)),
    "a row times a column": lambda: sheet(steps("SUM((B1:B200*D1:HA1)^2*(B1:B200+D1:HA1))", 20)),
    "an array over a whole column": lambda: sheet({"A1": "B1:B9*2", "D1": 1.0, "D2": "D1-A2*D1"}, {"A1": WHOLE}),
    "a cell in the last row": lambda: sheet({"A1048576": "A1048575-0.1*B1048576*A1048575", "A1048575": 0.3}),
    "a reference before the first row": lambda: sheet({"A1": "A0-0.1*B1", "A2": "A1-0.1*B2*A1"}),
    "links to another file": lambda: sheet(steps("[1]Sheet1!B{r}*A{u}", 40)),
    "names that define each other": lambda: sheet(steps("first*A{u}", 40)),
    "a name that doubles itself": lambda: sheet(steps("d40*A{u}", 40)),
    "powers of powers": lambda: sheet(steps("A{u}^9^9^9^9", 60)),
}
NAMES = {"first": "second+1", "second": "third*2", "third": "first-1", "d0": "S0!$J$1"}
NAMES |= {f"d{n}": f"d{n - 1}+d{n - 1}" for n in range(1, 41)}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_strange_is_bounded_and_the_sheet_beside_it_is_judged(name: str, tmp_path: Path) -> None:
    alone = judged(workbook(tmp_path / "alone.xlsx", [STRANGE[name](), STRANGE[name]()], NAMES))
    assert alone.status == "undecided", alone
    assert alone.problem
    beside = judged(workbook(tmp_path / "beside.xlsx", [sheet(line(slope="")), STRANGE[name]()], NAMES))
    assert beside.status == "wrong"
    assert {f.place.sheet for f in beside.findings if f.severity == "error"} == {"S0"}  # type: ignore[union-attr]


TOO_MUCH: dict[str, tuple[Callable[[], str], str]] = {
    "a range that grows": (lambda: sheet(steps("SUMPRODUCT(B$1:B{r},C$1:C{r})", 300)), "more cells than can be"),
    "ranges over and over": (lambda: sheet(steps("SUM($B$1:$B$900)", 200)), "more cells than can be followed"),
    "arrays that overlap": (
        lambda: sheet({f"A{r}": "B1:B9*2" for r in range(1, 90)}, {f"A{r}": f"A{r}:T{r + 50}" for r in range(1, 90)}),
        "the array formulas fill more cells",
    ),
    "no two alike": (lambda: sheet(steps("0.{r}*A{u}*C{r}", 300)), "say something different each"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_gets_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds, made small: what is over them is said, what is under them is read."""
    build, words = TOO_MUCH[name]
    path = workbook(tmp_path / "much.xlsx", [build()])
    assert words not in judged(path).problem
    monkeypatch.setattr(sheetgraph, "MAX_READ", 20_000)
    monkeypatch.setattr(sheetgraph, "MAX_SLOTS", 100_000)
    monkeypatch.setattr(sheetgraph, "MAX_CELLS", 50_000)
    monkeypatch.setattr(sheetgraph, "MAX_DIFFERENT", 200)
    report = judged(path)
    assert report.status == "undecided"
    assert words in report.problem


def test_numbers_that_are_none_print_no_warning(tmp_path: Path) -> None:
    cells = line() | {"B4": float("inf"), "A5": float("nan"), "D2": 1e308, "J1": -1e308}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged(workbook(tmp_path / "endless.xlsx", [sheet(cells)]))
