"""Changes that climb through a memory are wrong, whichever of the two signs is; those that go down with it are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged, momentum, perceptron


def with_errors(error: str, sign: str) -> Cells:
    """A line with a velocity for each weight, its error in a column of its own."""
    cells = momentum()
    for r in range(4, 12):
        cells |= {f"K{r}": "=" + error.format(r=r), f"F{r}": f"=2*K{r}*A{r}", f"G{r}": f"=2*K{r}"}
        cells |= {f"I{r}": f"=C{r}{sign}$H$1*L{r}", f"J{r}": f"=D{r}{sign}$H$1*M{r}"}
    return cells


@pytest.mark.parametrize(("error", "sign"), [("E{r}-B{r}", "-"), ("B{r}-E{r}", "+")])
def test_downhill_through_a_velocity_is_right(error: str, sign: str, tmp_path: Path) -> None:
    report = judged(tmp_path, with_errors(error, sign))
    assert report.status == "right", report.problem


@pytest.mark.parametrize(("error", "sign", "mend"), [("B{r}-E{r}", "-", "=E4-B4"), ("E{r}-B{r}", "+", "=B4-E4")])
def test_uphill_through_a_velocity_is_wrong(error: str, sign: str, mend: str, tmp_path: Path) -> None:
    report = judged(tmp_path, with_errors(error, sign))
    assert report.status == "wrong", report.problem
    assert errors(report) == ["K4:K11, I4:J11"]  # one of both: which, the sheet does not say
    assert report.findings[0].fix == mend
    mended = with_errors(error, sign) | {f"K{r}": mend.replace("4", str(r)) for r in range(4, 12)}
    assert judged(tmp_path, mended).status == "right"


def test_one_weight_uphill_through_its_velocity_is_named_alone(tmp_path: Path) -> None:
    report = judged(tmp_path, with_errors("E{r}-B{r}", "-") | {f"J{r}": f"=D{r}+$H$1*M{r}" for r in range(4, 12)})
    assert (report.status, errors(report)) == ("wrong", ["J4:J11"])


def test_a_threshold_unit_that_climbs_names_its_error_and_its_updates(tmp_path: Path) -> None:
    report = judged(tmp_path, perceptron(sign="-"))
    assert report.status == "wrong"
    assert errors(report)[0].startswith("H2:H12, D3:F13")
