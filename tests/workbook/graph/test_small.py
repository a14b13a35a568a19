"""Small workbooks of every layout: right ones are right, broken ones are wrong at their cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, blocks, errors, judged, line, matrices, momentum, perceptron, sheets

RIGHT: dict[str, Callable[[], tuple[Cells, ...]]] = {
    "new weights in columns": lambda: (line(),),
    "momentum": lambda: (momentum(),),
    "a block a step": lambda: (blocks(),),
    "a threshold unit": lambda: (perceptron(),),
    "matrices": lambda: (matrices(),),
    "a sheet a step": sheets,
}


@pytest.mark.parametrize("layout", RIGHT)
def test_right_is_called_right_and_says_what_was_compared(layout: str, tmp_path: Path) -> None:
    report = judged(tmp_path, *RIGHT[layout]())
    assert report.status == "right", (report.problem, errors(report))
    assert any("follow the gradient" in checked for checked in report.checked)


WRONG: dict[str, tuple[Callable[[], tuple[Cells, ...]], str]] = {
    "the target for the input": (lambda: (line("2*(E{r}-B{r})*B{r}"),), "F4:F11"),
    "a median for a sum": (lambda: (blocks(bias="MEDIAN"),), "F10"),
    "the other input": (lambda: (perceptron(second="A"),), "E3"),
    "uphill": (lambda: (perceptron(sign="-"),), "D3"),
    "another input's factor": (lambda: sheets("B11"), "B11"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_is_named_at_its_cell(mistake: str, tmp_path: Path) -> None:
    made, cell = WRONG[mistake]
    report = judged(tmp_path, *made())
    assert report.status == "wrong", report.problem
    assert any(cell in cells for cells in errors(report)), errors(report)


def test_a_lost_gate_is_never_called_right(tmp_path: Path) -> None:
    assert judged(tmp_path, matrices(gate=False)).status != "right"


def test_one_odd_cell_is_named_and_the_mend_says_what_its_neighbours_say(tmp_path: Path) -> None:
    cells = line()
    cells["F7"] = "=2*(E7-B7)*A6"
    report = judged(tmp_path, cells)
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.place.cells == "F7"  # type: ignore[union-attr]
    assert finding.fix == "=2*(E7-B7)*A7"


def test_a_mend_is_printed_in_excel_and_in_the_names_of_the_sheet(tmp_path: Path) -> None:
    report = judged(tmp_path, line("2*(E{r}-B{r})*B{r}"))
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.fix == "=2*(E4-B4)*A4"
    assert "guess" in finding.should_say
    assert finding.says == "=2*(E4-B4)*B4"


def test_what_cannot_be_read_is_undecided(tmp_path: Path) -> None:
    cells = line()
    for r in range(4, 12):
        cells[f"E{r}"] = f"=CEILING(C{r}*A{r}+D{r},0.001)"
    report = judged(tmp_path, cells)
    assert report.status == "undecided"
    assert not errors(report)


def test_a_sheet_without_training_is_said_to_be_that(tmp_path: Path) -> None:
    report = judged(tmp_path, {"A1": 1.0, "A2": "=A1*2", "A3": "=A2*A1-3"})
    assert report.status == "undecided"
    assert "nothing is trained" in report.problem


def test_an_objective_that_is_not_known_accuses_nobody(tmp_path: Path) -> None:
    report = judged(tmp_path, line("(E{r}-B{r})^3*A{r}") | {f"G{r}": f"=(E{r}-B{r})^3" for r in range(4, 12)})
    assert report.status == "undecided"
    assert "follow no objective" in report.problem
