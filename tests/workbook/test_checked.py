"""What is called checked was compared with something; what is called the same is the same in every formula."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.workbook.sheets import Cells, Plan, make, write
from tests.workbook.test_layouts import moved

from tinyproof.check.workbook import audit_workbook

Cli = Callable[..., CompletedProcess[str]]
BASE = make(Plan(row=5, rows=8), random.Random(5))
ROWS = range(BASE.first, BASE.last + 1)


def checked(path: Path) -> int:
    """How many columns the audit says that it checked, those included that are wrong."""
    lines = [re.search(r"(?:\d+ of )?(\d+) columns checked", line) for line in audit_workbook(path).checked]
    return sum(int(found[1]) for found in lines if found is not None)


def test_a_whole_course_sheet_is_checked(tmp_path: Path) -> None:
    assert checked(write(tmp_path / "a.xlsx", {"S": BASE.cells})) == len(BASE.at)


def test_columns_that_nothing_reads_are_not_counted(tmp_path: Path) -> None:
    beside = max(BASE.at.values()) + 1
    cells: Cells = {**BASE.cells, (5, beside): "my own"}
    cells |= {(row, beside): f"={BASE.ref('h1', row)}*2" for row in ROWS}
    assert checked(write(tmp_path / "a.xlsx", {"S": cells})) == len(BASE.at)


def test_weights_that_nothing_trains_are_not_counted(tmp_path: Path) -> None:
    """Two weights are constants and have no gradient: nothing is said about them."""
    cells = {place: held for place, held in BASE.cells.items() if place[1] not in
             {BASE.at["dE/dw7"], BASE.at["dE/dw8"]}}  # fmt: skip
    for row in ROWS:
        cells |= {(row, BASE.at["w7"]): 0.5, (row, BASE.at["w8"]): 0.55}
    path = write(tmp_path / "a.xlsx", {"S": cells})
    assert audit_workbook(path).status == "right"
    assert checked(path) == len(BASE.at) - 4


def test_a_sheet_without_weights_has_no_column_checked(tmp_path: Path) -> None:
    heads = ["x1", "e1", "e2", "h1", "a_h1", "error"]
    cells: Cells = {(3, col): head for col, head in enumerate(heads, 1)}
    for row in range(4, 20):
        cells |= {(row, 1): 0.1 * row, (row, 2): f"=A{row}*2", (row, 3): f"=B{row}-1", (row, 4): f"=A{row}+B{row}"}
        cells |= {(row, 5): f"=1/(1+EXP(-D{row}))", (row, 6): f"=E{row}-A{row}"}
    path = write(tmp_path / "a.xlsx", {"S": cells})
    assert audit_workbook(path).status == "undecided"
    assert checked(path) == 0


def test_json_and_page_say_the_same_number(tmp_path: Path, cli: Cli) -> None:
    path = write(tmp_path / "a.xlsx", {"S": BASE.cells})
    (file,) = json.loads(cli("audit", path, "--json").stdout)["files"]
    cli("audit", path, "--html", tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    told = f"{len(BASE.at)} columns checked over 8 iterations"
    assert told in file["checked"][0]
    assert told in page


# Formula for formula -------------------------------------------------------------------------------------------------


def print_of(folder: Path, cells: Cells) -> str:
    return audit_workbook(write(folder / "a.xlsx", {"S": cells})).fingerprint


def edited(quantity: str, old: str, new: str, rows: range = ROWS) -> Cells:
    cells = dict(BASE.cells)
    for row in rows:
        place = row, BASE.at[quantity]
        cells[place] = str(cells[place]).replace(BASE.ref(old, row), BASE.ref(new, row))
    assert cells != BASE.cells
    return cells


def test_copies_are_the_same_also_elsewhere_and_with_other_numbers(tmp_path: Path) -> None:
    own = print_of(tmp_path, BASE.cells)
    others = {**BASE.cells, (BASE.first, BASE.at["w1"]): 0.77, BASE.rate: 0.3}
    assert own
    assert {print_of(tmp_path, cells) for cells in (others, moved(BASE.cells, 3, 2))} == {own}


OTHERS = {
    "another cell in a whole column": lambda: edited("dE/dw6", "a_h2", "a_h1"),
    "another cell in one row": lambda: edited("h1", "i2", "i1", range(BASE.first + 3, BASE.first + 4)),
    "another cell outside the table": lambda: {
        p: h.replace(BASE.rate_cell, "$Z$1") if isinstance(h, str) else h for p, h in BASE.cells.items()
    },
    "a formula beside the table": lambda: {**BASE.cells, (2, 40): "=1+1"},
    "another number in a formula": lambda: {
        p: h.replace("0.5*", "1.5*") if isinstance(h, str) and p[1] == BASE.at["E1"] else h
        for p, h in BASE.cells.items()
    },
}


@pytest.mark.parametrize("name", OTHERS)
def test_one_other_formula_or_reference_is_not_the_same(name: str, tmp_path: Path) -> None:
    assert print_of(tmp_path, OTHERS[name]()) not in ("", print_of(tmp_path, BASE.cells))


def test_a_sheet_that_was_not_understood_has_a_fingerprint_of_its_own(tmp_path: Path) -> None:
    def strange(factor: str) -> Cells:
        return {(row, col): f"=A{row}*{factor}+{col}" for row in range(3, 12) for col in range(2, 14)}

    assert print_of(tmp_path, strange("2")) != print_of(tmp_path, strange("3"))
    assert print_of(tmp_path, {(1, 1): "=1+1"}) == ""
