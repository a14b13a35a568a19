"""A parameter that some steps hand on as it is, by a formula: held by choice, perhaps; no gradient is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, blocks, errors, judged, line


def held(formula: str = "=D{r}", rows: int = 3) -> Cells:
    """A line whose level stays in its first rows."""
    return line() | {f"J{r}": formula.format(r=r) for r in range(4, 4 + rows)}


@pytest.mark.parametrize("rows", [2, 3, 4])
def test_a_bias_that_is_held_at_first_is_in_doubt(rows: int, tmp_path: Path) -> None:
    report = judged(tmp_path, held(rows=rows))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "held in some steps" in report.problem


@pytest.mark.parametrize("steps", [range(6, 8), range(7, 10)])
def test_a_bias_that_is_held_later_is_in_doubt_and_its_gradient_is_not_named(steps: range, tmp_path: Path) -> None:
    cells = line() | {f"J{r}": f"=D{r}" for r in steps}
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("undecided", [])
    assert errors(judged(tmp_path, cells | {f"G{steps[-1] + 1}": "=2*E8*B8"})) != []


def test_one_change_that_was_lost_is_named(tmp_path: Path) -> None:
    assert errors(judged(tmp_path, line() | {"J8": "=D8"})) == ["J8"]
    assert errors(judged(tmp_path, line() | {f"J{r}": f"=D{r}" for r in (4, 5, 9)})) == ["J9"]


def test_one_formula_that_asks_the_row_is_not_accused(tmp_path: Path) -> None:
    cells = line() | {f"J{r}": f"=IF(ROW()<7,D{r},D{r}-$H$1*G{r})" for r in range(4, 12)}
    assert errors(judged(tmp_path, cells)) == []


def test_a_slip_beside_it_is_never_right(tmp_path: Path) -> None:
    assert judged(tmp_path, held() | {"F9": "=2*(E9-B9)*B9"}).status != "right"
    assert judged(tmp_path, held() | {"G7": "=2*(E7-B7)*B7"}).status != "right"


def test_an_example_that_a_sum_leaves_out_is_still_named(tmp_path: Path) -> None:
    report = judged(tmp_path, blocks() | {"F10": "=F4-$B$1*SUM(I4:I6)"})
    assert (report.status, errors(report)) == ("wrong", ["F10"])
