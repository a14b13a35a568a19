"""Wrong notebooks that each rule must name, in shapes that fault injection does not give; and the order of cells."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook import audit_notebook
from tinyproof.check.notebook.rules import CATALOGUE

from .books import style, write

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "cases.toml").read_text())["case"]
FAULTS = tomllib.loads((HERE / "faults.toml").read_text())["fault"]
FRAMEWORKS = tomllib.loads((HERE / "frameworks.toml").read_text())["fault"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rule']}-{CASES.index(case)}")
def test_the_rule_names_the_wrong_notebook(case: dict[str, Any], tmp_path: Path) -> None:
    text = style(case["style"])
    for right, wrong in case["edits"]:
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    report = audit_notebook(write(text, tmp_path))
    found = [
        (finding.place.cell or 0, finding.severity)
        for finding in report.findings
        if finding.rule == case["rule"] and isinstance(finding.place, CodePlace)
    ]
    assert (case["cell"], case["severity"]) in found, [(f.rule, str(f.place), f.message) for f in report.findings]


@pytest.mark.parametrize("counts", [(1, 2, 3, 2), (5, 4, 6, 7), (9, 8, 10, 11)], ids=str)
def test_cells_out_of_order_are_named(counts: tuple[int, ...], tmp_path: Path) -> None:
    path = write("".join(f"# %%\nx{i} = {i}\n" for i in range(4)), tmp_path)
    book = json.loads(path.read_text())
    for cell, count in zip(book["cells"], counts, strict=True):
        cell["execution_count"] = count
    path.write_text(json.dumps(book))
    (finding,) = audit_notebook(path).findings
    assert (finding.rule, finding.severity) == ("cells-out-of-order", "note")


@pytest.mark.parametrize(
    "counts", [(1, 2, 3, 4), (3, 7, 12, 90), (None, 4, None, 6), (9, 9, 10, 11), (4, 0, 0, 5)], ids=str
)
def test_cells_in_order_with_gaps_are_not(counts: tuple[int | None, ...], tmp_path: Path) -> None:
    path = write("".join(f"# %%\nx{i} = {i}\n" for i in range(4)), tmp_path)
    book = json.loads(path.read_text())
    for cell, count in zip(book["cells"], counts, strict=True):
        cell["execution_count"] = count
    path.write_text(json.dumps(book))
    assert audit_notebook(path).findings == ()


def test_a_cell_of_magics_and_remarks_has_no_order(tmp_path: Path) -> None:
    path = write(
        "# %%\nx = 1\n# %%\n!pip install thing\n%matplotlib inline\n# a remark\n# %%\n\n# %%\ny = x\n", tmp_path
    )
    book = json.loads(path.read_text())
    for cell, count in zip(book["cells"], (5, 1, 2, 6), strict=True):
        cell["execution_count"] = count
    path.write_text(json.dumps(book))
    assert audit_notebook(path).findings == ()


def test_every_rule_has_at_least_three_wrong_notebooks() -> None:
    counted = Counter(case["rule"] for case in [*CASES, *FAULTS, *FRAMEWORKS])
    counted["cells-out-of-order"] += 3
    assert {rule: counted[rule] for rule in CATALOGUE if counted[rule] < 3} == {}
    assert set(counted) == set(CATALOGUE)
