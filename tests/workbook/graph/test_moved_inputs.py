"""Inputs that climb the error may be meant to; weights that climb are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line


def attack(names: tuple[str, str] = ("x1", "x2"), loss: bool = True, bias: str = "") -> Cells:
    """A logistic unit whose weights are given; two numbers that it weighs climb its loss. `bias`: how its bias goes."""
    cells: Cells = {"B1": 0.1, "B2": 0.7, "B3": -1.1, "B4": 0.2, "B5": 1, "D1": names[0], "E1": names[1]}
    cells |= {"F1": "z", "G1": "out", "H1": "loss", "I1": "d1", "J1": "d2", "K1": "bias", "K2": 0.2}
    for r in range(2, 10):
        p = r - 1
        cells |= {"D2": 0.5, "E2": -0.3} if r == 2 else {f"D{r}": f"=D{p}+$B$1*I{p}", f"E{r}": f"=E{p}+$B$1*J{p}"}
        cells |= {f"K{r}": bias.format(p=p)} if bias and r > 2 else {}
        cells[f"F{r}"] = f"=$B$2*D{r}+$B$3*E{r}+" + (f"K{r}" if bias else "$B$4")
        cells |= {f"G{r}": f"=1/(1+EXP(-F{r}))", f"I{r}": f"=(G{r}-$B$5)*$B$2", f"J{r}": f"=(G{r}-$B$5)*$B$3"}
        cells |= {f"H{r}": f"=-$B$5*LN(G{r})-(1-$B$5)*LN(1-G{r})"} if loss else {}
    return cells


@pytest.mark.parametrize("names", [("x1", "x2"), ("input 1", "input 2"), ("pixel1", "pixel2")])
@pytest.mark.parametrize("loss", [True, False])
def test_inputs_that_climb_are_not_called_wrong(names: tuple[str, str], loss: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, attack(names, loss))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "meant to mislead" in report.problem


def test_inputs_that_go_down_are_right(tmp_path: Path) -> None:
    cells = {place: str(held).replace("+$B$1*", "-$B$1*") for place, held in attack().items() if place[0] in "DE"}
    cells = {place: held if held.startswith("=") else attack()[place] for place, held in cells.items()}
    assert judged(tmp_path, attack() | cells).status == "right"


def test_weights_that_climb_are_wrong(tmp_path: Path) -> None:
    assert judged(tmp_path, attack(("w1", "w2"))).status == "wrong"


def test_a_bias_among_them_says_that_weights_climb(tmp_path: Path) -> None:
    assert judged(tmp_path, attack(bias="=K{p}+$B$1*(G{p}-$B$5)")).status == "wrong"


def beside(sign: str = "+") -> Cells:
    """A line that is trained, and then an input that goes against the trained line."""
    cells = line() | {"L3": "shifted", "M3": "its guess", "N3": "slope", "L4": "=A4"}
    for r in range(4, 10):
        cells |= {f"M{r}": f"=$I$11*L{r}+$J$11", f"N{r}": f"=2*(M{r}-$B$4)*$I$11"}
        cells |= {f"L{r}": f"=L{r - 1}{sign}0.1*N{r - 1}"} if r > 4 else {}
    return cells


def test_what_the_trained_weights_weigh_is_an_input_whatever_it_is_called(tmp_path: Path) -> None:
    report = judged(tmp_path, beside())
    assert (report.status, errors(report)) == ("undecided", [])
    assert "meant to mislead" in report.problem


def test_one_weight_that_climbs_beside_others_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {f"J{r}": f"=D{r}+$H$1*G{r}" for r in range(4, 12)})
    assert report.status == "wrong"
    assert errors(report)[0].startswith("J4")
