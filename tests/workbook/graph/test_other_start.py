"""What is taken off the wrong number, or off none: named where it is sure, else in doubt; look-alikes are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line
from tests.workbook.graph.test_alone_or_not import biased
from tests.workbook.graph.test_beside_training import unit


def stepped(changed: Cells | None = None, rows: int = 9) -> Cells:
    """One example downwards with nine parameters; each is moved by its derivative, in F1 to F9, once."""
    new: Cells = {f"F{r}": f"=B{5 + r}-0.4*D{r}" for r in range(1, 1 + rows)}
    return biased(new | (changed or {}))


def test_every_number_less_its_own_derivative_is_right(tmp_path: Path) -> None:
    report = judged(tmp_path, stepped())
    assert report.status == "right", report.problem


@pytest.mark.parametrize(("row", "other"), [(7, 13), (2, 9), (8, 6)])
def test_a_derivative_that_is_taken_off_another_number_is_named(row: int, other: int, tmp_path: Path) -> None:
    report = judged(tmp_path, stepped({f"F{row}": f"=B{other}-0.4*D{row}"}))
    assert (report.status, errors(report)) == ("wrong", [f"F{row}"])
    assert report.findings[0].fix == f"=B{5 + row}-0.4*D{row}"


@pytest.mark.parametrize("row", [1, 4, 6])
def test_a_number_typed_where_an_update_belongs_is_not_right(row: int, tmp_path: Path) -> None:
    report = judged(tmp_path, stepped({f"F{row}": 0.25}))
    assert (report.status, errors(report)) == ("undecided", [])
    assert f"D{row})" in report.problem
    assert "nothing takes it off" in report.problem


def test_a_number_that_is_given_no_derivative_is_a_constant(tmp_path: Path) -> None:
    cells = {place: held for place, held in stepped().items() if place not in ("C7", "D7", "F7")}
    report = judged(tmp_path, cells)
    assert report.status == "right", report.problem


def test_one_update_that_is_wrong_beside_derivatives_that_nothing_uses_is_not_right(tmp_path: Path) -> None:
    assert judged(tmp_path, biased({"F1": "=B6-0.4*D1"})).status == "right"
    report = judged(tmp_path, biased({"F1": "=B6-0.4*D2"}))
    assert (report.status, errors(report)) == ("undecided", [])


@pytest.mark.parametrize("change", ["$K$1", "0.05"])
def test_a_weight_that_a_number_moves_is_in_doubt(change: str, tmp_path: Path) -> None:
    cells = unit() | {"K1": 0.03} | {f"C{r}": f"=C{r - 1}-{change}" for r in range(5, 12)}
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("undecided", [])
    assert "whatever the error is" in report.problem


def test_updates_that_all_start_from_an_older_weight_are_named_and_not_their_gradients(tmp_path: Path) -> None:
    older: Cells = {f"I{r}": f"=C{r - 1}-$H$1*F{r}" for r in range(5, 12)}
    report = judged(tmp_path, line() | older)
    assert report.status == "wrong", report.problem
    assert all("I" in cells and "F" not in cells for cells in errors(report)), errors(report)


def test_a_bias_with_a_velocity_that_no_unit_reads_is_in_doubt(tmp_path: Path) -> None:
    def with_velocity(total: str) -> Cells:
        cells = unit(total=total)
        for r in range(4, 12):
            before = r > 4
            cells |= {f"J{r}": f"={f'0.9*J{r - 1}+' if before else ''}F{r}*A{r}"}
            cells |= {f"K{r}": f"={f'0.9*K{r - 1}+' if before else ''}F{r}"}
        for r in range(5, 12):
            cells |= {f"C{r}": f"=C{r - 1}-$H$1*J{r - 1}", f"D{r}": f"=D{r - 1}-$H$1*K{r - 1}"}
        return cells

    assert judged(tmp_path, with_velocity("A{r}*C{r}+D{r}")).status == "right"
    report = judged(tmp_path, with_velocity("A{r}*C{r}"))
    assert (report.status, errors(report)) == ("undecided", [])
