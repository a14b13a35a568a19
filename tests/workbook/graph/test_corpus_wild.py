"""Public workbooks as found: no right one is accused, and of the wrong ones those that are decided are wrong."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import pytest

from tinyproof.check.finding import FileReport
from tinyproof.check.workbook import audit_workbook

CORPUS = Path(os.environ.get("TINYPROOF_CORPUS", ""))
WILD = CORPUS / "wild"

# Each is read once: in one group, so in one process.
pytestmark = [pytest.mark.corpus, pytest.mark.xdist_group("public workbooks")]

if not os.environ.get("TINYPROOF_CORPUS") or not (WILD / "truth.json").exists():
    pytest.skip("TINYPROOF_CORPUS does not name a folder with public workbooks", allow_module_level=True)

TRUTH = {entry["file"]: entry for entry in json.loads((WILD / "truth.json").read_text())}


@cache
def report_of(name: str) -> FileReport:
    return audit_workbook(WILD / name)


@pytest.mark.parametrize("name", TRUTH)
def test_status_is_the_truth_or_undecided_and_never_the_opposite(name: str) -> None:
    report, truth = report_of(name), TRUTH[name]["status"]
    assert report.status in (truth, "undecided"), [str(f.place) for f in report.findings]
    assert report.problem or report.status != "undecided"
    if truth == "right":
        assert all(finding.severity == "note" for finding in report.findings), report.findings[0].message


def test_all_are_decided() -> None:
    undecided = [name for name in TRUTH if report_of(name).status != TRUTH[name]["status"]]
    assert not undecided
