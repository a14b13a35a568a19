"""Findings and reports: JSON keys, exit codes, places in words."""

from __future__ import annotations

import json

import pytest

from tinyproof.check.finding import CodePlace, FileReport, Finding, Report, SheetPlace, status_of
from tinyproof.core.errors import InputError

SHEET = Finding("wrong-gradient", "error", SheetPlace("LR=0.1", "dE/dw3", "AA33:AA100"), "wrong")
CODE = Finding("no-seed", "note", CodePlace("a.ipynb", 9, 2), "no seed is set")


def test_places_in_words() -> None:
    assert str(SHEET.place) == 'sheet "LR=0.1", column dE/dw3 (AA33 to AA100)'
    assert str(CODE.place) == "cell 9, line 2"
    assert str(CodePlace("README.md", None, 4)) == "README.md, line 4"


def test_json_keys_of_both_kinds() -> None:
    sheet, code = SHEET.to_json(), CODE.to_json()
    assert set(sheet) >= {"sheet", "column", "cells", "severity", "kind", "says", "should_say", "fix", "effect"}
    assert set(code) >= {"file", "cell", "line", "rule", "severity", "evidence"}
    assert json.loads(json.dumps([sheet, code])) == [sheet, code]


@pytest.mark.parametrize(
    ("findings", "undecided", "status"),
    [([], False, "right"), ([CODE], False, "right"), ([CODE], True, "undecided"), ([SHEET], True, "wrong")],
)
def test_status_follows_errors_and_undecided_is_not_a_pass(
    findings: list[Finding], undecided: bool, status: str
) -> None:
    assert status_of(findings, undecided) == status


@pytest.mark.parametrize(("status", "code"), [("right", 0), ("wrong", 1), ("undecided", 1), ("unreadable", 1)])
def test_exit_code(status: str, code: int) -> None:
    right = FileReport("a.xlsx", "workbook", "right")
    other = FileReport("b.xlsx", "workbook", status)  # type: ignore[arg-type]
    assert Report((right, other)).exit_code == code
    assert Report(()).exit_code == 0


def test_unknown_severity_is_refused() -> None:
    with pytest.raises(InputError, match="error, warning, note"):
        Finding("x", "fatal", SheetPlace("s"), "m")  # type: ignore[arg-type]
