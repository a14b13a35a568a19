"""What a table's reader did not compare is not covered by a "right": rows beside the table, mixed helper columns."""

from __future__ import annotations

from pathlib import Path

from tests.workbook.graph.small import Cells, judged


def table(*rows: int) -> Cells:
    """A logistic unit in the course's words, a step in each of these rows."""
    cells: Cells = {"A1": "learning rate", "B1": 0.5, "A2": "x1", "B2": 0.6, "A3": "t1", "B3": 0.9}
    heads = ["w1", "b1", "net1", "out1", "E1", "dE/dout1", "delta1", "dE/dw1", "dE/db1"]
    cells |= {f"{column}5": head for column, head in zip("BCDEFGHIJ", heads, strict=True)}
    for b, r in zip((0, *rows), rows, strict=False):
        cells |= {f"B{r}": f"=B{b}-$B$1*I{b}", f"C{r}": f"=C{b}-$B$1*J{b}"} if b else {f"B{r}": 0.3, f"C{r}": -0.2}
        cells |= {f"D{r}": f"=B{r}*$B$2+C{r}", f"E{r}": f"=1/(1+EXP(-D{r}))", f"F{r}": f"=0.5*($B$3-E{r})^2"}
        cells |= {f"G{r}": f"=E{r}-$B$3", f"H{r}": f"=G{r}*E{r}*(1-E{r})", f"I{r}": f"=H{r}*$B$2", f"J{r}": f"=H{r}"}
    return cells


TOGETHER, APART = range(6, 12), (6, 7, 9, 11, 13, 15)


def test_the_table_is_right_in_rows_without_and_with_a_gap(tmp_path: Path) -> None:
    for rows in (TOGETHER, APART):
        report = judged(tmp_path, table(*rows))
        assert report.status == "right", (rows, report.problem)


def test_a_helper_column_without_a_common_formula_is_never_right(tmp_path: Path) -> None:
    report = judged(tmp_path, table(*TOGETHER) | {f"H{r}": "=G7*E7*(1-E7)" for r in range(8, 12)})
    assert report.status != "right"


def test_rows_beside_what_was_read_as_the_table_are_judged_too(tmp_path: Path) -> None:
    report = judged(tmp_path, table(*APART) | {f"I{r}": f"=H{r}*$B$3" for r in APART[2:]})
    assert report.status == "wrong", report.problem
