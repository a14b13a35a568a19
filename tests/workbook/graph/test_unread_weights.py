"""A wrong reference of the forward pass beside weight decay and with a memory: no gradient is wrong for it."""

from __future__ import annotations

from pathlib import Path

from tests.workbook.graph.small import Cells, errors, judged, momentum


def with_guess(guess: str, cells: Cells) -> Cells:
    return cells | {f"E{r}": guess.format(r=r) for r in range(4, 12)}


def two_inputs(guess: str) -> Cells:
    """Two weights, a bias and a velocity for each, one point a row."""
    cells: Cells = {"A1": "rate", "B1": 0.05}
    weights = {"D": ("H", "L", 0.3), "E": ("I", "M", -0.4), "F": ("J", "N", 0.2)}
    cells |= {f"{c}2": t for c, t in zip("ABCDEFG", ("p", "q", "y", "w1", "w2", "b", "guess"), strict=True)}
    for i in range(7):
        r = 3 + i
        cells |= {f"A{r}": 0.5 + 0.4 * i, f"B{r}": 0.9 - 0.3 * i * i, f"C{r}": 0.7 - 0.2 * i}
        cells |= {f"G{r}": guess.format(r=r)}
        cells |= {f"H{r}": f"=(G{r}-C{r})*A{r}", f"I{r}": f"=(G{r}-C{r})*B{r}", f"J{r}": f"=G{r}-C{r}"}
        for weight, (slope, velocity, start) in weights.items():
            cells[f"{velocity}{r}"] = f"=0.9*{velocity}{r - 1}-$B$1*{slope}{r}" if i else f"=-$B$1*{slope}{r}"
            cells[f"{weight}{r}"] = f"={weight}{r - 1}+{velocity}{r - 1}" if i else start
    return cells


def test_a_weight_that_is_read_twice_in_place_of_another_is_named(tmp_path: Path) -> None:
    assert judged(tmp_path, two_inputs("=D{r}*A{r}+E{r}*B{r}+F{r}")).status == "right"
    report = judged(tmp_path, two_inputs("=D{r}*A{r}+D{r}*B{r}+F{r}"))
    assert errors(report) == ["G3:G9"]


def test_no_gradient_is_called_wrong_where_a_bias_is_read_by_nothing(tmp_path: Path) -> None:
    report = judged(tmp_path, with_guess("=C{r}*A{r}+C{r}", momentum()))
    assert all(not cells.startswith(("F", "G", "L", "M")) for cells in errors(report))
    assert report.status != "right"
