"""Frameworks other than PyTorch's loops: right notebooks, each fault at its line, and right ones that look wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook import audit_notebook

from .books import FRAMEWORKS, line_of, style, write

TABLE = tomllib.loads((Path(__file__).parent / "frameworks.toml").read_text())
FAULTS: list[dict[str, Any]] = TABLE["fault"]
LOOKALIKES: list[dict[str, Any]] = TABLE["lookalike"]
SAYS = {
    "keras": "`evaluate(x_test, y_test)`: 98.29 %, on the test set",
    "sklearn": "`accuracy_score(y_test, guess)`: 98.89 %, on the held-out part of the data set digits",
    "numpy": "on the test set",
    "whole": "97.78 %, on the held-out part of the data set digits",
    "folders": "`evaluate(test_gen)`: 88.10 %, on the folder pets/test",
    "films": "`evaluate(films['test'])`: 92.41 %, on the test set",
    "meter": "the accuracy is measured on the test set",
    "tape": "the loop over `testing`: on the test set",
    "trees": "`score(X_test, y_test)`: 85.20 %, on the held-out part of the file customers.csv",
    "stream": "`evaluate(testing)`: 71.20 %, on a part of the training set",
    "posts": "`score(unknown, asked.target)`: 77.10 %, on the test set",
    "hand": "the comparison of guesses with labels: 94.40 %, on a part of the data set wine",
    "pets": "`validate()`: on the validation part of the folder",
}


def test_every_style_is_said_something_of() -> None:
    assert set(SAYS) == {path.stem for path in FRAMEWORKS.glob("*.txt")}


@pytest.mark.parametrize("name", SAYS)
def test_a_right_notebook_is_told_what_it_measured(name: str, tmp_path: Path) -> None:
    report = audit_notebook(write(style(name), tmp_path))
    assert report.findings == ()
    assert report.status == "right", report.problem
    assert any(SAYS[name] in line for line in report.checked), report.checked


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f['style']}-{f['rule']}-{FAULTS.index(f)}")
def test_a_fault_is_found_at_its_line(fault: dict[str, Any], tmp_path: Path) -> None:
    text = style(fault["style"])
    assert text.count(fault["right"]) == 1
    text = text.replace(fault["right"], fault["wrong"])
    if "also" in fault:
        assert text.count(fault["also"][0]) == 1
        text = text.replace(*fault["also"])
    report = audit_notebook(write(text, tmp_path))
    found = [
        (finding.place.cell or 0, finding.place.line)
        for finding in report.findings
        if finding.rule == fault["rule"] and isinstance(finding.place, CodePlace)
    ]
    assert line_of(text, fault.get("at", fault["wrong"])) in found, [(f.rule, str(f.place)) for f in report.findings]
    # `follows`: what comes to light behind the fault, once it is mended, is said as well
    assert {finding.rule for finding in report.findings} - {fault.get("follows")} == {fault["rule"]}


@pytest.mark.parametrize("case", LOOKALIKES, ids=lambda case: case["name"].replace(" ", "-"))
def test_a_lookalike_is_not_accused(case: dict[str, Any], tmp_path: Path) -> None:
    text = style(case["style"])
    for old, new in case["edits"]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    report = audit_notebook(write(text, tmp_path))
    assert [(finding.rule, str(finding.place), finding.message) for finding in report.findings] == []
    assert report.status == "right", report.problem
