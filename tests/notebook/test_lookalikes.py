"""Right notebooks that look like wrong ones: the audit must be silent. A false accusation costs more than a miss."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tinyproof.check.notebook import audit_notebook

from .books import style, write

CASES = tomllib.loads((Path(__file__).parent / "lookalikes.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "-"))
def test_a_lookalike_is_not_accused(case: dict[str, Any], tmp_path: Path) -> None:
    text = style(case["style"])
    for right, other in case["edits"]:
        assert text.count(right) == 1, right
        text = text.replace(right, other)
    report = audit_notebook(write(text, tmp_path, "main.py" if text.startswith("# %% script") else "S7.ipynb"))
    accused = [(finding.rule, str(finding.place)) for finding in report.findings]
    assert [rule for rule, _ in accused if rule not in case.get("allowed", [])] == [], accused
    assert report.status == case.get("status", "right"), report.problem
