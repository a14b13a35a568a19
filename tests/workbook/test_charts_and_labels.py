"""Charts that compare runs are right; the name of a unit is no learning rate; what is wrong is still said."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import xlsxwriter
from tests.workbook.sheets import Cells, Plan, calculate, make
from xlsxwriter.utility import xl_col_to_name

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook
from tinyproof.check.workbook.understand.heading_words import is_rate_word, rate_in

BASE = make(Plan(row=5, rows=10), random.Random(5))
BESIDE = max(BASE.at.values()) + 2
ROWS = range(BASE.first, BASE.last + 1)
RATES = (0.1, 0.5, 1.0, 2.0)


def with_runs(change: float = 0.0) -> Cells:
    """The sheet with the pasted losses of four rates beside it."""
    cells = dict(BASE.cells)
    for k, rate in enumerate(RATES):
        values = calculate({**BASE.cells, BASE.rate: rate})
        cells[BASE.first - 1, BESIDE + k] = f"η = {rate:g}"
        off = {row: change if k == 2 and row > BASE.first else 0.0 for row in ROWS}
        cells |= {(row, BESIDE + k): values[row, BASE.at["E_total"]] + off[row] for row in ROWS}
    return cells


def judged(folder: Path, cells: Cells, *charts: tuple[str, list[tuple[int, int, int]]]) -> FileReport:
    """`charts`: a title, and the series as (column, first row, last row)."""
    numbers = calculate(cells)
    with xlsxwriter.Workbook(str(folder / "a.xlsx")) as book:
        page = book.add_worksheet("S")
        for (row, col), held in cells.items():
            if isinstance(held, str) and held.startswith("="):
                page.write_formula(row - 1, col - 1, held, None, numbers[row, col])
            else:
                page.write(row - 1, col - 1, held)
        for title, series in charts:
            chart = book.add_chart({"type": "line"})
            for col, first, last in series:
                letters = xl_col_to_name(col - 1)
                chart.add_series({"values": f"=S!${letters}${first}:${letters}${last}"})
            chart.set_title({"name": title})
            page.insert_chart(0, 70, chart)
    return audit_workbook(folder / "a.xlsx")


WHOLE = [(BESIDE + k, BASE.first, BASE.last) for k in range(len(RATES))]
LOSS = (BASE.at["E_total"], BASE.first, BASE.last)


@pytest.mark.parametrize("title", ["", "Loss", "Error over the steps"])
@pytest.mark.parametrize("series", [WHOLE, [LOSS, *WHOLE]], ids=["runs", "runs and the table's own"])
def test_a_chart_that_compares_runs_is_right(title: str, series: list[tuple[int, int, int]], tmp_path: Path) -> None:
    report = judged(tmp_path, with_runs(), (title, series))
    assert (report.status, report.findings) == ("right", ())
    assert "4 pasted loss columns run again: right" in report.checked


def test_a_wrong_run_in_the_comparison_is_still_found(tmp_path: Path) -> None:
    report = judged(tmp_path, with_runs(0.01), ("Loss", WHOLE))
    assert [f.rule for f in report.findings] == ["pasted-loss"]


def test_a_curve_that_is_shorter_than_the_others_leaves_rows_out(tmp_path: Path) -> None:
    short = (LOSS[0], LOSS[1] + 3, LOSS[2])
    report = judged(tmp_path, with_runs(), ("Loss", [short, *WHOLE]))
    assert [(f.rule, f.severity) for f in report.findings] == [("chart-range", "warning")]


def test_a_single_curve_of_something_else_is_still_a_warning(tmp_path: Path) -> None:
    report = judged(tmp_path, BASE.cells, ("Loss", [(BASE.at["a_o1"], BASE.first, BASE.last)]))
    assert [f.rule for f in report.findings] == ["chart-range"]


@pytest.mark.parametrize(
    "text", ["η =", "n =", "n = 0.5", "lr=0.5", "L.R", "lr0.5", "eta 2", "alpha", "ɳ = 0.1", "η0.1"]
)
def test_a_label_of_the_rate_is_one(text: str) -> None:
    assert is_rate_word(text)


@pytest.mark.parametrize("text", ["n1", "N2", "alpha1", "eta3", "lr2", "n12"])
def test_the_name_of_a_unit_is_no_rate(text: str) -> None:
    assert not is_rate_word(text)
    assert rate_in(text) is None


def test_a_unit_called_n1_beside_a_number_gives_no_note(tmp_path: Path) -> None:
    cells: Cells = {**BASE.cells, (1, 1): "n1", (1, 2): 3.0}
    report = judged(tmp_path, cells)
    assert (report.status, report.findings) == ("right", ())
    assert "learning rate 0.5" in report.checked[0]


@pytest.mark.parametrize(("more", "told"), [(0, False), (1, False), (2, True)])
def test_a_chart_that_goes_on_below_the_table(more: int, told: bool, tmp_path: Path) -> None:
    """One cell more, the sum or the next block's heading, is a slip that nobody sees; two draw another thing."""
    col, first, last = LOSS
    cells = {**BASE.cells, (last + 1, col): 5.0, (last + 2, col): 7.0}
    report = judged(tmp_path, cells, ("Loss", [(col, first, last + more)]))
    said = [finding.message for finding in report.findings if "draws cells below the table" in finding.message]
    assert bool(said) is told


def test_an_error_says_what_it_changes(tmp_path: Path) -> None:
    """Of the gradients and of the loss at the end: a formula that passes through the wrong unit."""
    wrong = BASE.at["dE/dw1"]
    cells = {place: _other_unit(held) if place[1] == wrong else held for place, held in BASE.cells.items()}
    found = [finding for finding in judged(tmp_path, cells).findings if finding.severity == "error"]
    assert found
    assert all("the gradient is off by" in str(finding.to_json()) for finding in found)


def _other_unit(held: object) -> object:
    """A gradient's formula times 1.1."""
    return f"=1.1*({held[1:]})" if isinstance(held, str) and held.startswith("=") else held
