"""Which objective a training follows, and at which rate, where not all say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line


def logistic(slope: str, loss: str = "=0.5*(E{r}-B{r})^2") -> Cells:
    """A logistic unit with two parameters, one point a step; `slope` is the delta of each row."""
    cells = line()
    for r in range(4, 12):
        cells |= {f"B{r}": r % 2, f"E{r}": f"=1/(1+EXP(-(C{r}*A{r}+D{r})))", f"K{r}": slope.format(r=r)}
        cells |= {f"F{r}": f"=K{r}*A{r}", f"G{r}": f"=K{r}", f"M{r}": loss.format(r=r)}
    return cells


SQUARE, ENTROPY = "=(E{r}-B{r})*E{r}*(1-E{r})", "=E{r}-B{r}"


@pytest.mark.parametrize("slope", [SQUARE, ENTROPY])
def test_both_objectives_of_a_logistic_unit_are_right(slope: str, tmp_path: Path) -> None:
    assert judged(tmp_path, logistic(slope)).status == "right"


def test_half_a_slope_is_the_slope_of_nothing(tmp_path: Path) -> None:
    """Error over output belongs to outputs that share 1, or to counts; not to one sigmoid."""
    assert judged(tmp_path, logistic("=(E{r}-B{r})*(1-E{r})")).status != "right"


def test_a_count_is_right(tmp_path: Path) -> None:
    cells = logistic(ENTROPY) | {f"E{r}": f"=EXP(C{r}*A{r}+D{r})" for r in range(4, 12)}
    assert judged(tmp_path, cells).status == "right"


def test_the_loss_that_is_shown_says_which_steps_are_wrong(tmp_path: Path) -> None:
    cells = logistic(SQUARE) | {f"K{r}": ENTROPY.format(r=r) for r in range(7, 12)}
    report = judged(tmp_path, cells)
    assert report.status == "wrong", report.problem
    named = ",".join(errors(report))
    assert "K7" in named, named
    assert "K4" not in named, named


def test_one_step_uphill_of_three_is_a_slip(tmp_path: Path) -> None:
    report = judged(tmp_path, line(rows=3) | {"I5": "=C5+$H$1*F5"})
    assert (report.status, errors(report)) == ("wrong", ["I5"])


def test_one_of_two_weights_without_the_rate_of_the_other(tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {f"I{r}": f"=C{r}-F{r}" for r in range(4, 12)})
    assert (report.status, errors(report)) == ("wrong", ["I4:I11"])
    assert [finding.fix for finding in report.findings] == ["=C4-$H$1*F4"]


def test_two_rates_of_which_none_is_lost_are_not_told_apart(tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {f"I{r}": f"=C{r}-0.05*F{r}" for r in range(4, 12)})
    assert errors(report) == []


def test_a_layer_that_is_not_trained_shows_its_slopes(tmp_path: Path) -> None:
    """`a-a^2` is a slope, and no update of the activation."""
    cells: Cells = {"B1": 0.3, "B2": 0.7, "B3": 0.5, "B4": 0.4, "B5": -0.6, "B6": "=1/(1+EXP(-B3*B2))"}
    cells |= {"B7": "=B6-B6^2", "B8": "=1/(1+EXP(-(B4*B6+B5)))", "B9": "=(B8-B1)*(B8-B8^2)"}
    cells |= {"B10": "=B4-0.5*B9*B6", "B11": "=B5-0.5*B9"}
    report = judged(tmp_path, cells)
    assert report.status == "right", (report.problem, errors(report))
