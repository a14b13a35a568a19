"""A loss that is shown and is not the one that is trained: named where the sheet itself says which it should be."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, blocks, errors, judged, line
from tests.workbook.graph.test_shown_losses import two_outputs

SQUARES = "((B{r}-H{r})^2+(C{r}-L{r})^2)/2"


def test_a_loss_that_changes_from_a_row_on_is_named_by_the_rows_before(tmp_path: Path) -> None:
    later = {f"K{r}": f"=((B{r}-H{r})^2+(C{r}-H{r})^2)/2" for r in range(8, 12)}
    report = judged(tmp_path, two_outputs(SQUARES) | later)
    assert (report.status, errors(report)) == ("wrong", ["K8:K11"])
    assert report.findings[0].rule == "wrong-loss"
    assert report.findings[0].fix == "=((B8-H8)^2+(C8-L8)^2)/2"


@pytest.mark.parametrize("wrong", ["((B{r}-H{r})^2+(B{r}-L{r})^2)/2", "((B{r}-H{r})^2+(C{r}+L{r})^2)/2"])
def test_a_target_or_a_sign_that_no_other_reading_explains_is_named(wrong: str, tmp_path: Path) -> None:
    report = judged(tmp_path, two_outputs(wrong))
    assert (report.status, errors(report)) == ("wrong", ["K4:K11"])
    mend = report.findings[0].fix
    assert judged(tmp_path, two_outputs(mend[1:].replace("4", "{r}"))).status == "right"


def logistic(*losses: str) -> Cells:
    """A logistic unit, with losses beside its errors."""
    cells = blocks()
    for step in range(4):
        for r in range(4 + 6 * step, 8 + 6 * step):
            cells |= {f"{'KLM'[i]}{r}": "=" + loss.format(r=r) for i, loss in enumerate(losses)}
    return cells


WHOLE = "-(C{r}*LN(H{r})+(1-C{r})*LN(1-H{r}))"
HALVES = ("-C{r}*LN(H{r})", "-(1-C{r})*LN(1-H{r})", "K{r}+L{r}")


@pytest.mark.parametrize("losses", [(WHOLE,), HALVES, ("IF(C{r}=1,-LN(H{r}),-LN(1-H{r}))",), ("(C{r}-H{r})^2/2",)])
def test_a_cross_entropy_whole_or_in_its_two_parts_is_right(losses: tuple[str, ...], tmp_path: Path) -> None:
    report = judged(tmp_path, logistic(*losses))
    assert report.status == "right", report.problem


def test_half_a_cross_entropy_is_in_doubt_although_its_targets_are_0_and_1(tmp_path: Path) -> None:
    report = judged(tmp_path, logistic(HALVES[0]))
    assert (report.status, errors(report)) == ("undecided", [])


def summed(last: int) -> Cells:
    """The same with the losses of a step added, and a root beside each that only shows it."""
    cells = logistic(WHOLE, "SQRT(K{r})")
    return cells | {f"K{top + 4}": f"=SUM(K{top}:K{top + last})" for top in (4, 10, 16, 22)}


def test_a_sum_of_all_losses_of_a_step_is_right(tmp_path: Path) -> None:
    assert judged(tmp_path, summed(3)).status == "right"


def test_a_sum_that_leaves_out_the_last_example_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, summed(2))
    assert (report.status, errors(report)) == ("wrong", ["K8, K14, K20, K26"])
    assert report.findings[0].fix == "=SUM(K4:K7)"


def with_sums(formula: str, *beside: str) -> Cells:
    """Losses, and a formula of the first three of each step, of which `beside` shows more."""
    cells = logistic(WHOLE)
    for top in (4, 10, 16, 22):
        for i, one in enumerate((formula, *beside)):
            cells[f"{'LMN'[i]}{top + 4}"] = one.format(a=top, b=top + 2, left=top + 3)
    return cells


@pytest.mark.parametrize("shown", ["=SUM(I{a}:I{b})", "=SUM(H{a}:H{b})/3"])
def test_a_sum_of_errors_or_outputs_is_not_called_a_loss(shown: str, tmp_path: Path) -> None:
    assert errors(judged(tmp_path, with_sums(shown))) == []


def test_a_sum_beside_which_the_last_example_stands_apart_is_not_accused(tmp_path: Path) -> None:
    assert errors(judged(tmp_path, with_sums("=SUM(K{a}:K{b})", "=K{left}*1"))) == []


def test_a_sum_that_leaves_out_an_example_which_is_not_trained_is_right(tmp_path: Path) -> None:
    cells = with_sums("=SUM(K{a}:K{b})")
    for top in (10, 16, 22):
        a, b = top - 6, top - 4
        cells |= {f"D{top}": f"=D{a}-$B$1*SUMPRODUCT(A{a}:A{b},I{a}:I{b})", f"F{top}": f"=F{a}-$B$1*SUM(I{a}:I{b})"}
        cells |= {f"E{top}": f"=E{a}-$B$1*SUMPRODUCT(B{a}:B{b},I{a}:I{b})"}
    report = judged(tmp_path, cells)
    assert report.status == "right", report.problem


def test_a_sum_over_the_rows_of_a_line_that_leaves_out_the_first_is_in_doubt(tmp_path: Path) -> None:
    cells = line() | {f"K{r}": f"=(E{r}-B{r})^2" for r in range(4, 12)}
    assert judged(tmp_path, cells | {"K13": "=SUM(K4:K11)"}).status == "right"
    report = judged(tmp_path, cells | {"K13": "=SUM(K5:K11)"})
    assert (report.status, errors(report)) == ("undecided", [])
