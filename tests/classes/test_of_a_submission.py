"""A submission's status and what to look at first; whose a row of the table and of the JSON is."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from tinyproof.check.classes.submissions import Submission
from tinyproof.check.finding import FileReport, Finding, LeftOut, Report, SheetPlace
from tinyproof.show.audit_text import findings_table


def finding(severity: str) -> Finding:
    return Finding("rule", severity, SheetPlace("1"), f"the {severity}")  # type: ignore[arg-type]


def file(*severities: str, problem: str = "") -> FileReport:
    status = "wrong" if "error" in severities else "undecided" if problem else "right"
    return FileReport("ada/s.xlsx", "workbook", status, tuple(map(finding, severities)), (), problem, submission="ada")


MODULE = LeftOut("ada/m.py", "read with others", asked=False, submission="ada")
ARCHIVE = LeftOut("ada/a.7z", "an archive", submission="ada")


@pytest.mark.parametrize(
    ("files", "left_out", "status", "first"),
    [
        ((file("note", "warning", "error", problem="open"),), (ARCHIVE,), "wrong", "the error"),
        ((file("warning"), file(problem="open")), (), "undecided", "open"),
        ((file("warning"),), (ARCHIVE,), "undecided", "an archive"),
        ((file("note", "warning"),), (MODULE,), "right", "the warning"),
        ((file("note"),), (MODULE,), "right", ""),
        ((), (ARCHIVE,), "unreadable", "an archive"),
        ((), (MODULE,), "nothing to judge", "read with others"),
    ],
)
def test_what_to_look_at_first_is_why_it_stands_so(
    files: tuple[FileReport, ...], left_out: tuple[LeftOut, ...], status: str, first: str
) -> None:
    one = Submission("ada", files, left_out)
    assert (one.status, one.first) == (status, first)


def test_every_row_says_whose_it_is() -> None:
    report = Report((file("error"), replace(file(), submission="=bob")), (ARCHIVE,))
    rows = list(csv.DictReader(io.StringIO(findings_table(report).csv())))
    assert [row["submission"] for row in rows] == ["ada", "'=bob", "ada"]
    assert report.to_json()["left_out"] == [{"file": "ada/a.7z", "submission": "ada", "why": "an archive"}]
