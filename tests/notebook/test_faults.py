"""Fault injection: right notebooks in ten styles, every static fault put into each, the finding at its line."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook import audit_notebook

from .books import STYLES, line_of, style, write


@dataclass(frozen=True)
class Fault:
    style: str
    rule: str
    right: str
    wrong: str
    at: str = ""
    also: tuple[str, ...] = ()


FAULTS = tuple(Fault(**row) for row in tomllib.loads((Path(__file__).parent / "faults.toml").read_text())["fault"])
NAMES = sorted(path.stem for path in STYLES.glob("*.txt"))
# A broken line can truly break two rules at once: a log that no longer fits, a log-softmax before cross-entropy.
MAY_FOLLOW = {
    "evaluates-on-training-data": {"log-not-from-this-code"},
    "softmax-dimension": {"double-softmax"},
}


def broken(fault: Fault) -> str:
    text = style(fault.style)
    assert text.count(fault.right) == 1
    text = text.replace(fault.right, fault.wrong)
    if fault.also:
        assert text.count(fault.also[0]) == 1
        text = text.replace(*fault.also)
    return text


def file_name(text: str) -> str:
    return "main.py" if text.startswith("# %% script") else "S7.ipynb"


def test_there_are_at_least_six_styles_and_every_static_rule_is_injected() -> None:
    assert len(NAMES) >= 6
    assert len({fault.rule for fault in FAULTS}) == 17


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", [3, 4])
def test_a_right_notebook_gives_no_finding(name: str, version: int, tmp_path: Path) -> None:
    text = style(name)
    report = audit_notebook(write(text, tmp_path, file_name(text), version))
    assert report.status == "right"
    assert report.findings == ()
    assert any("measured on the test set" in line for line in report.checked)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.style}-{f.rule}-{FAULTS.index(f)}")
def test_an_injected_fault_is_found_at_its_line_and_nothing_else(fault: Fault, tmp_path: Path) -> None:
    text = broken(fault)
    report = audit_notebook(write(text, tmp_path, file_name(text)))
    cell, line = line_of(text, fault.at or fault.wrong)
    places = [
        (finding.place.cell or 0, finding.place.line)
        for finding in report.findings
        if finding.rule == fault.rule and isinstance(finding.place, CodePlace)
    ]
    assert (cell, line) in places
    others = {finding.rule for finding in report.findings} - {fault.rule}
    assert others <= MAY_FOLLOW.get(fault.rule, set())
