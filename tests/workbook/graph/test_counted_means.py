"""A sum over the COUNT of other cells than it adds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged

HEADINGS = ("x", "y", "m", "b", "guess", "dm", "db", "loss")


def mean(slope: str, offset: str, loss: str = "COUNT(J{a}:J{b})") -> Cells:
    """A line through four points, a block a step; what the sums over the points are divided by."""
    cells: Cells = {"A1": "rate", "B1": 0.05, "D5": 0.3, "E5": -0.4}
    for step in range(4):
        t, a, b = 4 + 8 * step, 5 + 8 * step, 8 + 8 * step
        cells |= {f"{c}{t}": text for c, text in zip("ABDEFHIJ", HEADINGS, strict=True)}
        for i in range(4):
            r = a + i
            cells |= {f"A{r}": 0.5 + 0.3 * i, f"B{r}": 1.1 - 0.2 * i * i}
            cells |= {f"A{r}": f"=A{r - 8}", f"B{r}": f"=B{r - 8}"} if step else {}
            cells |= {f"F{r}": f"=$D${a}*A{r}+$E${a}", f"H{r}": f"=2*(F{r}-B{r})*A{r}", f"I{r}": f"=2*(F{r}-B{r})"}
            cells[f"J{r}"] = f"=(F{r}-B{r})^2"
        for column, by in (("H", slope), ("I", offset), ("J", loss)):
            cells[f"{column}{b + 1}"] = f"=SUM({column}{a}:{column}{b})/" + by.format(a=a, b=b, t=t, c=b - 1)
        cells |= {f"D{t + 9}": f"=D{a}-$B$1*H{b + 1}", f"E{t + 9}": f"=E{a}-$B$1*I{b + 1}"}
    return cells


OWN = "COUNT(H{a}:H{b})", "COUNT(I{a}:I{b})"


@pytest.mark.parametrize(
    "by", [OWN, ("COUNT(H{t}:H{b})", OWN[1]), ("COUNT(A{a}:A{b})", "4"), ("COUNT(A{a}:B{b})",) * 2]
)
def test_a_mean_over_as_many_as_it_adds_is_right(by: tuple[str, str], tmp_path: Path) -> None:
    report = judged(tmp_path, mean(*by))
    assert report.status == "right", report.problem


@pytest.mark.parametrize(("slope", "offset", "cells"), [
    ("COUNT(H{a}:H{c})", OWN[1], "H9, H17, H25, H33"),
    ("COUNT(H{a}:H{c})", "COUNT(I{a}:I{c})", "H9:I9, H17:I17, H25:I25, H33:I33"),
])  # fmt: skip
def test_a_count_of_some_of_them_is_named(slope: str, offset: str, cells: str, tmp_path: Path) -> None:
    report = judged(tmp_path, mean(slope, offset))
    assert errors(report) == [cells]
    assert report.findings[0].fix == "=AVERAGE(H5:H8)"  # type: ignore[union-attr]


def test_a_loss_over_another_count_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, mean(*OWN, loss="COUNT(J{a}:J{c})"))
    assert errors(report) == ["J9, J17, J25, J33"]
    assert report.findings[0].rule == "wrong-loss"  # type: ignore[union-attr]


def test_a_count_beside_them_that_is_shorter_is_undecided(tmp_path: Path) -> None:
    report = judged(tmp_path, mean("COUNT(A{a}:A{c})", "COUNT(A{a}:A{c})"))
    assert report.status == "undecided"
    assert "COUNT" in report.problem
