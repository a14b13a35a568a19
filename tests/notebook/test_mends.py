"""Mends mend: applied as they are printed, the finding is gone and nothing new has come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyproof.check.finding import CodePlace, FileReport, Finding
from tinyproof.check.notebook import audit_notebook

from .books import style, write
from .test_faults import FAULTS, Fault, broken, file_name

ERRORS = [fault for fault in FAULTS if fault.rule not in ("unshuffled-training", "unused-layer", "output-width")]


def paste(path: Path, finding: Finding) -> None:
    """Put a mend in the place of the line that the finding quotes."""
    place = finding.place
    assert isinstance(place, CodePlace)
    assert place.line is not None
    if place.cell is None:
        file = path.parent / place.file
        lines = file.read_text().split("\n")
        lines[place.line - 1] = _pasted(lines[place.line - 1], finding)
        file.write_text("\n".join(lines))
        return
    book = json.loads(path.read_text())
    cell = book["cells"][place.cell - 1]
    lines = "".join(cell["source"]).split("\n")
    lines[place.line - 1] = _pasted(lines[place.line - 1], finding)
    cell["source"] = "\n".join(lines)
    path.write_text(json.dumps(book))


def _pasted(line: str, finding: Finding) -> str:
    assert line.strip() in (finding.says, finding.should_say)
    return line[: len(line) - len(line.lstrip())] + finding.should_say


def errors(report: FileReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity == "error"]


def carries(finding: Finding) -> bool:
    """Whether a mend in code is given: for the line itself, or for another one that is named."""
    return bool(finding.should_say) or ", line " in finding.fix


@pytest.mark.parametrize("fault", ERRORS, ids=lambda f: f"{f.style}-{f.rule}-{FAULTS.index(f)}")
def test_a_printed_mend_removes_its_finding(fault: Fault, tmp_path: Path) -> None:
    text = broken(fault)
    path = write(text, tmp_path, file_name(text))
    before = audit_notebook(path)
    printed = [finding for finding in errors(before) if finding.should_say]
    for finding in printed:
        paste(path, finding)
    after = audit_notebook(path)
    gone = {(finding.rule, str(finding.place)) for finding in printed}
    assert not gone & {(finding.rule, str(finding.place)) for finding in errors(after)}
    assert {finding.rule for finding in errors(after)} <= {finding.rule for finding in errors(before)}


def test_nine_errors_of_ten_carry_a_mend(tmp_path: Path) -> None:
    found = []
    for number, fault in enumerate(ERRORS):
        text = broken(fault)
        found.extend(errors(audit_notebook(write(text, tmp_path / str(number), file_name(text)))))
    assert len(found) > 60
    assert sum(map(carries, found)) >= 0.9 * len(found)


def judged(folder: Path, *edits: tuple[str, str]) -> tuple[Path, FileReport]:
    text = style("functions")
    for right, other in edits:
        assert text.count(right) == 1, right
        text = text.replace(right, other)
    path = write(text, folder)
    return path, audit_notebook(path)


MEASURES_TRAINING = (
    "    accuracy = test(model, device, test_loader)",
    "    accuracy = test(model, device, train_loader)",
)
AUGMENTED = (
    "train=False, download=True, transform=test_transform",
    "train=False, download=True, transform=train_transform",
)


TEST_SET = "test_data = datasets.MNIST('data', train=False"


def test_a_fault_hidden_behind_another_is_said(tmp_path: Path) -> None:
    path, report = judged(tmp_path, MEASURES_TRAINING, AUGMENTED)
    first, second = errors(report)
    assert first.rule == "evaluates-on-training-data"
    assert second.rule == "augmented-test-set"
    assert second.message.startswith("then also: the test images are changed at random")
    for finding in (first, second):
        paste(path, finding)
    assert errors(audit_notebook(path)) == []


def test_a_mend_that_would_not_cure_is_not_printed(tmp_path: Path) -> None:
    path, report = judged(tmp_path, MEASURES_TRAINING, (TEST_SET, TEST_SET.replace("False", "True")))
    (finding,) = errors(report)
    assert finding.should_say != MEASURES_TRAINING[0].strip()
    assert "train=False" in finding.should_say
    paste(path, finding)
    assert errors(audit_notebook(path)) == []


def test_two_faults_in_one_line_have_one_mend(tmp_path: Path) -> None:
    line = "test_data = datasets.MNIST('data', train=False, download=True, transform=test_transform)"
    wrong = line.replace("False", "True").replace("test_transform", "train_transform")
    path, report = judged(tmp_path, (line, wrong))
    found = errors(report)
    assert {finding.rule for finding in found} >= {"evaluates-on-training-data"}
    for finding in found:
        paste(path, finding)
    assert errors(audit_notebook(path)) == []


def test_shuffle_is_not_given_twice(tmp_path: Path) -> None:
    loader = "train_loader = DataLoader(train_data, batch_size=64, shuffle=True)"
    _, report = judged(
        tmp_path, (loader, "kw = {'batch_size': 64, 'shuffle': False}\ntrain_loader = DataLoader(train_data, **kw)")
    )
    (finding,) = [f for f in report.findings if f.rule == "unshuffled-training"]
    assert finding.should_say == "train_loader = DataLoader(train_data, **{**kw, 'shuffle': True})"


def test_without_a_line_that_cures_the_mend_is_in_words(tmp_path: Path) -> None:
    text = style("functions").replace("from torch.utils.data import DataLoader", "from mine import DataLoader")
    for right in (9779, 9841, 9893, 9885):
        text = text.replace(f"{right}/10000", f"{right * 6}/60000")
    report = audit_notebook(write(text, tmp_path))
    (finding,) = errors(report)
    assert finding.should_say == ""
    assert finding.fix.startswith("Build the loader that measures from the test set")


def test_a_mend_never_names_what_is_not_there(tmp_path: Path) -> None:
    right = "test_loader = DataLoader(test_data, batch_size=1000)"
    (finding,) = errors(judged(tmp_path, (right, right.replace("test_data", "train_data")))[1])
    assert finding.should_say == right
