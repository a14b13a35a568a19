"""A class of sixty from the folder to the feedback: every status is the true one, and nobody is told of another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.classes.invented import make

from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.classes.submissions import submissions


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], AuditResult]:
    folder = tmp_path_factory.mktemp("class")
    truth = make(folder, signed=True)
    return folder, truth, audit(folder, quiet=True)


def test_every_submission_has_its_true_status(sixty: tuple[Path, dict[str, str], AuditResult]) -> None:
    _, truth, report = sixty
    assert len(truth) == 60
    assert {one.name: one.status for one in submissions(report.files, report.left_out)} == truth


def test_no_feedback_names_another(sixty: tuple[Path, dict[str, str], AuditResult], tmp_path: Path) -> None:
    """The names stand in files, sheets, cells and headings, so what is quoted of another's work would name them."""
    folder, _, report = sixty
    written = report.feedback(tmp_path / "back")
    assert len(written) == 120
    places = set[str]()
    for path in written:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"student\d+", text))
        assert named <= {path.name.split(".")[0]}, path
        assert str(folder.parent) not in text
        places |= set(re.findall(r"(backprop|table|S7) by student", text))
    assert places == {"backprop", "table", "S7"}


def test_feedback_of_the_wrong_has_the_mend_of_each_error(
    sixty: tuple[Path, dict[str, str], AuditResult], tmp_path: Path
) -> None:
    _, _, report = sixty
    report.feedback(tmp_path)
    for one in submissions(report.files):
        text = (tmp_path / f"{one.name}.md").read_text(encoding="utf-8")
        assert text.count("**error**") == one.count("error")
        errors = [f for file in one.files for f in file.findings if f.severity == "error"]
        mends = [f for f in errors if f.fix and f.fix != f.should_say]
        assert text.count("   - put right: ") >= len(mends)


def test_the_terminal_shows_a_screen(sixty: tuple[Path, dict[str, str], AuditResult]) -> None:
    _, _, report = sixty
    lines = report.text().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 45
    assert lines[0].startswith("60 submissions, ")
