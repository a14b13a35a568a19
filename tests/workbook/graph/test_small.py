"""Small workbooks of every layout: right ones are right, broken ones are wrong at their cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workbook.graph.small import (
    Cells,
    blocks,
    errors,
    judged,
    line,
    looked_up,
    matrices,
    misread,
    momentum,
    perceptron,
    sheets,
)

RIGHT: dict[str, Callable[[], tuple[Cells, ...]]] = {
    "new weights in columns": lambda: (line(),),
    "momentum": lambda: (momentum(),),
    "a block a step": lambda: (blocks(),),
    "a threshold unit": lambda: (perceptron(),),
    "matrices": lambda: (matrices(),),
    "a sheet a step": sheets,
    "what is misread moves by its target": lambda: (misread(),),
    "the same with two answers": lambda: (misread(level="IF(G{r}>0,1,-1)"),),
    "three answers, moved by the error": lambda: (misread("{w}+$M$1*(C{b}-H{b})*{x}"),),
    "places found by the row number": lambda: (looked_up(),),
}


@pytest.mark.parametrize("layout", RIGHT)
def test_right_is_called_right_and_says_what_was_compared(layout: str, tmp_path: Path) -> None:
    report = judged(tmp_path, *RIGHT[layout]())
    assert report.status == "right", (report.problem, errors(report))
    assert any("follow the gradient" in checked for checked in report.checked)


@pytest.mark.parametrize("rule", ["{w}+$M$1*{x}", "{w}-$M$1*C{b}*{x}", "{w}+$M$1*C{b}*{x}*A{b}", "{w}+$M$1*H{b}*{x}"])
def test_a_rule_of_a_threshold_unit_that_is_none_is_never_called_right(rule: str, tmp_path: Path) -> None:
    assert judged(tmp_path, misread(rule)).status != "right"


@pytest.mark.parametrize("cell", ["H4", "H9", "F9", "G9", "H11", "D13"])
def test_a_slip_beside_places_that_are_computed_is_named(cell: str, tmp_path: Path) -> None:
    cells = looked_up()
    told = str(cells[cell])
    cells[cell] = told.replace("A", "B", 1) if "*A" in told else told + "*2"
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("wrong", [cell])


def one_other() -> Cells:
    cells = misread()
    cells["E5"] = str(cells["E5"]).replace("*B4", "*A4")
    return cells


WRONG: dict[str, tuple[Callable[[], tuple[Cells, ...]], str]] = {
    "the target for the input": (lambda: (line("2*(E{r}-B{r})*B{r}"),), "F4:F11"),
    "a median for a sum": (lambda: (blocks(bias="MEDIAN"),), "F10"),
    "the other input": (lambda: (perceptron(second="A"),), "E3"),
    "uphill": (lambda: (perceptron(sign="-"),), "D3"),
    "one weight of a threshold unit by the other's input": (lambda: (one_other(),), "E5"),
    "another input's factor": (lambda: sheets("B11"), "B11"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_is_named_at_its_cell(mistake: str, tmp_path: Path) -> None:
    made, cell = WRONG[mistake]
    report = judged(tmp_path, *made())
    assert report.status == "wrong", report.problem
    assert any(cell in cells for cells in errors(report)), errors(report)


def test_a_lost_gate_is_never_called_right(tmp_path: Path) -> None:
    assert judged(tmp_path, matrices(gate=False)).status != "right"


def test_one_odd_cell_is_named_and_the_mend_says_what_its_neighbours_say(tmp_path: Path) -> None:
    cells = line()
    cells["F7"] = "=2*(E7-B7)*A6"
    report = judged(tmp_path, cells)
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.place.cells == "F7"  # type: ignore[union-attr]
    assert finding.fix == "=2*(E7-B7)*A7"


def test_a_mend_is_printed_in_excel_and_in_the_names_of_the_sheet(tmp_path: Path) -> None:
    report = judged(tmp_path, line("2*(E{r}-B{r})*B{r}"))
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.fix == "=2*(E4-B4)*A4"
    assert "guess" in finding.should_say
    assert finding.says == "=2*(E4-B4)*B4"


def test_what_cannot_be_read_is_undecided(tmp_path: Path) -> None:
    cells = line()
    for r in range(4, 12):
        cells[f"E{r}"] = f"=CEILING(C{r}*A{r}+D{r},0.001)"
    report = judged(tmp_path, cells)
    assert report.status == "undecided"
    assert not errors(report)


def test_a_sheet_without_training_is_said_to_be_that(tmp_path: Path) -> None:
    report = judged(tmp_path, {"A1": 1.0, "A2": "=A1*2", "A3": "=A2*A1-3"})
    assert report.status == "undecided"
    assert "nothing is trained" in report.problem


def test_an_objective_that_is_not_known_accuses_nobody(tmp_path: Path) -> None:
    report = judged(tmp_path, line("(E{r}-B{r})^3*A{r}") | {f"G{r}": f"=(E{r}-B{r})^3" for r in range(4, 12)})
    assert report.status == "undecided"
    assert "follow no objective" in report.problem


def test_a_velocity_may_add_output_less_target_without_brackets(tmp_path: Path) -> None:
    cells = line("(E{r}-B{r})*A{r}")
    for r in range(4, 12):
        before = [f"0.9*{velocity}{r - 1}+" if r > 4 else "" for velocity in "LM"]
        cells |= {f"G{r}": f"=E{r}-B{r}", f"L{r}": f"={before[0]}F{r}", f"M{r}": f"={before[1]}E{r}-B{r}"}
        cells |= {f"I{r}": f"=C{r}-$H$1*L{r}", f"J{r}": f"=D{r}-$H$1*M{r}"}
    report = judged(tmp_path, cells)
    assert report.status == "right", (report.problem, errors(report))


def added(**other: str) -> Cells:
    """A plane fitted one example a row; the slope columns hold the negative gradient, and the updates add it."""
    cells: Cells = {"A1": "learning rate", "B1": 0.05}
    heads = ("i1", "i2", "t1", "w1", "w2", "h1", "a_h1", "E1", "dE/dw1", "dE/dw2")
    cells |= {f"{column}3": head for column, head in zip("ABCDEFGHIJ", heads, strict=True)}
    for i in range(8):
        r, b = 4 + i, 3 + i
        cells |= {f"A{r}": 0.3 + 0.17 * i, f"B{r}": 1.9 - 0.31 * i, f"C{r}": -0.7 + 0.23 * i * i}
        cells |= {f"D{r}": 0.4, f"E{r}": -0.6} if i == 0 else {f"D{r}": f"=D{b}+$B$1*I{b}", f"E{r}": f"=E{b}+$B$1*J{b}"}
        cells |= {f"F{r}": f"=D{r}*A{r}+E{r}*B{r}", f"G{r}": f"=F{r}", f"H{r}": f"=(C{r}-G{r})^2/2"}
        cells |= {f"I{r}": f"=(C{r}-G{r})*A{r}", f"J{r}": f"=(C{r}-G{r})*B{r}"}
    return cells | other


def test_slopes_of_the_other_sign_are_right_together(tmp_path: Path) -> None:
    assert judged(tmp_path, added()).status == "right"


@pytest.mark.parametrize("slip", ["=(C6-G6)*B6", "=(C7-G7)*A7", "=-(C7-G7)*B7", "=(C7-G7)*B7*2"])
def test_one_odd_row_among_slopes_of_the_other_sign_is_named(slip: str, tmp_path: Path) -> None:
    report = judged(tmp_path, added(J7=slip))
    assert (report.status, errors(report)) == ("wrong", ["J7"])
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.fix == "write in J7: =(C7-G7)*B7"


def test_slopes_of_which_half_say_something_else_are_not_called_right(tmp_path: Path) -> None:
    report = judged(tmp_path, added(**{f"J{r}": f"=(C{r}-G{r})*A{r}" for r in (4, 5, 6, 7)}))
    assert report.status != "right"


def downwards(**other: str) -> Cells:
    """A unit with five weights downwards, one step; the new weights stand below."""
    cells: Cells = {"A1": "rate", "B1": 0.5, "A2": "goal", "B2": 0.25}
    cells |= {f"B{3 + i}": x for i, x in enumerate((0.6, -0.8, 0.3, 0.9, -0.2))}
    cells |= {f"B{8 + i}": w for i, w in enumerate((0.4, 0.1, -0.5, 0.2, 0.7))}
    cells |= {"B13": "=SUMPRODUCT(B3:B7,B8:B12)", "B14": "=1/(1+EXP(-B13))", "B15": "=(B14-B2)*B14*(1-B14)"}
    cells |= {f"B{16 + i}": f"=B15*B{3 + i}" for i in range(5)}
    cells |= {f"B{21 + i}": f"=B{8 + i}-B1*B{16 + i}" for i in range(5)}
    return cells | other


def test_a_new_weight_that_starts_from_its_neighbour_is_named(tmp_path: Path) -> None:
    assert judged(tmp_path, downwards()).status == "right"
    report = judged(tmp_path, downwards(B23="=B9-B1*B18"))
    assert (report.status, errors(report)) == ("wrong", ["B23"])


def test_new_weights_at_two_rates_beside_each_other_accuse_nobody(tmp_path: Path) -> None:
    cells = downwards() | {f"C{21 + i}": f"=B{8 + i}-0.1*B{16 + i}" for i in range(5)}
    assert not errors(judged(tmp_path, cells))


def test_a_velocity_that_cannot_be_read_accuses_nobody(tmp_path: Path) -> None:
    cells = added()
    for r in range(4, 12):
        for weight, velocity, x in (("D", "I", "A"), ("E", "J", "B")):
            carried = f"0.9*IF(ISNUMBER({velocity}{r - 1}),{velocity}{r - 1},0)"
            cells[f"{velocity}{r}"] = f"={carried}+$B$1*(C{r}-G{r})*{x}{r}"
            if r > 4:
                cells[f"{weight}{r}"] = f"={weight}{r - 1}+{velocity}{r - 1}"
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("undecided", [])
    assert "the function ISNUMBER is not known" in report.problem


def summed(last: int) -> Cells:
    """A line through six points, all in one formula a step; the slope of b adds up the points to the `last`."""
    cells: Cells = {"G1": "rate", "H1": 0.01, "D1": "m", "E1": "b", "D2": 0.4, "E2": -0.3}
    for i, (x, y) in enumerate([(0.1, 1.3), (0.35, 0.9), (-0.6, 2.1), (1.2, 0.2), (0.85, -0.4), (-1.1, 1.7)]):
        cells |= {f"A{2 + i}": x, f"B{2 + i}": y}
    for r in range(2, 12):
        off = [f"($D{r}*$A${i}+$E{r}-$B${i})" for i in range(2, 8)]
        cells[f"F{r}"] = "=2/6*(" + "+".join(f"{e}*$A${i}" for i, e in enumerate(off, start=2)) + ")"
        cells[f"G{r + 1}"] = "=2/6*(" + "+".join(f"(1*{e})" for e in off[: last - 1]) + ")"
        cells |= {f"D{r + 1}": f"=D{r}-$H$1*F{r}", f"E{r + 1}": f"=E{r}-$H$1*G{r + 1}"}
    return cells


def test_a_sum_that_leaves_out_the_last_point_is_continued(tmp_path: Path) -> None:
    assert judged(tmp_path, summed(7)).status == "right"
    report = judged(tmp_path, summed(6))
    assert (report.status, errors(report)) == ("wrong", ["G3:G12"])
    assert judged(tmp_path, summed(6) | {f"G{r}": summed(7)[f"G{r}"] for r in range(3, 13)}).status == "right"
    assert "B$7" in report.findings[0].fix
