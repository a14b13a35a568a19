"""The public hand-made workbooks that TINYPROOF_CORPUS names: status and first wrong column, no right one accused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyproof.check.finding import SheetPlace
from tinyproof.check.workbook import audit_workbook

# Its file cannot be loaded by openpyxl (IndexError); it is read here, and its layout (no table of iterations) is not.
STATUS = {"incomplete": "undecided", "unreadable": "undecided"}


@pytest.mark.corpus
def test_every_workbook_has_its_status_and_its_first_wrong_column(corpus_folder: Path) -> None:
    folder = corpus_folder / "workbooks"
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert len(truth) >= 18
    told, known = {}, {}
    for entry in truth:
        report = audit_workbook(folder / entry["file"])
        errors = [f.place for f in report.findings if f.severity == "error"]
        first = errors[0] if errors else None
        wrong = [f for f in entry["findings"] if f["kind"].startswith("wrong")] if entry["status"] == "wrong" else []
        known[entry["file"]] = STATUS.get(entry["status"], entry["status"]), *_first(wrong)
        assert first is None or isinstance(first, SheetPlace)
        shown = (first.sheet, first.column, first.cells.split(":")[0].split(",")[0]) if first else (None, None, None)
        told[entry["file"]] = (report.status, *shown)
    assert told == known


def _first(wrong: list[dict[str, str]]) -> tuple[str | None, str | None, str | None]:
    return (wrong[0]["sheet"], wrong[0]["column"], wrong[0]["first_cell"]) if wrong else (None, None, None)
