"""Mistakes that the other parameters of the step show, each with a mend that heals; their right look-alikes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line, momentum

CELL = re.compile(r"[A-Z]+[0-9]+")
WRONG = {
    "a velocity without the rate": ({f"J{r}": f"=D{r}-M{r}" for r in range(4, 12)}, "J4"),
    "a velocity without its rate from a row on": ({f"J{r}": f"=D{r}-M{r}" for r in range(9, 12)}, "J9"),
    "a memory that stays at its first row": ({f"L{r}": "=0.9*L4+0.1*F5" for r in range(6, 12)}, "L6"),
    "a slope of a memory with the wrong factor": ({f"F{r}": f"=2*(E{r}-B{r})*B{r}" for r in range(4, 12)}, "F4"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_beside_a_memory_is_named_with_a_mend(tmp_path: Path, name: str) -> None:
    change, first = WRONG[name]
    report = judged(tmp_path, momentum() | change)
    assert report.status == "wrong", report.problem
    assert errors(report)[0].split(":")[0].split(",")[0] == first
    named = {cell for cells in errors(report) for cell in CELL.findall(cells)}
    assert named <= set(change), "what was not changed is called wrong"
    assert all(finding.fix for finding in report.findings if finding.severity == "error")


def test_two_velocities_of_the_same_rule_are_right(tmp_path: Path) -> None:
    report = judged(tmp_path, momentum())
    assert report.status == "right", report.problem


def crossed(start: str = "G") -> Cells:
    """Two weights with velocities; the copies of the weights stand in another order than the new weights."""
    cells: Cells = {"A1": 0.2, "B1": 0.9, "A3": "x1", "B3": "x2", "C3": "y", "G3": "w2", "H3": "w1", "I3": "b"}
    for i in range(7):
        r, p = 4 + i, 3 + i
        cells |= {f"A{r}": 0.4 + 0.2 * i, f"B{r}": 1.3 - 0.3 * i, f"C{r}": float(i % 2)}
        cells |= {f"G{r}": -0.2 if i == 0 else f"=R{p}", f"H{r}": 0.5 if i == 0 else f"=Q{p}"}
        cells |= {f"I{r}": 0.1 if i == 0 else f"=S{p}", f"J{r}": f"=1/(1+EXP(-(H{r}*A{r}+G{r}*B{r}+I{r})))"}
        cells |= {f"K{r}": f"=J{r}-C{r}"}
        for velocity, slope in (("N", f"K{r}*A{r}"), ("O", f"K{r}*B{r}"), ("P", f"K{r}")):
            cells[f"{velocity}{r}"] = f"=-$A$1*{slope}" if i == 0 else f"=$B$1*{velocity}{p}-$A$1*{slope}"
        first = start if i > 3 else "H"
        cells |= {f"Q{r}": f"={first}{r}+N{r}", f"R{r}": f"=G{r}+O{r}", f"S{r}": f"=I{r}+P{r}"}
    return cells


def test_columns_in_another_order_are_right(tmp_path: Path) -> None:
    report = judged(tmp_path, crossed("H"))
    assert report.status == "right", report.problem


def test_a_weight_that_starts_from_another_is_named_whatever_the_order(tmp_path: Path) -> None:
    report = judged(tmp_path, crossed("G"))
    assert report.status == "wrong", report.problem
    named = {cell for cells in errors(report) for cell in CELL.findall(cells)}
    assert {"Q8", "Q10"} <= named <= {"Q8", "Q9", "Q10"}, errors(report)


def test_one_weight_without_any_rate_beside_one_with_a_typed_rate(tmp_path: Path) -> None:
    slow = line(rate="0.02")
    assert judged(tmp_path, slow).status == "right"
    report = judged(tmp_path, slow | {f"J{r}": f"=D{r}-G{r}" for r in range(4, 12)})
    assert (report.status, errors(report)) == ("wrong", ["J4:J11"])


def two_layers(hidden: str = "(F{r}*I{r})*E{r}*(1-E{r})") -> Cells:
    """Two weights into one hidden unit and one out of it, which is moved at another rate than these."""
    cells: Cells = {"A3": "a", "B3": "b", "C3": "u", "D3": "v", "E3": "h", "F3": "w", "G3": "out", "H3": "goal"}
    for i in range(5):
        r, p = 4 + i, 3 + i
        cells |= {f"A{r}": 0.3 + 0.4 * i, f"B{r}": 1.1 - 0.3 * i, f"H{r}": 0.2 + 0.15 * i}
        starts = {"C": 0.4, "D": -0.3, "F": 0.7}
        for weight, step in (("C", "L"), ("D", "M"), ("F", "J")):
            cells[f"{weight}{r}"] = starts[weight] if i == 0 else f"={weight}{p}+{step}{p}"
        cells |= {f"E{r}": f"=1/(1+EXP(-(A{r}*C{r}+B{r}*D{r})))", f"G{r}": f"=1/(1+EXP(-E{r}*F{r}))"}
        cells |= {f"I{r}": f"=(H{r}-G{r})*G{r}*(1-G{r})", f"J{r}": f"=0.3*I{r}*E{r}"}
        cells |= {f"K{r}": "=" + hidden.format(r=r), f"L{r}": f"=0.5*K{r}*A{r}", f"M{r}": f"=0.5*K{r}*B{r}"}
    return cells


def test_two_layers_with_a_rate_each_are_right(tmp_path: Path) -> None:
    report = judged(tmp_path, two_layers())
    assert report.status == "right", report.problem


def test_a_hidden_delta_made_of_the_step_above_is_named(tmp_path: Path) -> None:
    """The step of the outer weight stands where its delta belongs: wrong at any rate."""
    report = judged(tmp_path, two_layers("(F{r}*J{r})*E{r}*(1-E{r})"))
    assert report.status == "wrong", report.problem
    assert [cells.split(":")[0].split(",")[0] for cells in errors(report)] == ["K4"]
    assert [finding.fix for finding in report.findings if finding.severity == "error"] == ["=(F4*I4)*E4*(1-E4)"]


def test_a_check_beside_the_updates_is_no_update(tmp_path: Path) -> None:
    """One step downwards, with a cell above it that takes the slope itself off a weight."""
    cells: Cells = {"A1": "w", "B1": 0.4, "A2": "b", "B2": -0.2, "A3": "x", "B3": 1.3, "A4": "y", "B4": 0.9}
    cells |= {"A5": "check", "B5": "=B1+B8", "A6": "out", "B6": "=B1*B3+B2", "A7": "gap", "B7": "=B4-B6"}
    cells |= {"A8": "dw", "B8": "=-B7*B3", "A9": "db", "B9": "=-B7"}
    cells |= {"A10": "new w", "B10": "=B1-0.1*B8", "A11": "new b", "B11": "=B2-0.1*B9"}
    report = judged(tmp_path, cells)
    assert report.status == "right", (report.problem, errors(report))


def test_a_sum_over_copies_of_one_weight_is_no_update_of_it(tmp_path: Path) -> None:
    """Every example has its own copy of the bias; their errors are added in one formula."""
    xs, ys = (0.5, 1.1, -0.4), (0.8, 2.2, 0.1)
    cells: Cells = (
        {"A1": 0.05} | {f"A{3 + i}": x for i, x in enumerate(xs)} | {f"B{3 + i}": y for i, y in enumerate(ys)}
    )
    for step in range(6):
        r = 8 + 2 * step
        cells |= {f"B{r}": 0.3 if step == 0 else f"=B{r - 2}-$A$1*J{r - 2}"}
        cells |= {f"C{r}": -0.1 if step == 0 else f"=C{r - 2}-$A$1*K{r - 2}"}
        cells |= {f"{place}{r}": f"=C{r}" for place in "DEF"}
        gaps = [f"({place}{r}+$A${3 + i}*B{r}-$B${3 + i})" for i, place in enumerate("DEF")]
        cells |= {f"J{r}": "=" + "+".join(f"{gap}*$A${3 + i}" for i, gap in enumerate(gaps))}
        cells |= {f"K{r}": "=SUM(" + ",".join(gap[1:-1] for gap in gaps) + ")"}
    report = judged(tmp_path, cells)
    assert report.status == "right", (report.problem, errors(report))


def test_only_the_update_is_wrong_where_a_check_stands_beside_it(tmp_path: Path) -> None:
    cells: Cells = {"A1": "w", "B1": 0.4, "A2": "b", "B2": -0.2, "A3": "x", "B3": 1.3, "A4": "y", "B4": 0.9}
    cells |= {"A5": "check", "B5": "=B1+B8", "A6": "out", "B6": "=B1*B3+B2", "A7": "gap", "B7": "=B4-B6"}
    cells |= {"A8": "dw", "B8": "=-B7*B3", "A9": "db", "B9": "=-B7", "A12": "c", "B12": 0.3, "A13": "new c"}
    cells |= {"B6": "=B1*B3+B2+B12*B4", "B13": "=B12-0.1*B9*B4", "B10": "=B1-0.1*B8", "B11": "=B2-0.1*B9*B3"}
    assert "B5" not in errors(judged(tmp_path, cells))


def test_a_slope_inside_the_formula_of_a_velocity_is_named(tmp_path: Path) -> None:
    """Its memory and the new slope stand in one formula; the others, which have other inputs, are no help."""
    slip = {f"O{r}": f"=$B$1*O{r - 1}-$A$1*K{r}*A{r}" for r in range(5, 11)}
    report = judged(tmp_path, crossed("H") | slip)
    assert (report.status, errors(report)) == ("wrong", ["O5:O10"])
    assert report.findings[0].fix == "=$B$1*O4-$A$1*K5*B5"
