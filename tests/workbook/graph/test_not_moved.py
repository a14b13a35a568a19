"""Formulas that were copied without being moved, and rates that go missing on the way: never called right."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line, sheets


def unit(rows: int = 8) -> Cells:
    """One weight, one input, new weights beside the old ones, the step in a column of its own."""
    cells: Cells = {"A1": "rate", "B1": 0.2, "A2": "x", "B2": 0.7, "A3": "goal", "B3": 1.1}
    cells |= {"A5": "w", "B5": "guess", "C5": "gap", "D5": "slope", "E5": "step", "F5": "next w"}
    for i in range(rows):
        r = 6 + i
        cells |= {f"A{r}": 0.4 if i == 0 else f"=F{r - 1}", f"B{r}": f"=A{r}*$B$2", f"C{r}": f"=B{r}-$B$3"}
        cells |= {f"D{r}": f"=C{r}*$B$2", f"E{r}": f"=$B$1*D{r}", f"F{r}": f"=A{r}-E{r}"}
    return cells


def scaled_unit(rows: int = 8) -> Cells:
    """The same, each step divided by the root of a running mean of squares."""
    cells = unit(rows)
    for r in range(6, 6 + rows):
        before = f"0.9*G{r - 1}+" if r > 6 else ""
        cells |= {f"G{r}": f"={before}0.1*D{r}^2", f"E{r}": f"=$B$1*D{r}/(SQRT(G{r})+0.0001)"}
    return cells


def test_one_weight_is_right_with_and_without_a_running_mean(tmp_path: Path) -> None:
    for made in (unit(), scaled_unit()):
        report = judged(tmp_path, made)
        assert report.status == "right", report.problem


def test_an_update_that_was_not_moved_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, unit() | {f"F{r}": "=A7-E7" for r in range(8, 12)})
    assert report.status == "wrong", report.problem
    assert any("F8" in cells for cells in errors(report)), errors(report)


@pytest.mark.parametrize("row", [8, 11])  # nothing reads the last one
def test_one_update_that_says_what_the_row_before_says_is_named(row: int, tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {f"J{row}": f"=D{row - 1}-$H$1*G{row - 1}"})
    assert report.status == "wrong", report.problem
    assert any(f"J{row}" in cells for cells in errors(report)), errors(report)


def test_copies_that_still_read_an_older_weight_are_named_and_no_others(tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {f"D{r}": "=J5" for r in range(7, 12)})
    assert report.status == "wrong", report.problem
    named = ",".join(errors(report))
    assert all(f"D{r}" in named for r in range(7, 12)), named
    assert "F" not in named, named


def test_a_rate_that_goes_missing_half_way_is_never_right(tmp_path: Path) -> None:
    report = judged(tmp_path, unit() | {f"E{r}": f"=D{r}" for r in range(11, 14)})
    assert report.status == "wrong", report.problem
    assert any("E11" in cells for cells in errors(report)), errors(report)


def test_a_rate_that_goes_missing_half_way_is_never_right_with_a_running_mean(tmp_path: Path) -> None:
    report = judged(tmp_path, scaled_unit() | {f"E{r}": f"=D{r}/(SQRT(G{r})+0.0001)" for r in range(10, 14)})
    assert report.status != "right"


def test_a_new_weight_that_nobody_goes_on_from_is_never_right(tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {"D8": "=D7"})
    assert report.status != "right"


def test_a_new_weight_that_is_shown_once_more_accuses_nobody(tmp_path: Path) -> None:
    cells = line() | {"L4": 0.3, "M4": -0.4, "L14": "=C11-$H$1*F11", "M14": "=D11-$H$1*G11", "M13": "=D10-$H$1*G10"}
    report = judged(tmp_path, cells)
    assert report.status == "right", (report.problem, errors(report))


def test_copies_that_lag_a_step_behind_from_some_step_on_are_one_finding(tmp_path: Path) -> None:
    report = judged(tmp_path, line(rows=10) | {f"C{r}": f"=I{r - 2}" for r in range(10, 14)})
    assert (report.status, errors(report)) == ("wrong", ["C10:C13"])


def test_an_empty_cell_that_a_step_starts_from_is_named(tmp_path: Path) -> None:
    cells = unit()
    del cells["A9"]
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("wrong", ["A9"])
    assert [finding.fix for finding in report.findings if finding.severity == "error"] == ["=F8"]
    assert any("is empty" in finding.message for finding in report.findings)


def test_a_training_that_starts_anew_is_right(tmp_path: Path) -> None:
    report = judged(tmp_path, unit() | {"A10": 0.9})
    assert report.status == "right", report.problem


def test_weights_in_columns_of_their_own_shifts_are_right(tmp_path: Path) -> None:
    """The copies of each weight stand as far from it as it happens: none of them reads an older one."""
    cells = line()
    for r in range(4, 12):
        cells |= {f"L{r}": cells.pop(f"J{r}"), f"D{r + 1}": f"=L{r}"}
    del cells["D12"]
    report = judged(tmp_path, cells)
    assert report.status == "right", report.problem


def test_new_weights_that_are_typed_in_every_step_are_never_right(tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {f"J{r}": 0.1 * r for r in range(4, 12)})
    assert (report.status, errors(report)) == ("undecided", [])
    assert "is a typed number where other parameters are updated" in report.problem


def test_a_check_beside_the_last_step_accuses_nobody(tmp_path: Path) -> None:
    cells = [dict(sheet) | {"D13": "=B5-B10"} for sheet in sheets()]
    report = judged(tmp_path, *cells)
    assert report.status == "right", (report.problem, errors(report))
