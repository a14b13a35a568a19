"""Losses and updates with a corner: hinge, absolute values beside the objective, clipped changes, Huber."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, line

POINTS = ((0.83, 0.52, 1), (-0.71, 0.34, -1), (0.42, -1.24, 1), (-0.93, -0.27, -1))
ROWS = range(4, 14)


def machine(slope: str = "IF(F{r}<1,-C{r}*{x},0)", loss: str = "", decay: str = "") -> Cells:
    """A support vector machine, one example a row: what lies within the margin moves."""
    cells: Cells = {"L1": "rate", "M1": 0.1, "L2": "lambda", "M2": 0.05, "F3": "margin"}
    for r in ROWS:
        x, y, goal = POINTS[r % 4]
        cells |= {f"A{r}": x, f"B{r}": y, f"C{r}": goal, f"F{r}": f"=C{r}*(D{r}*A{r}+E{r}*B{r}+G{r})"}
        for weight, change, start, factor in (
            ("D", "H", 0.1, f"A{r}"),
            ("E", "I", -0.2, f"B{r}"),
            ("G", "J", 0.05, "1"),
        ):
            cells[f"{weight}{r}"] = start if r == 4 else f"={weight}{r - 1}-$M$1*{change}{r - 1}"
            beside = decay.format(w=f"{weight}{r}") if weight != "G" else ""
            cells[f"{change}{r}"] = "=" + slope.format(r=r, x=factor) + beside
        cells |= {f"K{r}": "=" + loss.format(r=r)} if loss else {}
    return cells


@pytest.mark.parametrize("loss", ["", "MAX(0,1-F{r})"])
@pytest.mark.parametrize("decay", ["", "+$M$2*{w}"])
@pytest.mark.parametrize("slope", ["IF(F{r}<1,-C{r}*{x},0)", "IF(1-F{r}>0,-C{r}*{x},0)", "IF(F{r}>=1,0,-C{r}*{x})"])
def test_a_support_vector_machine_is_right(slope: str, decay: str, loss: str, tmp_path: Path) -> None:
    assert judged(tmp_path, machine(slope, loss, decay)).status == "right"


@pytest.mark.parametrize("loss", ["", "MAX(0,1-F{r})"])
def test_a_slip_in_it_is_named(loss: str, tmp_path: Path) -> None:
    one = judged(tmp_path, machine(loss=loss) | {"H8": "=IF(F8<1,-C8*B8,0)"})
    assert (one.status, errors(one)) == ("wrong", ["H8"])
    column = judged(tmp_path, machine(loss=loss) | {f"I{r}": f"=IF(F{r}<1,-C{r}*A{r},0)" for r in ROWS})
    assert (column.status, errors(column)) == ("wrong", ["I4:I12"])


def test_another_margin_than_that_of_the_loss_is_not_right(tmp_path: Path) -> None:
    report = judged(tmp_path, machine("IF(F{r}<0,-C{r}*{x},0)", "MAX(0,1-F{r})"))
    assert (report.status, errors(report)) == ("undecided", [])


@pytest.mark.parametrize("slope", ["IF(F{r}>1,-C{r}*{x},0)", "IF(F{r}<1,C{r}*{x},0)", "IF(ABS(F{r})<1,-C{r}*{x},0)"])
def test_what_is_no_hinge_is_not_right(slope: str, tmp_path: Path) -> None:
    assert judged(tmp_path, machine(slope)).status != "right"


def lasso(term: str, bias: bool) -> Cells:
    cells = line()
    for r in range(4, 12):
        cells[f"F{r}"] = f"=2*(E{r}-B{r})*A{r}" + term.format(w=f"C{r}")
        cells[f"G{r}"] = f"=2*(E{r}-B{r})" + (term.format(w=f"D{r}") if bias else "")
    return cells


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "term", ["+0.1*SIGN({w})", "+0.1*IF({w}>0,1,-1)", "+0.1*{w}/ABS({w})", "+0.1*SIGN({w})+0.05*{w}"]
)
def test_a_penalty_on_sizes_is_right(term: str, bias: bool, tmp_path: Path) -> None:
    assert judged(tmp_path, lasso(term, bias)).status == "right"


@pytest.mark.parametrize("slip", ["=2*(E8-B8)*B8+0.1*SIGN(C8)", "=2*(E8-B8)*A8-0.1*SIGN(C8)"])
def test_a_slip_beside_a_penalty_is_named(slip: str, tmp_path: Path) -> None:
    report = judged(tmp_path, lasso("+0.1*SIGN({w})", True) | {"F8": slip})
    assert (report.status, errors(report)) == ("wrong", ["F8"])
    assert judged(tmp_path, lasso("+0.1*SIGN({w})", True) | {"F8": report.findings[0].fix}).status == "right"


def decayed_plane() -> Cells:
    """A plane through points whose three weights decay, one point a row."""
    cells: Cells = {"L1": "rate", "M1": 0.1, "L2": "lambda", "M2": 0.05}
    for r in range(4, 12):
        x, y, _ = POINTS[r % 4]
        cells |= {f"A{r}": x, f"B{r}": y, f"C{r}": 0.4 * x - 0.3, f"F{r}": f"=D{r}*A{r}+E{r}*B{r}+G{r}-C{r}"}
        for weight, change, start, factor in (("D", "H", 0.1, f"A{r}"), ("E", "I", -0.2, f"B{r}"), ("G", "J", 0, "1")):
            cells[f"{weight}{r}"] = start if r == 4 else f"={weight}{r - 1}-$M$1*{change}{r - 1}"
            cells[f"{change}{r}"] = f"=F{r}*{factor}+$M$2*{weight}{r}"
    return cells


def test_an_update_that_lost_the_rate_before_its_penalty_is_not_right(tmp_path: Path) -> None:
    cells = decayed_plane()
    assert judged(tmp_path, cells).status == "right"
    cells |= {f"{column}{r}": str(cells[f"{column}{r}"]).replace("$M$1*", "") for column in "D" for r in range(5, 12)}
    report = judged(tmp_path, cells)
    assert report.status == "wrong"
    assert all(place.startswith(("D", "H")) for place in errors(report))


def test_a_penalty_that_grows_the_weights_is_not_right(tmp_path: Path) -> None:
    report = judged(tmp_path, lasso("-0.1*SIGN({w})", True))
    assert (report.status, errors(report)) == ("undecided", [])


def clipped(how: str = "MAX(-$H$2,MIN($H$2,{g}))", limit: float = 1.0) -> Cells:
    cells = line() | {"G2": "clip", "H2": limit}
    for r in range(4, 12):
        cells |= {f"I{r}": f"=C{r}-$H$1*" + how.format(g=f"F{r}"), f"J{r}": f"=D{r}-$H$1*" + how.format(g=f"G{r}")}
    return cells


@pytest.mark.parametrize("limit", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("how", ["MAX(-$H$2,MIN($H$2,{g}))", "IF({g}>$H$2,$H$2,IF({g}<-$H$2,-$H$2,{g}))"])
def test_clipped_changes_are_right(how: str, limit: float, tmp_path: Path) -> None:
    report = judged(tmp_path, clipped(how, limit))
    assert (report.status, errors(report)) == ("right", [])


@pytest.mark.parametrize(("place", "slip"), [("F8", "=2*(E8-B8)*B8"), ("I8", "=C8-$H$1*MAX(-$H$2,MIN($H$2,G8))")])
def test_a_slip_beside_clipping_is_named(place: str, slip: str, tmp_path: Path) -> None:
    report = judged(tmp_path, clipped() | {place: slip})
    assert (report.status, errors(report)) == ("wrong", [place])
    assert judged(tmp_path, clipped() | {place: report.findings[0].fix}).status == "right"


OTHERWISE = [
    "MIN($H$2,{g})",
    "MAX(-$H$2,{g})",
    "MAX(-$H$2,MIN($H$2,-{g}))",
    "MEDIAN(0,{g},$H$2)",
    "IF({g}>$H$2,$H$2,IF({g}<-0.3*$H$2,-$H$2,{g}))",
]


@pytest.mark.parametrize("how", OTHERWISE)
def test_what_is_clipped_otherwise_is_not_right(how: str, tmp_path: Path) -> None:
    assert judged(tmp_path, clipped(how)).status != "right"


HUBER = "IF(ABS(E{r}-B{r})<=1,E{r}-B{r},SIGN(E{r}-B{r}))"


@pytest.mark.parametrize("shown", [True, False])
def test_a_clipped_error_is_its_own_loss_or_not_known(shown: bool, tmp_path: Path) -> None:
    cells = line()
    for r in range(4, 12):
        cells |= {f"F{r}": f"={HUBER.format(r=r)}*A{r}", f"G{r}": f"={HUBER.format(r=r)}"}
        if shown:
            cells[f"K{r}"] = f"=IF(ABS(E{r}-B{r})<=1,(E{r}-B{r})^2/2,ABS(E{r}-B{r})-0.5)"
    report = judged(tmp_path, cells)
    assert (report.status, errors(report)) == ("right" if shown else "undecided", [])


def without_decay(column: str) -> Cells:
    """The plane, of whose parameters the gradient in one column has no decay."""
    cells = decayed_plane()
    return cells | {f"{column}{r}": str(cells[f"{column}{r}"]).split("+")[0] for r in range(4, 12)}


def test_a_bias_without_decay_is_right_and_one_weight_of_a_unit_without_is_in_doubt(tmp_path: Path) -> None:
    assert judged(tmp_path, without_decay("J")).status == "right"
    report = judged(tmp_path, without_decay("I"))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "another penalty" in report.problem


def test_decay_in_one_layer_alone_is_right(tmp_path: Path) -> None:
    cells = decayed_plane() | {"N1": 0.8}  # a weight behind the plane
    for r in range(4, 12):
        cells |= {f"O{r}": 0.8 if r == 4 else f"=O{r - 1}-$M$1*P{r - 1}", f"N{r}": f"=D{r}*A{r}+E{r}*B{r}+G{r}"}
        cells |= {f"Q{r}": f"=O{r}*N{r}-C{r}", f"P{r}": f"=Q{r}*N{r}", f"F{r}": f"=Q{r}*O{r}"}
    report = judged(tmp_path, cells)
    assert report.status == "right", (report.problem, errors(report))
