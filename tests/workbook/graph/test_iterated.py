"""Iterative calculation: a step in a circle, with and without a switch that starts it anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbook.graph.small import Cells, errors, judged

STEP: Cells = {
    "A1": "reset", "B1": 0, "A2": "rate", "B2": 0.1, "A3": "x", "B3": 0.7, "A4": "t", "B4": 0.4, "D1": "w", "D2": "b",
    "F1": "y", "G1": "=E1*B3+E2", "F2": "dw", "G2": "=(G1-B4)*B3", "F3": "db", "G3": "=G1-B4",
}  # fmt: skip
NEW: Cells = {"I1": "=E1-B2*G2", "I2": "=E2-B2*G3"}
CIRCLES: dict[str, Cells] = {
    "switched": NEW | {"E1": "=IF(B1=1,0.5,I1)", "E2": "=IF(B1=1,0.2,I2)"},
    "the other way round": NEW | {"J1": 0.3, "E1": "=IF($B$1=0,I1,0.5)", "E2": "=IF($B$1=0,I2,J1)"},
    "copied": NEW | {"E1": "=I1", "E2": "=I2"},
    "in itself": {"E1": "=E1-B2*G2", "E2": "=E2-B2*G3"},
    "in itself, switched": {"E1": "=IF(B1=1,0.5,E1-B2*G2)", "E2": "=IF(B1=1,0.2,E2-B2*G3)"},
    "cut off at 0": NEW
    | {"E1": "=IF(B1=1,0.5,I1)", "E2": "=IF(B1=1,0.2,I2)", "H1": "=E1*B3+E2", "G1": "=IF(H1>0,H1,0)"}
    | {"G2": "=(G1-B4)*IF(H1>0,1,0)*B3", "G3": "=(G1-B4)*IF(H1>0,1,0)"},
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_step_in_a_circle_is_right(circle: str, tmp_path: Path) -> None:
    report = judged(tmp_path, STEP | CIRCLES[circle])
    assert report.status == "right", report.problem


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_slip_in_such_a_step_is_named(circle: str, tmp_path: Path) -> None:
    slope = str((STEP | CIRCLES[circle])["G2"])
    report = judged(tmp_path, STEP | CIRCLES[circle] | {"G2": slope[: -len("B3")] + "B4"})
    assert (report.status, errors(report)) == ("wrong", ["G2"])
    assert [finding.fix for finding in report.findings] == [slope]


def test_a_weight_that_goes_on_as_another_is_named(tmp_path: Path) -> None:
    report = judged(tmp_path, STEP | CIRCLES["switched"] | {"E2": "=IF(B1=1,0.2,I1)"})
    assert (report.status, errors(report)) == ("wrong", ["E2"])
    assert [finding.fix for finding in report.findings] == ["=IF(B1=1,0.2,I2)"]
