"""Penalties, clipped errors and losses that contradict each other: right ones are not accused, others never right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.workbook.graph.small import Cells, errors, judged
from tests.workbook.graph.test_losses_with_corners import ROWS, decayed_plane, machine

from tinyproof.check.workbook.graph.penalties import least_squares


@pytest.mark.parametrize("rate", ["1/($M$2*N{r})", "$M$1/N{r}", "0.3/N{r}"])
def test_a_penalised_machine_whose_rate_falls_is_right(rate: str, tmp_path: Path) -> None:
    cells = machine(decay="+$M$2*{w}")
    for t, r in enumerate(ROWS, start=2):
        cells[f"N{r}"] = t
        for place in (f"D{r}", f"E{r}", f"G{r}"):
            text = str(cells[place])
            cells[place] = text.replace("$M$1", rate.format(r=r)) if text.startswith("=") else cells[place]
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("right", [])


def test_a_penalty_that_comes_late_is_not_accused(tmp_path: Path) -> None:
    cells = decayed_plane()
    for r in range(4, 8):
        cells |= {f"{c}{r}": str(cells[f"{c}{r}"]).split("+")[0] for c in "HIJ"}
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("undecided", [])


def penalised(loss: str, first: str, second: str) -> Cells:
    cells = decayed_plane()
    for r in range(4, 12):
        cells |= {f"H{r}": f"=F{r}*A{r}{first.format(w=f'D{r}')}", f"I{r}": f"=F{r}*B{r}{second.format(w=f'E{r}')}"}
        cells |= {f"J{r}": f"=F{r}", f"K{r}": f"=F{r}^2/2{loss.format(a=f'D{r}', b=f'E{r}')}"}
    return cells


SIZE, SQUARE = "+$M$2*(ABS({a})+ABS({b}))", "+$M$2/2*({a}^2+{b}^2)"
CORNER, SHARE = "+$M$2*SIGN({w})", "+$M$2*{w}"


@pytest.mark.parametrize(("loss", "slope"), [(SIZE, CORNER), (SQUARE, SHARE)])
def test_a_penalty_that_the_loss_has_is_right(loss: str, slope: str, tmp_path: Path) -> None:
    assert judged(tmp_path, penalised(loss, slope, slope)).status == "right"


@pytest.mark.parametrize(("loss", "slope"), [(SIZE, CORNER), (SQUARE, SHARE)])
@pytest.mark.parametrize("times", ["", "2*"])
def test_another_penalty_than_that_of_the_loss_is_not_right(loss: str, slope: str, times: str, tmp_path: Path) -> None:
    other = slope.replace("+", "+" + times) if times else ""
    assert judged(tmp_path, penalised(loss, other, slope)).status != "right"
    assert judged(tmp_path, penalised(loss, other, other)).status != "right"


def test_two_kinds_of_penalty_are_undecided(tmp_path: Path) -> None:
    cells = {place: held for place, held in penalised("", CORNER, SHARE).items() if place[0] != "K"}
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("undecided", [])


@pytest.mark.parametrize("loss", ["(1-F{r})^2", "LN(1+EXP(-F{r}))", "IF(F{r}<0.5,0.5-F{r},0)", "MAX(0,-F{r})"])
def test_a_machine_beside_another_loss_is_not_right(loss: str, tmp_path: Path) -> None:
    report = judged(tmp_path, machine(loss=loss))
    assert (report.status, errors(report)) == ("undecided", [])


def test_an_error_that_is_clipped_for_one_parameter_is_undecided(tmp_path: Path) -> None:
    cells = penalised("", "", "") | {f"J{r}": f"=MAX(-1,MIN(1,F{r}))" for r in range(4, 12)}
    report = judged(tmp_path, {place: held for place, held in cells.items() if place[0] != "K"})
    assert (report.status, errors(report)) == ("undecided", [])


def test_a_switch_is_no_machine(tmp_path: Path) -> None:
    cells: Cells = {"A3": 5.0, "C3": "=IF(A3<20,1,0)"}
    for r in range(4, 14):
        cells |= {f"A{r}": f"=A{r - 1}+C{r - 1}", f"C{r}": f"=IF(A{r}<20,1,0)"}
    assert judged(tmp_path, cells).status == "undecided"


def test_numbers_beyond_all_bounds_solve_nothing() -> None:
    fit, rank = least_squares(np.full((6, 2), np.inf), np.ones(6))
    assert np.isnan(fit).all()
    assert rank == 0
    fit, rank = least_squares(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([3.0, 4.0]))
    assert fit.tolist() == pytest.approx([3.0, 2.0])
    assert rank == 2
