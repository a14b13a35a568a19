"""Public workbooks as found: no right one is accused, and of the wrong ones those that are decided are wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tinyproof.check.workbook import audit_workbook

CORPUS = Path(os.environ.get("TINYPROOF_CORPUS", ""))
WILD = CORPUS / "wild"
LARGE = 500_000  # bytes; the larger ones take minutes on a slow machine

pytestmark = pytest.mark.corpus

if not os.environ.get("TINYPROOF_CORPUS") or not (WILD / "truth.json").exists():
    pytest.skip("TINYPROOF_CORPUS does not name a folder with public workbooks", allow_module_level=True)

TRUTH = {entry["file"]: entry for entry in json.loads((WILD / "truth.json").read_text())}


@pytest.mark.parametrize("name", [name for name in TRUTH if (WILD / name).stat().st_size < LARGE])
def test_status_is_the_truth_or_undecided_and_never_the_opposite(name: str) -> None:
    report = audit_workbook(WILD / name)
    assert report.status in (TRUTH[name]["status"], "undecided"), [str(f.place) for f in report.findings]


def test_most_are_decided() -> None:
    small = [name for name in TRUTH if (WILD / name).stat().st_size < LARGE]
    decided = [name for name in small if audit_workbook(WILD / name).status == TRUTH[name]["status"]]
    assert len(decided) >= 11, sorted(set(small) - set(decided))
