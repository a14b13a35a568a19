"""The same right training written down in other ways: nobody is accused; and what is no plain training is undecided."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from tests.workbook.sheets import Cells, Plan, Sheet, calculate, make, name, write
from xlsxwriter.utility import xl_col_to_name

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook

BASE = make(Plan(row=5, rows=8), random.Random(5))
BESIDE = max(BASE.at.values()) + 1
ROWS = range(BASE.first, BASE.last + 1)
LATER = range(BASE.first + 1, BASE.last + 1)


def moved(cells: Cells, down: int, across: int) -> Cells:
    def shift(match: re.Match[str]) -> str:
        col_fixed, letters, row_fixed, digits = match.groups()
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        return f"{col_fixed}{xl_col_to_name(number - 1 + across)}{row_fixed}{int(digits) + down}"

    found: Cells = {}
    for (row, col), held in cells.items():
        if isinstance(held, str) and held.startswith("="):
            held = re.sub(r"(\$?)\b([A-Z]{1,3})(\$?)(\d+)\b(?!\()", shift, held)
        found[row + down, col + across] = held
    return found


def slope(weight: str, row: int) -> str:
    return BASE.ref(f"dE/d{weight}", row)


def updates(text: Callable[[str, int], str], cells: Cells | None = None) -> Cells:
    """The sheet with every update written by `text(weight, row)`."""
    found = dict(cells if cells is not None else BASE.cells)
    for row in LATER:
        for weight in BASE.weights:
            found[row, BASE.at[weight]] = "=" + text(weight, row)
    return found


def rate_column() -> Cells:
    found = updates(lambda w, r: f"{BASE.ref(w, r - 1)}-{name(r - 1, BESIDE)}*{slope(w, r - 1)}")
    found |= {(row, BESIDE): 0.5 for row in ROWS} | {(5, BESIDE): "η"}
    return {place: held for place, held in found.items() if place[0] >= 5}


def typed_rate() -> Cells:
    found = updates(lambda w, r: f"{BASE.ref(w, r - 1)}-0.5*{slope(w, r - 1)}")
    return {place: held for place, held in found.items() if place[0] >= 5}


def inline() -> Cells:
    found = updates(
        lambda w, r: f"{BASE.ref(w, r - 1)}-{BASE.rate_cell}*({str(BASE.cells[r - 1, BASE.at[f'dE/d{w}']])[1:]})"
    )
    gradients = {BASE.at[f"dE/d{w}"] for w in BASE.weights}
    return {place: held for place, held in found.items() if place[1] not in gradients}


def new_weights() -> Cells:
    found = updates(lambda w, r: name(r - 1, BESIDE + BASE.weights.index(w)))
    for position, w in enumerate(BASE.weights):
        found[5, BESIDE + position] = f"new {w}" if position % 2 else f"{w} new"
        for row in ROWS:
            found[row, BESIDE + position] = f"={BASE.ref(w, row)}-{BASE.rate_cell}*{slope(w, row)}"
    return found


def given_once() -> Cells:
    found = dict(BASE.cells)
    for quantity in ("i1", "i2", "t1", "t2"):
        letters = xl_col_to_name(BASE.at[quantity] - 1)
        for row in LATER:
            del found[row, BASE.at[quantity]]
        for (row, col), held in list(found.items()):
            if isinstance(held, str) and held.startswith("="):
                found[row, col] = re.sub(rf"(?<![A-Z$]){letters}{row}(?!\d)", f"${letters}${BASE.first}", held)
    return found


def copied_down() -> Cells:
    copies = {(r, BASE.at[q]): f"={BASE.ref(q, r - 1)}" for q in ("i1", "i2", "t1", "t2") for r in LATER}
    return {**BASE.cells, **copies}


def examples_in_turn() -> Cells:
    found = dict(BASE.cells)
    for row in ROWS:
        numbers = (0.05, 0.1, 0.01, 0.99) if row % 2 else (0.3, 0.7, 0.4, 0.2)
        found |= {(row, BASE.at[q]): number for q, number in zip(("i1", "i2", "t1", "t2"), numbers, strict=True)}
    return found


def on_two_lines() -> Cells:
    above = {(4, BASE.at[f"dE/d{w}"]): "∂E/" for w in BASE.weights}
    return {**BASE.cells, **above, **{(5, BASE.at[f"dE/d{w}"]): f"∂{w}" for w in BASE.weights}}


def without(*quantities: str) -> Cells:
    return {place: held for place, held in BASE.cells.items() if place[1] not in {BASE.at[q] for q in quantities}}


def total_only() -> Cells:
    both = {
        (r, BASE.at["E_total"]): "=" + "+".join(str(BASE.cells[r, BASE.at[e]])[1:] for e in ("E1", "E2")) for r in ROWS
    }
    return {**without("E1", "E2"), **both}


def sums_and_activations_in_one() -> Cells:
    units = ("h1", "h2", "o1", "o2")
    one = {(r, BASE.at[f"a_{u}"]): f"=1/(1+EXP(-({str(BASE.cells[r, BASE.at[u]])[1:]})))" for u in units for r in ROWS}
    return {**without(*units), **one}


def decaying_rate() -> Cells:
    found = updates(lambda w, r: f"{BASE.ref(w, r - 1)}-{name(r - 1, BESIDE)}*{slope(w, r - 1)}")
    steps = {(row, BESIDE): f"={BASE.rate_cell}/(1+0.01*{row})" for row in ROWS}
    return {**found, **steps, (5, BESIDE): "step size"}


RIGHT: dict[str, Callable[[], Cells]] = {
    "one below the other": lambda: {**BASE.cells, **moved(BASE.cells, 20, 0)},
    "side by side": lambda: {**BASE.cells, **moved(BASE.cells, 0, 33)},
    "side by side, one column between": lambda: {**BASE.cells, **moved(BASE.cells, 0, 32)},
    "side by side, nothing between": lambda: {**BASE.cells, **moved(BASE.cells, 0, 31)},
    "no headings": lambda: {place: held for place, held in BASE.cells.items() if place[0] != 5},
    "the rate in a column": rate_column,
    "the rate typed, no cell for it": typed_rate,
    "updates without gradient columns": inline,
    "new weights in columns of their own": new_weights,
    "givens once, read with $": given_once,
    "givens copied down": copied_down,
    "examples in turn": examples_in_turn,
    "headings on two lines": on_two_lines,
    "group headings above": lambda: {**BASE.cells, (4, 1): "Targets", (4, 3): "Inputs", (4, 5): "Weights"},
    "no E1 and E2": total_only,
    "no total": lambda: without("E_total"),
    "sum and activation in one": sums_and_activations_in_one,
    "odd headings": lambda: {**BASE.cells, (5, BASE.at["h1"]): "node one", (5, BASE.at["a_h2"]): "banana"},
    "a rate that decays": decaying_rate,
}  # fmt: skip


def judged(folder: Path, cells: Cells) -> FileReport:
    return audit_workbook(write(folder / "sheet.xlsx", {"S": cells}))


@pytest.mark.parametrize("layout", RIGHT)
def test_nobody_is_accused_for_a_layout(layout: str, tmp_path: Path) -> None:
    report = judged(tmp_path, RIGHT[layout]())
    assert (report.status, report.findings, report.problem) == ("right", (), "")


@pytest.mark.parametrize("layout", RIGHT)
def test_a_wrong_gradient_is_found_in_every_layout(layout: str, tmp_path: Path) -> None:
    """The famous mistake, in whatever way the layout writes dE/dw3: a_h1*(1-a_h1) for a_h2*(1-a_h2)."""
    cells = RIGHT[layout]()
    broken = dict(cells)
    for (row, col), held in cells.items():
        ours = {xl_col_to_name(BASE.at[q] - 1): xl_col_to_name(BASE.at[p] - 1) for q, p in (("a_h2", "a_h1"),)}
        here = BASE.at["w3"] if layout == "updates without gradient columns" else BASE.at["dE/dw3"]
        if col == here and isinstance(held, str) and held.startswith("=") and row <= BASE.last:
            for old, new in ours.items():
                held = re.sub(rf"(?<![A-Z]){old}(\d+)", rf"{new}\1", held)
            broken[row, col] = held
    assert broken != cells
    report = judged(tmp_path, broken)
    assert report.status == "wrong"
    assert {f.place.column for f in report.findings if f.severity == "error"} <= {"dE/dw3", "w3"}  # type: ignore[union-attr]


def momentum() -> Cells:
    found = updates(lambda w, r: f"{BASE.ref(w, r - 1)}+{name(r, BESIDE + BASE.weights.index(w))}")
    for position, w in enumerate(BASE.weights):
        found |= {(5, BESIDE + position): f"v{position + 1}", (BASE.first, BESIDE + position): 0.0}
        for row in LATER:
            before = name(row - 1, BESIDE + position)
            found[row, BESIDE + position] = f"=0.9*{before}-{BASE.rate_cell}*{slope(w, row - 1)}"
    return found


def every_second(w: str, r: int) -> str:
    both = f"{slope(w, r - 1)}+{slope(w, r - 2)}"
    return BASE.ref(w, r - 1) if r % 2 else f"{BASE.ref(w, r - 1)}-{BASE.rate_cell}*({both})"


OTHERWISE: dict[str, Callable[[], Cells]] = {
    "momentum": momentum,
    "weight decay": lambda: {
        **updates(lambda w, r: f"{BASE.ref(w, r - 1)}-{BASE.rate_cell}*({slope(w, r - 1)}+$U$3*{BASE.ref(w, r - 1)})"),
        (3, 20): "lambda",
        (3, 21): 0.01,
    },
    "an update every second row": lambda: updates(every_second),
}  # fmt: skip

UNDECIDED: dict[str, Callable[[], Cells]] = {
    "forward only": lambda: {
        place: held for place, held in without(*(f"dE/d{w}" for w in BASE.weights)).items() if place[0] <= BASE.first
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", OTHERWISE)
def test_what_is_trained_otherwise_is_right_too(layout: str, tmp_path: Path) -> None:
    report = judged(tmp_path, OTHERWISE[layout]())
    assert report.status == "right"
    assert any("follow the gradient" in line for line in report.checked)


@pytest.mark.parametrize("layout", UNDECIDED)
def test_what_is_no_plain_training_is_undecided_and_says_why(layout: str, tmp_path: Path) -> None:
    report = judged(tmp_path, UNDECIDED[layout]())
    assert report.status == "undecided"
    assert not [f for f in report.findings if f.severity == "error"]
    assert report.problem


def test_gradients_of_the_opposite_sign_that_are_added_are_right_with_a_note(tmp_path: Path) -> None:
    cells = updates(lambda w, r: f"{BASE.ref(w, r - 1)}+{BASE.rate_cell}*{slope(w, r - 1)}")
    for row in ROWS:
        for w in BASE.weights:
            cells[row, BASE.at[f"dE/d{w}"]] = f"=-({str(BASE.cells[row, BASE.at[f'dE/d{w}']])[1:]})"
    report = judged(tmp_path, cells)
    assert (report.status, [f.severity for f in report.findings]) == ("right", ["note"])


@pytest.mark.parametrize(
    "swap", [("h1", "h2"), ("a_h1", "a_h2"), ("w3", "w4"), ("E1", "E2"), ("t1", "t2"), ("w3", "w5")]
)
def test_exchanged_headings_are_a_note_and_no_error(swap: tuple[str, str], tmp_path: Path) -> None:
    a, b = (BASE.at[quantity] for quantity in swap)
    cells = {**BASE.cells, (5, a): BASE.cells[5, b], (5, b): BASE.cells[5, a]}
    report = judged(tmp_path, cells)
    assert report.status == "right"
    assert {f.rule for f in report.findings} == {"header"}


def test_caches_that_were_never_written_are_no_mistake(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for (row, col), held in BASE.cells.items():
        sheet.cell(row, col, held)
    book.save(tmp_path / "none.xlsx")
    zero = write(tmp_path / "zero.xlsx", {"S": BASE.cells}, values={"S": {}})
    for path in (tmp_path / "none.xlsx", zero):
        report = audit_workbook(path)
        assert (report.status, report.findings) == ("right", ())


def test_a_pasted_loss_that_hardly_falls_is_read_once(tmp_path: Path) -> None:
    """Rounded, its second loss is its first: the first is then no label of a column that begins with the second."""
    slow = {**BASE.cells, BASE.rate: 0.0001}
    losses = [round(calculate(slow)[row, BASE.at["E_total"]], 4) for row in ROWS]
    assert losses[0] == losses[1]
    cells = dict(BASE.cells)
    for beside in (2, 3):
        cells[BASE.first - 1, BESIDE + beside] = "η=0.0001"
        cells |= {(row, BESIDE + beside): loss for row, loss in zip(ROWS, losses, strict=True)}
    report = judged(tmp_path, cells)
    assert (report.status, report.findings) == ("right", ())
    assert "2 pasted loss columns run again: right" in report.checked


def test_rate_on_another_sheet_and_under_a_defined_name(tmp_path: Path) -> None:
    cells = {place: held for place, held in BASE.cells.items() if place[0] >= 5}
    other = {p: h.replace(BASE.rate_cell, "Par!$B$1") if isinstance(h, str) else h for p, h in cells.items()}
    values = {"S": calculate(BASE.cells)}
    path = write(tmp_path / "other.xlsx", {"S": other, "Par": {(1, 1): "eta", (1, 2): 0.5}}, values=values)
    report = audit_workbook(path)
    assert (report.status, report.findings) == ("right", ())


def typed(sheet: Sheet, digits: int) -> Cells:
    values = calculate(sheet.cells)
    return {
        p: round(values[p], digits) if isinstance(h, str) and h.startswith("=") else h for p, h in sheet.cells.items()
    }


def test_a_table_of_typed_numbers_is_judged_by_the_table_beside_it(tmp_path: Path) -> None:
    other = make(Plan(row=5, rows=8, rate=0.2), random.Random(6))
    report = audit_workbook(write(tmp_path / "a.xlsx", {"formulas": BASE.cells, "typed": typed(other, 6)}))
    assert report.status == "right"
    assert [(f.rule, f.severity) for f in report.findings] == [("pasted-values", "warning")]
    wrong = typed(other, 6)
    wrong[other.first + 3, other.at["a_o2"]] = 0.5
    report = audit_workbook(write(tmp_path / "b.xlsx", {"formulas": BASE.cells, "typed": wrong}))
    assert report.status == "wrong"
    assert "a_o2" in {f.place.column for f in report.findings if f.severity == "error"}  # type: ignore[union-attr]
