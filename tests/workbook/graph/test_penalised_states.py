"""Weight decay beside or inside a memory, and Adagrad's sums of squares: right as they are; a slip is never right."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line

PAIRS = (("L", "N", "F", "C", "I"), ("M", "O", "G", "D", "J"))  # memory, squares, gradient, parameter, new
ROWS = range(4, 12)


def decayed(bias: bool, inside: bool = True, squares: bool = False) -> Cells:
    """A line with a velocity (`squares`: Adam), and weight decay `inside` of it or beside it, of the slope alone or of
    both."""
    cells = line() | {"G2": "lambda", "H2": 0.01}
    for r in ROWS:
        for memory, square, slope, weight, new in PAIRS:
            own = bias or weight == "C"
            taken = f"({slope}{r}+$H$2*{weight}{r})" if own and inside else f"{slope}{r}"
            keep = (0.9, 0.1) if squares else (0.9, 1)
            before = (f"{keep[0]}*{memory}{r - 1}+", f"0.99*{square}{r - 1}+") if r > 4 else ("", "")
            cells[f"{memory}{r}"] = f"={before[0]}{keep[1]}*{taken}"
            step = f"{memory}{r}"
            if squares:
                cells[f"{square}{r}"] = f"={before[1]}0.01*{taken}^2"
                step = f"{memory}{r}/(1-0.9^{r - 3})/(SQRT({square}{r}/(1-0.99^{r - 3}))+0.00000001)"
            beside = f"-$H$1*$H$2*{weight}{r}" if own and not inside else ""
            cells[f"{new}{r}"] = f"={weight}{r}-$H$1*{step}{beside}"
    return cells


def adagrad(small: str = "+0.00000001") -> Cells:
    """The line with a running sum of the squares of each gradient."""
    cells = line()
    for r in ROWS:
        for total, _, slope, weight, new in PAIRS:
            cells[f"{total}{r}"] = f"={total}{r - 1}+{slope}{r}^2" if r > 4 else f"={slope}{r}^2"
            cells[f"{new}{r}"] = f"={weight}{r}-$H$1*{slope}{r}/(SQRT({total}{r}){small})"
    return cells


@pytest.mark.parametrize("squares", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_weight_decay_inside_a_memory_is_right(bias: bool, squares: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, decayed(bias, squares=squares))
    assert report.status == "right", (report.problem, errors(report))


@pytest.mark.parametrize(("bias", "squares"), [(True, True), (False, True), (True, False), (False, False)])
def test_weight_decay_beside_a_memory_is_right(bias: bool, squares: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, decayed(bias, inside=False, squares=squares))
    assert report.status == "right", (report.problem, errors(report))


@pytest.mark.parametrize(
    "cells", [decayed(True), decayed(True, squares=True), decayed(False, inside=False, squares=True)]
)
def test_a_slip_beside_weight_decay_is_named(cells: Cells, tmp_path: Path) -> None:
    report = judged(tmp_path, cells | {"F8": "=2*(E8-B8)*B8"})
    assert (report.status, errors(report)) == ("wrong", ["F8"])


def test_decay_that_one_row_lost_inside_a_memory_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, decayed(True) | {"L8": "=0.9*L7+1*F8"})
    assert (report.status, errors(report)) == ("wrong", ["L8"])


def in_all(cells: Cells, column: str, old: str, new: str) -> Cells:
    """The cells with something else in all formulas of a column."""
    changed = {f"{column}{r}": str(cells[f"{column}{r}"]).replace(old, new) for r in ROWS}
    assert changed != {place: cells[place] for place in changed}
    return cells | changed


def test_decay_of_another_share_or_parameter_or_sign_is_not_right(tmp_path: Path) -> None:
    inside, beside = decayed(True), decayed(True, inside=False, squares=True)
    for cells in (inside, beside):
        column = "L" if cells is inside else "I"
        for old, new in (("$H$2*C", "$H$2*D"), ("$H$2*C", "2*$H$2*C")):
            assert judged(tmp_path, in_all(cells, column, old, new)).status != "right", (column, new)
    assert judged(tmp_path, in_all(beside, "I", "-$H$1*$H$2", "+$H$1*$H$2")).status != "right"
    assert judged(tmp_path, in_all(inside, "L", "+$H$2", "-$H$2")).status != "right"


def test_two_shares_of_decay_accuse_nobody(tmp_path: Path) -> None:
    assert errors(judged(tmp_path, in_all(decayed(True), "L", "$H$2*C", "3*$H$2*C"))) == []


@pytest.mark.parametrize("small", ["+0.00000001", ""])
def test_adagrad_is_right(small: str, tmp_path: Path) -> None:
    report = judged(tmp_path, adagrad(small))
    assert report.status == "right", (report.problem, errors(report))


def test_adagrad_from_a_sum_of_0_is_right(tmp_path: Path) -> None:
    cells = adagrad() | {"L3": 0, "M3": 0, "L4": "=L3+F4^2", "M4": "=M3+G4^2"}
    assert judged(tmp_path, cells).status == "right"


@pytest.mark.parametrize(("cell", "slip"), [("F8", "=2*(E8-B8)*B8"), ("L8", "=L7+G8^2")])
def test_a_slip_in_adagrad_is_named(cell: str, slip: str, tmp_path: Path) -> None:
    report = judged(tmp_path, adagrad() | {cell: slip})
    assert (report.status, errors(report)) == ("wrong", [cell])


def test_a_sum_of_another_gradient_or_no_squares_is_not_right(tmp_path: Path) -> None:
    for old, new in (("F", "G"), ("^2", "")):
        assert judged(tmp_path, in_all(adagrad(), "L", old, new)).status != "right", new


def test_adagrad_uphill_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, in_all(adagrad(), "J", "-$H$1", "+$H$1"))
    assert (report.status, errors(report)) == ("wrong", ["J4:J11"])


def test_a_parameter_that_only_grows_is_still_one(tmp_path: Path) -> None:
    cells = line() | {f"J{r}": f"=D{r}+$H$1*G{r}^2" for r in ROWS}  # its change is a square, and the line reads it
    assert judged(tmp_path, cells).status != "right"
