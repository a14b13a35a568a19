"""Nobody is accused for a sheet that was not understood, nor for a formula that could not be read."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workbook.sheets import Cells, Plan, make, name, write

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook

BASE = make(Plan(row=5, rows=8), random.Random(5))
HELPED = make(Plan(row=5, rows=9, helpers=True), random.Random(8))
ROWS = range(BASE.first, BASE.last + 1)


def judged(folder: Path, cells: Cells) -> FileReport:
    """The audit of a sheet whose file holds no numbers for its formulas, where Python cannot compute one of them."""
    known = not any(word in str(held) for held in cells.values() for word in ("DOLLARDE", ":"))
    return audit_workbook(write(folder / "sheet.xlsx", {"S": cells}, values=None if known else {"S": {}}))


def errors(report: FileReport) -> set[str]:
    return {f.place.column for f in report.findings if f.severity == "error"}  # type: ignore[union-attr]


# Other ways to learn, all of them right ------------------------------------------------------------------------------

POINTS = [(3.0, 11.0), (1.0, 4.5), (2.0, 8.1), (5.0, 16.4), (4.0, 13.0), (2.5, 9.0), (1.5, 6.2), (3.5, 12.1)]


def line(slope: str = "G{r}*A{r}", step: str = "{w}{r}-$B$1*{g}{r}") -> Cells:
    """A line fitted one example a row; the new weights stand in columns of their own, the next row copies them."""
    cells: Cells = {(1, 1): "step size", (1, 2): 0.01, (2, 1): "start", (2, 2): 0.5, (2, 3): 0.1}
    heads = ["x", "y", "slope", "offset", "guess", "loss", "de/doffset", "de/dslope", "new offset", "new slope"]
    cells |= {(4, col): head for col, head in enumerate(heads, 1)}
    for row, (x, y) in enumerate(POINTS, 5):
        first = row == 5
        cells |= {(row, 1): x, (row, 2): y}
        cells[row, 3], cells[row, 4] = ("=$B$2", "=$C$2") if first else (f"=J{row - 1}", f"=I{row - 1}")
        texts = ["C{r}*A{r}+D{r}", "(E{r}-B{r})^2", "2*(E{r}-B{r})", slope]
        texts += [step.format(w="D", g="G", r="{r}"), step.format(w="C", g="H", r="{r}")]
        cells |= {(row, 5 + k): "=" + text.format(r=row) for k, text in enumerate(texts)}
    return cells


def examples_in_blocks() -> Cells:
    """A batch of three rows a step: weights stand once a block, sums run over the block."""
    cells: Cells = {(1, 1): "learning rate", (1, 2): 0.4}
    for block in range(3):
        top = 4 + 6 * block
        for col, head in enumerate(["i1", "t1", "w1", "b1", "h1", "a_h1", "E1", "d", "dE/dw1", "dE/db1"], 1):
            cells[top, col] = head
        for k, (x, t) in enumerate([(0.4, 1.0), (-0.6, 0.0), (0.9, 1.0)]):
            r, first = top + 1 + k, top + 1
            cells |= {(r, 1): x, (r, 2): t}
            cells[r, 5] = f"=A{r}*C{first}+D{first}"
            cells[r, 6] = f"=1/(1+EXP(-E{r}))"
            cells[r, 7] = f"=0.5*(F{r}-B{r})^2"
            cells[r, 8] = f"=(F{r}-B{r})*F{r}*(1-F{r})"
        first = top + 1
        cells[first, 9] = "=" + "+".join(f"H{r}*A{r}" for r in range(first, first + 3))
        cells[first, 10] = f"=SUM(H{first}:H{first + 2})"
        for col, letters in ((3, "I"), (4, "J")):
            before = name(first - 6, col)
            cells[first, col] = 0.2 * col if block == 0 else f"={before}-$B$1*{letters}{first - 6}"
    return cells


def two_kinds_of_rows() -> Cells:
    """A helper column whose rows say one thing as often as another, as for two examples in turn."""
    cells = dict(HELPED.cells)
    col, unit = HELPED.at["dE/do1"], "o1"
    for row in range(HELPED.first, HELPED.last + 1, 2):
        cells[row, col] = f"=1*({str(cells[row, col])[1:]})*{HELPED.ref('a_' + unit, row)}/{HELPED.ref('a_o1', row)}"
    return cells


OTHERS: dict[str, Callable[[], Cells]] = {
    "new weights in columns, headed in other words": line,
    "a batch in blocks of rows": examples_in_blocks,
    "a helper column of two kinds of rows": two_kinds_of_rows,
}


@pytest.mark.parametrize("layout", OTHERS)
def test_another_way_to_learn_is_never_called_wrong(layout: str, tmp_path: Path) -> None:
    report = judged(tmp_path, OTHERS[layout]())
    assert report.status in ("right", "undecided")
    assert not errors(report)
    assert report.status == "right" or "sheet" in report.problem


def test_a_table_that_was_not_understood_has_no_column_that_is_right(tmp_path: Path) -> None:
    report = judged(tmp_path, line())
    assert report.status in ("right", "undecided")
    assert not [line for line in report.checked if "columns checked" in line]


def test_a_few_odd_rows_of_a_helper_column_are_named(tmp_path: Path) -> None:
    cells, col = dict(HELPED.cells), HELPED.at["dE/do1"]
    row = HELPED.first + 4
    cells[row, col] = str(cells[row, col]).replace("(1-", "(2-")
    report = judged(tmp_path, cells)
    assert report.status == "wrong"
    assert [(f.rule, f.place.cells) for f in report.findings if f.severity == "error"] == [  # type: ignore[union-attr]
        ("inconsistent-rows", name(row, col))
    ]


# What cannot be read ------------------------------------------------------------------------------------------------


def unreadable_layer(*units: str) -> Cells:
    cells = dict(BASE.cells)
    for unit in units:
        for row in ROWS:
            cells[row, BASE.at[unit]] = f"=DOLLARDE({str(cells[row, BASE.at[unit]])[1:]},4)"
    return cells


@pytest.mark.parametrize("units", [("h1",), ("h1", "h2"), ("o1", "o2"), ("a_h1", "a_h2"), ("h1", "h2", "o1", "o2")])
def test_what_depends_on_an_unread_formula_is_undecided(units: tuple[str, ...], tmp_path: Path) -> None:
    report = judged(tmp_path, unreadable_layer(*units))
    assert report.status == "undecided"
    assert not errors(report)
    assert "DOLLARDE" in report.problem
    assert "dE/dw1" in report.problem
    assert "could not be judged" in report.problem


def test_what_does_not_depend_on_it_is_judged_all_the_same(tmp_path: Path) -> None:
    cells = unreadable_layer("h1", "h2")
    for row in ROWS:
        held = str(cells[row, BASE.at["dE/dw5"]])
        cells[row, BASE.at["dE/dw5"]] = held.replace(BASE.ref("a_h1", row), BASE.ref("a_h2", row))
    report = judged(tmp_path, cells)
    assert report.status == "wrong"
    assert errors(report) == {"dE/dw5"}


def test_an_update_is_judged_although_its_gradient_is_not_known(tmp_path: Path) -> None:
    cells = unreadable_layer("h1", "h2")
    for row in list(ROWS)[1:]:
        cells[row, BASE.at["w1"]] = f"={BASE.ref('w1', row - 1)}+{BASE.rate_cell}*{BASE.ref('dE/dw1', row - 1)}"
    report = judged(tmp_path, cells)
    assert errors(report) == {"w1"}


def test_an_unread_helper_taints_the_gradients_that_read_it(tmp_path: Path) -> None:
    cells = dict(HELPED.cells)
    for row in range(HELPED.first, HELPED.last + 1):
        place = row, HELPED.at["dE/do1"]
        cells[place] = f"=DOLLARDE({str(cells[place])[1:]},4)"
    report = judged(tmp_path, cells)
    assert report.status == "undecided"
    assert not errors(report)


# One given number in two places --------------------------------------------------------------------------------------


def givens_also_outside(first: str, second: str) -> Cells:
    cells: Cells = {**BASE.cells, (1, 1): "i1", (1, 2): 0.05, (2, 1): "i2", (2, 2): 0.1}
    for row in ROWS:
        cells[row, BASE.at["h1"]] = f"={BASE.ref('w1', row)}*{first}+{BASE.ref('w2', row)}*{second}"
    return cells


def test_a_sum_over_the_same_givens_outside_the_table_is_right(tmp_path: Path) -> None:
    report = judged(tmp_path, givens_also_outside("$B$1", "$B$2"))
    assert (report.status, report.findings) == ("right", ())


def test_the_same_givens_exchanged_are_named_in_the_sum(tmp_path: Path) -> None:
    report = judged(tmp_path, givens_also_outside("$B$2", "$B$1"))
    assert (report.status, errors(report)) == ("wrong", {"h1"})


# Reasons ------------------------------------------------------------------------------------------------------------


def threshold_unit() -> Cells:
    heads = ["x1", "e1", "e2", "class", "guess", "h1", "error"]
    cells: Cells = {(1, 1): "eta", (1, 2): 0.05, **{(3, col): head for col, head in enumerate(heads, 1)}}
    for row in range(4, 30):
        x = ((row * 37) % 19 - 9) / 5
        cells |= {(row, 1): x, (row, 2): f"=A{row}*0.1", (row, 3): f"=B{row}-0.2", (row, 4): f"=IF(A{row}>C{row},1,-1)"}
        cells[row, 5] = 0.0 if row == 4 else f"=E{row - 1}+G{row - 1}*A{row - 1}*$B$1"
        cells |= {(row, 6): f"=IF(A{row}*E{row}>0.4,1,-1)", (row, 7): f"=D{row}-F{row}"}
    return cells


REASONS: dict[str, tuple[Callable[[], Cells], str]] = {
    "texts only": (lambda: {(1, 1): "remarks", (2, 1): "none"}, "no formula"),
    "few formulas": (lambda: {(row, 1): f"=B{row}+1" for row in range(1, 9)}, "it has 8 formulas in 8 rows"),
    "no sheet that holds anything": (dict, "its sheets are empty"),
    "no loss": (
        lambda: {(row, col): f"={name(row - 1, col)}+{col}" for row in range(3, 9) for col in range(1, 12)},
        "in rows 3 to 8 is called a loss",
    ),
}


@pytest.mark.parametrize("name_of", REASONS)
def test_the_reason_is_true(name_of: str, tmp_path: Path) -> None:
    cells, words = REASONS[name_of]
    report = judged(tmp_path, cells())
    assert (report.status, report.findings) == ("undecided", ())
    assert words in report.problem


def test_columns_that_are_computed_from_the_loss_are_no_way_to_it(tmp_path: Path) -> None:
    """A unit that reads the error: it was an internal message, and is a sentence."""
    heads = ["x1", "w1", "h1", "error", "a_h1", "t1", "o1"]
    cells: Cells = {(3, col): head for col, head in enumerate(heads, 1)}
    for row in range(4, 12):
        cells |= {(row, 1): row / 7, (row, 2): 0.3, (row, 6): 0.5, (row, 3): f"=A{row}*B{row}", (row, 7): f"=E{row}+1"}
        cells |= {(row, 4): f"=C{row}-F{row}", (row, 5): f"=1/(1+EXP(-D{row}))"}
    report = judged(tmp_path, cells)
    assert report.status == "undecided"
    assert "@" not in report.problem
    assert "no gradient columns and no updates" in report.problem


def test_a_threshold_is_no_gradient_descent(tmp_path: Path) -> None:
    report = judged(tmp_path, threshold_unit())
    assert report.status in ("right", "undecided")
    assert not errors(report)
    assert not [line for line in report.checked if "columns checked" in line]


def test_a_sheet_is_understood_wholly_or_left_to_others(tmp_path: Path) -> None:
    from tinyproof.check.workbook.audit_table import audit_table, understood_wholly
    from tinyproof.check.workbook.read.open_book import open_book
    from tinyproof.check.workbook.understand.grid import Grid
    from tinyproof.check.workbook.understand.tables import find_tables

    def understood(cells: Cells) -> bool:
        grid = Grid(open_book(write(tmp_path / "a.xlsx", {"S": cells}, values={"S": {}})))
        return understood_wholly([audit_table(grid, table) for table in find_tables(grid, 0)], 0)

    assert understood(BASE.cells)
    assert understood(unreadable_layer("h1"))  # undecided, and nobody else can read it either
    assert not understood(line())
    assert not understood(examples_in_blocks())
    assert not understood({(1, 1): "=1+1"})


def running_square(slope: str = "*(1-E{r})") -> Cells:
    """The change is the gradient divided by the root of a running mean of its square, which stands before it."""
    heads = ["i1", "t1", "w1", "o1", "a_o1", "E1", "square", "slope"]
    cells: Cells = {(1, 1): "learning rate", (1, 2): 0.1, **{(3, col): head for col, head in enumerate(heads, 1)}}
    for r in range(4, 13):
        cells |= {(r, 1): 0.6, (r, 2): 0.9, (r, 3): 0.3 if r == 4 else f"=C{r - 1}-$B$1*H{r - 1}/SQRT(G{r - 1})"}
        cells |= {(r, 4): f"=A{r}*C{r}", (r, 5): f"=1/(1+EXP(-D{r}))", (r, 6): f"=0.5*(B{r}-E{r})^2"}
        cells |= {(r, 7): f"=0.1*H{r}^2" if r == 4 else f"=0.9*G{r - 1}+0.1*H{r}^2"}
        cells |= {(r, 8): f"=(E{r}-B{r})*E{r}{slope.format(r=r)}*A{r}"}
    return cells


@pytest.mark.parametrize(("slope", "status"), [("*(1-E{r})", "right"), ("", "wrong")])
def test_a_second_column_that_an_update_reads_is_no_gradient_of_anything(
    slope: str, status: str, tmp_path: Path
) -> None:
    assert judged(tmp_path, running_square(slope)).status == status


def test_a_running_square_that_climbs_is_not_right(tmp_path: Path) -> None:
    """The root turns no sign: a change that is added where it should be taken off goes uphill at every step."""
    cells = running_square()
    up = {
        place: value.replace("-$B$1*H", "+$B$1*H") if isinstance(value, str) else value
        for place, value in cells.items()
    }
    assert judged(tmp_path, up).status != "right"


def line_with(added: str) -> Cells:
    """A line fitted step by step; something is added to the slope of its weight, and nothing to that of its bias."""
    heads = ["x", "t", "w", "b", "y", "E", "slope of w", "slope of b"]
    cells: Cells = {(1, 1): "learning rate", (1, 2): 0.1, **{(3, col): head for col, head in enumerate(heads, 1)}}
    for r in range(4, 13):
        cells |= {(r, 1): 0.6 + 0.1 * (r % 3), (r, 2): 0.9 - 0.05 * (r % 4)}
        cells |= {(r, 3): 0.3 if r == 4 else f"=C{r - 1}-$B$1*(G{r - 1}{added.format(r=r - 1)})"}
        cells |= {(r, 4): 0.1 if r == 4 else f"=D{r - 1}-$B$1*H{r - 1}", (r, 5): f"=C{r}*A{r}+D{r}"}
        cells |= {(r, 6): f"=0.5*(B{r}-E{r})^2", (r, 7): f"=(E{r}-B{r})*A{r}", (r, 8): f"=E{r}-B{r}"}
    return cells


PENALTIES = {
    "": "right",
    "+0.01*C{r}": "right",  # weight decay
    "+0.01*IF(C{r}>0,1,-1)": "right",  # lasso: the slope of an absolute value
    "+0.01*(1-EXP(-C{r}))": "undecided",
    "+0.01*A{r}": "wrong",  # a term of the data belongs to no penalty
}


@pytest.mark.parametrize("added", PENALTIES)
def test_a_term_of_the_weight_alone_may_be_a_penalty_and_accuses_nobody(added: str, tmp_path: Path) -> None:
    assert judged(tmp_path, line_with(added)).status == PENALTIES[added]


def test_a_formula_that_was_filled_too_far_is_read_to_the_end(tmp_path: Path) -> None:
    """It reads a cell left of the first column: nobody is accused for it, and the others are judged."""
    from tinyproof.check.workbook import audit_book
    from tinyproof.check.workbook.read.cells import Book, Cell, ReadSheet
    from tinyproof.check.workbook.read.open_book import open_book

    sheet = open_book(write(tmp_path / "sheet.xlsx", {"S": BASE.cells})).sheets[0]
    first = sheet.cells[BASE.first, BASE.at["a_h1"]]
    shifted = {(row, 1): Cell(0.5, "n", first.formula, first.from_row, first.from_col) for row in ROWS}
    report = audit_book(Book((ReadSheet("S", {**sheet.cells, **shifted}),)), "sheet.xlsx")
    assert not errors(report)
    assert report.views
