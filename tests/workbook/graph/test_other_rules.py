"""Rules that a training may have beside plain descent: rates by the row, changes that rest, activations by copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line, misread

SCHEDULES = ["$H$1/(1+0.1*(ROW()-4))", "IF(ROW()>7,$H$1/2,$H$1)", "($H$1*0.5^INT((ROW()-4)/3))"]


@pytest.mark.parametrize("rate", SCHEDULES)
def test_a_rate_by_the_row_is_right(rate: str, tmp_path: Path) -> None:
    assert judged(tmp_path, line(rate=rate)).status == "right"


@pytest.mark.parametrize("rate", SCHEDULES)
def test_a_slip_beside_such_a_rate_is_named(rate: str, tmp_path: Path) -> None:
    report = judged(tmp_path, line(rate=rate) | {"F8": "=2*(E8-B8)*B8"})
    assert (report.status, errors(report)) == ("wrong", ["F8"])


def test_an_update_that_lost_such_a_rate_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, line(rate=SCHEDULES[1]) | {"I8": "=C8-F8"})
    assert (report.status, errors(report)) == ("wrong", ["I8"])


def gated() -> Cells:
    """A line whose answer is cut off below 0, chosen from a copy of its sum."""
    cells = line("2*(E{r}-B{r})*IF(K{r}>0,1,0)*A{r}")
    for r in range(4, 12):
        cells |= {f"K{r}": f"=C{r}*A{r}+D{r}", f"L{r}": f"=K{r}", f"E{r}": f"=IF(K{r}>0,L{r},0)"}
        cells[f"G{r}"] = f"=2*(E{r}-B{r})*IF(K{r}>0,1,0)"
    return cells


def test_a_branch_that_depends_on_a_parameter_is_no_answer_of_a_threshold(tmp_path: Path) -> None:
    assert judged(tmp_path, gated()).status == "right"


def test_another_gate_in_one_row_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, gated() | {"F8": "=2*(E8-B8)*IF(K8>0.5,1,0)*A8"})
    assert (report.status, errors(report)) == ("wrong", ["F8"])


def rested(condition: str) -> Cells:
    """A line whose weights stay where a condition holds."""
    cells = line()
    for r in range(4, 12):
        asked = condition.format(r=r)
        cells |= {f"I{r}": f"=IF({asked},C{r},C{r}-$H$1*F{r})", f"J{r}": f"=IF({asked},D{r},D{r}-$H$1*G{r})"}
    return cells


@pytest.mark.parametrize("condition", ["ABS(E{r}-B{r})<0.6", "E{r}>B{r}", "(E{r}-B{r})^2<0.4"])
def test_a_change_that_rests_by_the_error_is_neither_wrong_nor_right(condition: str, tmp_path: Path) -> None:
    report = judged(tmp_path, rested(condition))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "rests where an IF" in str(report)


def test_a_training_that_stops_after_some_steps_is_not_accused(tmp_path: Path) -> None:
    cells = rested("ROW()-3>$K$1") | {"K1": 5}
    assert errors(judged(tmp_path, cells)) == []


def counted() -> Cells:
    """A line whose rate is halved by the number of the step, in the formulas of the updates."""
    return line(rate="IF($K#<4,$H$1,$H$1/2)") | {f"K{r}": r - 3 for r in range(4, 12)}


def in_rows(cells: Cells) -> Cells:
    """Every # in a formula is the number of its own row."""
    rows = {place: place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for place in cells}
    return {k: held.replace("#", rows[k]) if isinstance(held, str) else held for k, held in cells.items()}


def test_a_rate_by_the_number_of_the_step_is_right(tmp_path: Path) -> None:
    assert judged(tmp_path, in_rows(counted())).status == "right"


def test_half_a_rate_in_one_row_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, line() | {"I8": "=C8-$H$1/2*F8"})
    assert (report.status, errors(report)) == ("wrong", ["I8"])


def test_a_branch_without_the_rate_is_never_right(tmp_path: Path) -> None:
    cells = line() | {f"K{r}": r - 3 for r in range(4, 12)}
    cells |= {f"I{r}": f"=C{r}-IF($K{r}<4,$H$1*F{r},F{r})" for r in range(4, 12)}
    assert judged(tmp_path, cells).status != "right"


def bent(slope: str = "$K$1") -> Cells:
    """A line whose answer rises less below 0, by the larger of two."""
    gate = "IF(L{r}>=0,1," + slope + ")"
    cells = line("2*(E{r}-B{r})*" + gate + "*A{r}") | {"K1": 0.1, "K2": 0.3}
    for r in range(4, 12):
        cells |= {f"L{r}": f"=C{r}*A{r}+D{r}", f"E{r}": f"=MAX(L{r},$K$1*L{r})"}
        cells[f"G{r}"] = f"=2*(E{r}-B{r})*IF(L{r}>=0,1,$K$1)"
    return cells


def test_the_larger_of_two_lines_bends_at_0_for_the_slope_that_stands_there(tmp_path: Path) -> None:
    assert judged(tmp_path, bent()).status == "right"


def test_another_slope_below_0_is_never_right(tmp_path: Path) -> None:
    assert judged(tmp_path, bent("$K$2")).status != "right"


HEADINGS = ["w1", "b1", "w2", "b2", "z", "h", "y", "err", "gate", "delta", "dw1", "db1", "dw2", "db2"]


def headed(error: str, rate: str = "$Z$2") -> Cells:
    """A small network with headings, whose column `err` is output less target."""
    cells: Cells = {"Z1": "rate", "Z2": 0.05, "A1": "x", "B1": "t"}
    cells |= {f"{column}1": text for column, text in zip("CDEFGHIJKLMNOP", HEADINGS, strict=True)}
    for i in range(8):
        r, b = 2 + i, 1 + i
        cells |= {f"A{r}": [0.5, -1, 0.25, 1][i % 4], f"B{r}": [1, 0.5, -0.75, -1][i % 4], f"R{r}": f"=I{r}-B{r}"}
        for weight, slope, start in (("C", "M", 0.3), ("D", "N", 0.2), ("E", "O", 0.7), ("F", "P", -0.1)):
            cells[f"{weight}{r}"] = start if i == 0 else f"={weight}{b}-{rate.format(b=b)}*{slope}{b}"
        own = {"G": "=C#*A#+D#", "H": "=MAX(0,G#)", "I": "=E#*H#+F#", "J": error, "K": "=IF(G#>0,1,0)"}
        own |= {"L": "=J#*E#*K#", "M": "=L#*A#", "N": "=L#", "O": "=J#*H#", "P": "=J#"}
        cells |= {f"{column}{r}": text for column, text in own.items()}
    return in_rows(cells)


def test_a_difference_that_is_called_an_error_is_no_loss(tmp_path: Path) -> None:
    assert judged(tmp_path, headed("=I#-B#")).status == "right"


@pytest.mark.parametrize("error", ["=IF(ABS(R#)<1,R#,SIGN(R#))", "=MAX(-1,MIN(1,R#))", "=SIGN(I#-B#)"])
def test_the_slope_of_another_loss_is_not_accused(error: str, tmp_path: Path) -> None:
    assert errors(judged(tmp_path, headed(error))) == []


def test_a_rate_of_every_row_that_is_not_read_accuses_nobody(tmp_path: Path) -> None:
    cells = headed("=I#-B#", "Y{b}") | {f"Y{r}": "=$Z$2*COS(MOD(ROW()-2,5)/5)" for r in range(2, 10)}
    assert errors(judged(tmp_path, cells)) == []


def test_a_column_of_errors_beside_the_rule_of_a_threshold_unit_changes_nothing(tmp_path: Path) -> None:
    cells = misread(level="IF(G{r}<-0.2,-1,IF(G{r}>0.2,1,0))") | {f"K{r}": f"=C{r}-H{r}" for r in range(2, 14)}
    assert judged(tmp_path, cells).status == "right"


def any_misread(sign: str) -> Cells:
    """Two threshold units: all weights move by their targets where either answer is misread."""
    cells: Cells = {"L1": 0.1}
    for i in range(12):
        r, b = 2 + i, 1 + i
        cells |= {f"A{r}": [0.5, -1, 0.25, 1][i % 4], f"B{r}": [1, 0.5, -0.75, -1][i % 4]}
        for unit, (weights, goal, out) in enumerate((("EF", "C", "G"), ("HI", "D", "J"))):
            cells[f"{goal}{r}"] = 1 if (i + unit) % 3 else -1
            for weight, x in zip(weights, "AB", strict=True):
                moved = f"IF(OR(G{b}<>C{b},J{b}<>D{b}),{weight}{b}{sign}$L$1*{goal}{b}*{x}{b},{weight}{b})"
                cells[f"{weight}{r}"] = 0.1 if i == 0 else f"={moved}"
            one, two = weights
            cells[f"{out}{r}"] = f"=IF({one}{r}*A{r}+{two}{r}*B{r}>0,1,-1)"
    return cells


@pytest.mark.parametrize("sign", ["+", "-"])
def test_a_rule_of_which_little_follows_a_gradient_is_not_said_to_climb(sign: str, tmp_path: Path) -> None:
    report = judged(tmp_path, any_misread(sign))
    assert (report.status, errors(report)) == ("undecided", [])
