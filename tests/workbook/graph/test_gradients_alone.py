"""Sheets that stop before the update: every derivative is held against the objective all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged

POINTS = ((0.8, -0.3, 1, 0), (-0.45, 0.7, 0, 1), (0.15, -0.95, 0, 1))


def classifier(gate: str = "*IF({z}>0,1,0)") -> Cells:
    """Three examples in rows; three ReLU units, two softmax units; matrices, and no weight is moved."""
    cells: Cells = {"A1": "X", "D1": "W1", "I1": "W2", "L1": "goal"}
    for i, (a, b, *goal) in enumerate(POINTS):
        cells |= {f"A{2 + i}": a, f"B{2 + i}": b, f"L{2 + i}": goal[0], f"M{2 + i}": goal[1]}
    for place, weight in zip(("D2", "E2", "F2", "D3", "E3", "F3"), (0.3, -0.6, 0.9, 0.5, 0.25, -0.4), strict=True):
        cells[place] = weight
    for place, weight in zip(("I2", "J2", "I3", "J3", "I4", "J4"), (0.7, -0.2, 0.1, 0.55, -0.35, 0.45), strict=True):
        cells[place] = weight
    cells |= {"A8:C10": "{=MMULT(A2:B4,D2:F3)}", "E8:G10": "{=IF(A8:C10>0,A8:C10,0)}"}
    cells |= {"I8:J10": "{=MMULT(E8:G10,I2:J4)}"}
    for r in (8, 9, 10):
        for column in "IJ":
            cells[f"{chr(ord(column) + 3)}{r}"] = f"=EXP({column}{r})/(EXP($I{r})+EXP($J{r}))"
    slope = gate.format(z="A8:C10")
    cells |= {"A14:B16": "{=L8:M10-L2:M4}", "D14:E16": "{=MMULT(TRANSPOSE(E8:G10),A14:B16)}"}
    cells |= {"G14:I16": "{=MMULT(A14:B16,TRANSPOSE(I2:J4))}", "K14:M16": f"{{=G14:I16{slope}}}"}
    return cells | {"A19:C20": "{=MMULT(TRANSPOSE(A2:B4),K14:M16)}"}


def vertical(wrong: str = "") -> Cells:
    """One example downwards: two inputs, two sigmoids, one output; the derivatives stand in a list of their own."""
    cells: Cells = {"A1": "in 1", "B1": 0.35, "A2": "in 2", "B2": -0.6, "A3": "goal", "B3": 0.42}
    for r, weight in enumerate((0.15, -0.2, 0.45, 0.3, 0.5, -0.55), start=4):
        cells |= {f"A{r}": f"w{r - 3}", f"B{r}": weight}
    cells |= {"A11": "net 1", "B11": "=B4*B1+B5*B2", "A12": "net 2", "B12": "=B6*B1+B7*B2"}
    cells |= {"A13": "h1", "B13": "=1/(1+EXP(-B11))", "A14": "h2", "B14": "=1/(1+EXP(-B12))"}
    cells |= {"A15": "net 3", "B15": "=B8*B13+B9*B14", "A16": "out", "B16": "=1/(1+EXP(-B15))"}
    cells |= {"A17": "error", "B17": "=(B16-B3)^2/2", "A18": "delta", "B18": "=(B16-B3)*B16*(1-B16)"}
    cells |= {"A19": "delta 1", "B19": "=B18*B8*B13*(1-B13)", "A20": "delta 2", "B20": "=B18*B9*B14*(1-B14)"}
    made = ("=B19*B1", "=B19*B2", "=B20*B1", "=B20*B2", "=B18*B13", "=B18*B14")
    for number, text in enumerate(made, start=1):
        cells |= {f"D{number}": f"dE/dw{number}", f"E{number}": text}
    place, _, text = wrong.partition(" ")
    return cells | ({place: text} if wrong else {})


@pytest.mark.parametrize("cells", [classifier(), vertical()], ids=["matrices", "vertical"])
def test_right_derivatives_are_right_and_said_to_be_no_training(cells: Cells, tmp_path: Path) -> None:
    report = judged(tmp_path, cells)
    assert report.status == "right"
    assert "nothing is updated" in report.checked[0]


def test_a_gate_that_is_missing_is_named_where_it_belongs(tmp_path: Path) -> None:
    report = judged(tmp_path, classifier(gate=""))
    assert (report.status, errors(report)) == ("wrong", ["K14:M16"])
    assert report.findings[0].fix == "=G14*IF(E8>0,1,0)"


def turned(gate: str) -> Cells:
    """The same with a column for each example on the way forward, and a row for each on the way back."""
    cells = classifier(gate) | {"A8:C10": "{=MMULT(TRANSPOSE(D2:F3),TRANSPOSE(A2:B4))}"}
    cells |= {"I8:J10": "{=MMULT(TRANSPOSE(E8:G10),I2:J4)}", "D14:E16": "{=MMULT(E8:G10,A14:B16)}"}
    return cells | {"K14:M16": "{=G14:I16" + gate.format(z="TRANSPOSE(A8:C10)") + "}"}


def test_a_gate_of_turned_matrices_is_right_or_named(tmp_path: Path) -> None:
    assert judged(tmp_path, turned("*IF({z}>0,1,0)")).status == "right"
    report = judged(tmp_path, turned(""))
    assert (report.status, errors(report)) == ("wrong", ["K14:M16"])


@pytest.mark.parametrize(
    ("wrong", "place"),
    [("E3 =B20*B2", "E3"), ("E6 =B18*B13", "E6"), ("B19 =B18*B9*B13*(1-B13)", "B19"), ("E2 =-B19*B2", "E2")],
)
def test_a_slip_in_a_derivative_is_named_with_its_mend(wrong: str, place: str, tmp_path: Path) -> None:
    report = judged(tmp_path, vertical(wrong))
    assert (report.status, errors(report)) == ("wrong", [place])
    mended = judged(tmp_path, vertical(wrong) | {place: report.findings[0].fix})
    assert mended.status == "right"


def test_a_typed_derivative_is_not_called_right(tmp_path: Path) -> None:
    report = judged(tmp_path, vertical("E4 0.012") | {"E4": 0.012})
    assert (report.status, errors(report)) == ("undecided", [])
    assert "has no derivative" in report.problem


def test_a_use_of_the_error_that_is_no_derivative_is_undecided(tmp_path: Path) -> None:
    report = judged(tmp_path, vertical() | {"D8": "strange", "E8": "=(B16-B3)*B16"})
    assert (report.status, errors(report)) == ("undecided", [])
    assert "strange (E8)" in report.problem


def test_measures_of_the_error_are_no_derivatives(tmp_path: Path) -> None:
    report = judged(tmp_path, vertical() | {"D8": "off by", "E8": "=ABS(B16-B3)", "D9": "root", "E9": "=SQRT(2*B17)"})
    assert report.status == "right"


def test_a_forward_pass_with_its_errors_is_no_training(tmp_path: Path) -> None:
    cells = {place: held for place, held in vertical().items() if place[0] in "AB" and int(place[1:]) < 18}
    assert judged(tmp_path, cells).status == "undecided"
