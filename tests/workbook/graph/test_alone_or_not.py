"""Sheets with derivatives and no update: what only uses them is none, and what is not sure is not said."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged

WEIGHTS = {"w1": 0.25, "w2": -0.3, "w3": 0.4, "w4": 0.2, "v1": 0.6, "v2": -0.45, "b1": 0.1, "b2": -0.2, "c": 0.15}


def biased(others: Cells | None = None, without: tuple[str, ...] = ()) -> Cells:
    """One example downwards: two inputs, two sigmoids, one output, each unit with a bias; B6 to B14 are the parameters,
    D1 to D9 their derivatives in the same order."""
    cells: Cells = {"A1": "first", "B1": 0.45, "A2": "second", "B2": -0.7, "A3": "wanted", "B3": 0.38}
    for r, (name, number) in enumerate(WEIGHTS.items(), start=6):
        cells |= {f"A{r}": name, f"B{r}": number}
    cells |= {"B17": "=B6*B1+B7*B2+B12", "B18": "=B8*B1+B9*B2+B13"}
    cells |= {"B19": "=1/(1+EXP(-B17))", "B20": "=1/(1+EXP(-B18))"}
    cells |= {"B21": "=B10*B19+B11*B20+B14", "B22": "=1/(1+EXP(-B21))", "B23": "=(B22-B3)^2/2"}
    cells |= {"B24": "=(B22-B3)*B22*(1-B22)"}
    cells |= {"B25": "=B24*B10*B19*(1-B19)", "B26": "=B24*B11*B20*(1-B20)"}
    made = ("=B25*B1", "=B25*B2", "=B26*B1", "=B26*B2", "=B24*B19", "=B24*B20", "=B25", "=B26", "=B24")
    for r, (name, text) in enumerate(zip(WEIGHTS, made, strict=True), start=1):
        cells |= {f"C{r}": f"dE/d{name}", f"D{r}": text}
    return {place: held for place, held in (cells | (others or {})).items() if place not in without}


USES: list[Cells] = [
    {},
    {"C12": "step", "D12": "=-0.5*D1"},
    {"C12": "share", "D12": "=D1/B6"},
    {"C12": "new w1", "D12": "=B6-0.5*D1"},
    {"E1": "=1000*D1", "E2": "=1000*D2"},
    {"E1": "=ABS(D1)"},
    {"E1": "=D1^2"},
    {f"E{r}": f"=-0.5*D{r}" for r in (5, 6, 9)},
    {f"E{r}": f"=0.9*F{r}+D{r}" for r in range(1, 10)} | {f"F{r}": 0.1 for r in range(1, 10)},
]


@pytest.mark.parametrize("use", USES, ids=str)
def test_what_only_uses_a_derivative_is_none(use: Cells, tmp_path: Path) -> None:
    assert judged(tmp_path, biased(use)).status != "wrong"


def test_all_nine_with_their_biases_are_right(tmp_path: Path) -> None:
    report = judged(tmp_path, biased())
    assert report.status == "right"
    assert "9 derivatives" in report.checked[0]


@pytest.mark.parametrize("more", ["=B24*B10", "=B26*B18", "=B25*B25", "=(B22-B3)/B22", "=-0.5*D1"])
@pytest.mark.parametrize("row", [1, 3, 6])
def test_a_half_filled_sheet_is_not_wrong(row: int, more: str, tmp_path: Path) -> None:
    cells = biased({"C12": "beside", "D12": more}, without=(f"C{row}", f"D{row}"))
    assert (report := judged(tmp_path, cells)).status == "undecided", errors(report)


SLIPS: list[Cells] = [
    {"D9": "=B25"},
    {"D7": "=B26"},
    {"D9": "=B23"},
    {"D9": "=B22-B3"},
    {"D9": 0.02},
    {"D1": "=B25*B2", "D2": "=B25*B1"},
    {"B24": "=B22-B3"},
    {"B21": "=B10*B19+B11*B20"},
]


@pytest.mark.parametrize("slip", SLIPS, ids=str)
def test_a_slip_in_a_bias_an_order_or_a_loss_is_not_right(slip: Cells, tmp_path: Path) -> None:
    assert judged(tmp_path, biased(slip)).status != "right"


@pytest.mark.parametrize("swap", [{}, {"D1": "=B25*B2", "D2": "=B25*B1"}], ids=["in order", "swapped"])
def test_without_names_the_place_tells_the_order(swap: Cells, tmp_path: Path) -> None:
    unnamed = tuple(f"{column}{r}" for column in "AC" for r in range(1, 15))
    report = judged(tmp_path, biased(swap, without=unnamed))
    assert (report.status, errors(report)) == ("undecided" if swap else "right", [])


@pytest.mark.parametrize("row", [7, 9])
def test_a_bias_without_a_derivative_is_undecided(row: int, tmp_path: Path) -> None:
    report = judged(tmp_path, biased(without=(f"C{row}", f"D{row}")))
    assert (report.status, errors(report)) == ("undecided", [])
    assert "has no derivative" in report.problem


def regression(bias: str = "=SUM(E3:E7)", beside: str = "") -> Cells:
    """A line through points in rows; the three derivatives stand below each other."""
    cells: Cells = {"A1": "w1", "B1": 0.3, "C1": "w2", "D1": -0.2, "E1": "b", "F1": 0.1, "E2": "error"}
    for r, (x, y) in enumerate(((0.3, -0.8), (0.9, 0.2), (-0.4, 0.6), (0.1, 0.7), (-0.9, -0.5)), start=3):
        cells |= {f"A{r}": x, f"B{r}": y, f"C{r}": x / 2 - y, f"D{r}": f"=$B$1*A{r}+$D$1*B{r}+$F$1"}
        cells[f"E{r}"] = f"=D{r}-C{r}"
    made = {"dw1": "=SUMPRODUCT(E3:E7,A3:A7)", "dw2": "=SUMPRODUCT(E3:E7,B3:B7)", "db": bias}
    for r, (name, text) in enumerate(made.items(), start=3):
        cells |= {f"H{r}": name, f"I{r}": text}
    return cells | ({"H9": "beside", "I9": beside} if beside else {})


@pytest.mark.parametrize("beside", ["", "=AVERAGE(E3:E7)", "=I3/5", "=SUMPRODUCT(E3:E7,D3:D7)", "=MAX(E3:E7)"])
def test_statistics_of_the_errors_are_not_accused(beside: str, tmp_path: Path) -> None:
    assert judged(tmp_path, regression(beside=beside)).status != "wrong"


@pytest.mark.parametrize("bias", ["=SUMSQ(E3:E7)", "=SUMPRODUCT(ABS(E3:E7))", "=E7", "=AVERAGE(E3:E7)", ""])
def test_a_bias_whose_derivative_is_another_sum_is_undecided(bias: str, tmp_path: Path) -> None:
    report = judged(tmp_path, regression(bias))
    assert (report.status, errors(report)) == ("undecided", [])


@pytest.mark.parametrize("slip", ["", "=-$G$3*B5"])
def test_a_table_of_gaps_is_no_training(slip: str, tmp_path: Path) -> None:
    cells: Cells = {"A1": "item", "B1": "amount", "C1": "price", "D1": "gap x amount", "F1": "actual"}
    for r in range(2, 8):
        cells |= {f"A{r}": f"no {r}", f"B{r}": 3.0 * r, f"C{r}": r + 1.5, f"D{r}": f"=$G$3*B{r}"}
    cells |= {"G1": "=SUMPRODUCT(B2:B7,C2:C7)", "F2": "budget", "G2": 260, "F3": "gap", "G3": "=G1-G2"}
    assert judged(tmp_path, cells | ({"D5": slip} if slip else {})).status == "undecided"
