"""A loss that is shown beside a right training: in doubt where it is that of something else, else right."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged
from tests.workbook.graph.test_alone_or_not import biased


def two_outputs(loss: str) -> Cells:
    """Two linear outputs of one hidden unit, one example a row; the weights of the outputs are trained."""
    cells: Cells = {"M1": 0.1, "A3": "x", "B3": "t 1", "C3": "t 2", "D3": "v 1", "E3": "v 2", "F3": "w", "K3": "loss"}
    for i in range(8):
        r, p = 4 + i, 3 + i
        cells |= {f"A{r}": 0.45 + 0.23 * i, f"B{r}": 0.9 - 0.31 * i, f"C{r}": 0.2 + 0.17 * i, f"F{r}": 0.8}
        cells |= {f"D{r}": 0.4 if i == 0 else f"=D{p}-$M$1*I{p}*G{p}"}
        cells |= {f"E{r}": -0.3 if i == 0 else f"=E{p}-$M$1*J{p}*G{p}"}
        cells |= {f"G{r}": f"=TANH(A{r}*F{r})", f"H{r}": f"=D{r}*G{r}", f"L{r}": f"=E{r}*G{r}"}
        cells |= {f"I{r}": f"=H{r}-B{r}", f"J{r}": f"=L{r}-C{r}", f"K{r}": "=" + loss.format(r=r)}
    return cells


LOSSES = ("((B{r}-H{r})^2+(C{r}-L{r})^2)/2", "(H{r}-B{r})*(H{r}-B{r})+(L{r}-C{r})*(L{r}-C{r})")


@pytest.mark.parametrize("loss", [*LOSSES, "SQRT((B{r}-H{r})^2+(C{r}-L{r})^2)", "ABS(B{r}-H{r})+ABS(C{r}-L{r})"])
def test_a_loss_in_a_usual_form_is_right(loss: str, tmp_path: Path) -> None:
    report = judged(tmp_path, two_outputs(loss))
    assert report.status == "right", report.problem


@pytest.mark.parametrize(
    "loss",
    [
        "((B{r}-H{r})^2+(B{r}-L{r})^2)/2",
        "((B{r}-G{r})^2+(C{r}-L{r})^2)/2",
        "(H{r}-B{r})*(H{r}+B{r})+(L{r}-C{r})^2",
    ],
)
def test_a_loss_of_something_else_is_in_doubt(loss: str, tmp_path: Path) -> None:
    report = judged(tmp_path, two_outputs(loss))
    assert report.status in ("undecided", "wrong")
    assert errors(report) in ([], ["K4:K11"])  # where the right number is left over, it is named
    assert "K4" in report.problem or report.status == "wrong"


@pytest.mark.parametrize("total", ["=SUM(B23:B23)/2", "=B23"])
def test_derivatives_of_a_cross_entropy_beside_a_squared_error_are_not_right(total: str, tmp_path: Path) -> None:
    """The square stands in a cell of its own, and the loss only adds it up."""
    squared: Cells = {"B23": "=(B22-B3)^2", "B27": total}
    assert judged(tmp_path, biased(squared)).status == "right"
    assert judged(tmp_path, biased(squared | {"B24": "=B22-B3"})).status == "undecided"


def test_an_error_against_the_target_of_the_row_before_in_every_row_is_not_named_in_the_last(tmp_path: Path) -> None:
    """How good the output would be as a guess of what came before: the same formula all down the column."""
    cells = two_outputs(LOSSES[0]) | {f"N{r}": f"=(H{r}-B{r - 1})^2" for r in range(5, 12)}
    assert errors(judged(tmp_path, cells)) == []
