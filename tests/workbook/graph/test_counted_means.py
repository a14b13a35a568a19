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


def halves(counted: str, blank: tuple[int, ...] = ()) -> Cells:
    """A line through eight points that stand once; each step takes half of them, but for those without a target."""
    cells: Cells = {"A1": "rate", "B1": 0.2, "A3": "x", "B3": "y", "C3": "taken", "E3": "m", "F3": "b"}
    for i in range(8):
        cells |= {f"A{4 + i}": 0.3 * i - 0.8, f"C{4 + i}": float(i not in blank)}
        cells |= {} if i in blank else {f"B{4 + i}": 0.5 - 0.04 * i * i}
    for step in range(6):
        r, a = 4 + step, 4 + 4 * (step % 2)
        x, y, taken = (f"${column}${a}:${column}${a + 3}" for column in "ABC")
        off, over = f"{taken},E{r}*{x}+F{r}-{y}", counted.format(a=a, b=a + 3)
        cells |= {f"H{r}": f"=SUMPRODUCT({off},{x})/{over}", f"I{r}": f"=SUMPRODUCT({off})/{over}"}
        cells |= {f"E{r + 1}": f"=E{r}-$B$1*H{r}", f"F{r + 1}": f"=F{r}-$B$1*I{r}"}
    return cells | {"E4": 0.3, "F4": -0.2}


@pytest.mark.parametrize(
    ("counted", "blank"), [("COUNT($A$4:$A$11)", ()), ("COUNT($B${a}:$B${b})", (2, 6)), ("COUNT($B${a}:$B${b})", ())]
)
def test_a_part_of_all_examples_and_targets_that_are_left_out_are_right(
    counted: str, blank: tuple[int, ...], tmp_path: Path
) -> None:
    report = judged(tmp_path, halves(counted, blank))
    assert (report.status, errors(report)) == ("right", []), report.problem


def test_a_penalty_that_is_added_to_the_errors_is_no_error_more(tmp_path: Path) -> None:
    """The weight stands above its gradients, in the same column."""
    cells: Cells = {"A1": "rate", "B1": 0.05, "C1": "penalty", "D1": 0.1}
    for step in range(4):
        t = 4 + 8 * step
        for column in "EF":
            start = 0.3 if column == "E" else -0.4
            cells[f"{column}{t}"] = start if step == 0 else f"={column}{t - 8}-$B$1*{column}{t - 3}"
        for i in range(4):
            r = t + 1 + i
            cells |= {f"A{r}": 0.5 + 0.3 * i, f"B{r}": 1.1 - 0.2 * i * i, f"C{r}": f"=$E${t}*A{r}+$F${t}"}
            cells |= {f"E{r}": f"=(C{r}-B{r})*A{r}", f"F{r}": f"=C{r}-B{r}"}
        cells[f"E{t + 5}"] = f"=(SUM(E{t + 1}:E{t + 4})+$D$1*E{t})/COUNT(E{t + 1}:E{t + 4})"
        cells[f"F{t + 5}"] = f"=SUM(F{t + 1}:F{t + 4})/COUNT(F{t + 1}:F{t + 4})"
    assert judged(tmp_path, cells).status == "right"


def test_a_rate_before_the_sum_hides_no_other_count(tmp_path: Path) -> None:
    """The change itself divides by as many examples as there are, or by fewer."""
    counts, cells = ("COUNT(H{a}:H{b})", "COUNT(H{a}:H{c})"), mean("1", "1", "1")
    for by, status in zip(counts, ("right", "wrong"), strict=True):
        for step in range(4):
            t, a = 4 + 8 * step, 5 + 8 * step
            over = by.format(a=a, b=a + 3, c=a + 2)
            cells[f"D{t + 9}"] = f"=D{a}-$B$1*SUM(H{a}:H{a + 3})/{over}"
            cells[f"E{t + 9}"] = f"=E{a}-$B$1*SUM(I{a}:I{a + 3})/COUNT(I{a}:I{a + 3})"
            for column in "HIJ":
                cells.pop(f"{column}{a + 4}", None)
        assert judged(tmp_path, cells).status == status
