"""What is said of several submissions is so of every one of them."""

from __future__ import annotations

import pytest

from tinyproof.check.classes.in_common import in_common
from tinyproof.check.finding import FileReport, Finding, LeftOut, Report, SheetPlace


def wrong(column: str = "o2", why: str = "the slope is lost") -> Finding:
    return Finding("wrong-gradient", "error", SheetPlace("1", column, "A1"), "m", why=why)


def sheet(submission: str, *findings: Finding, name: str = "s.xlsx", fingerprint: str = "") -> FileReport:
    status = "wrong" if findings else "right"
    return FileReport(
        f"{submission}/{name}", "workbook", status, findings, fingerprint=fingerprint, submission=submission
    )


def of(*files: FileReport) -> list[str]:
    return in_common(Report(files))


def test_a_mistake_that_one_of_two_equal_sheets_has_is_not_said_of_both() -> None:
    """Formulas may be the same and the values pasted over: the first file's findings are not the group's."""
    (line,) = of(sheet("ada", wrong(), fingerprint="f"), sheet("bob", fingerprint="f"), sheet("cyd"))
    assert line == "2 of 3 files are formula for formula the same: ada, bob"


@pytest.mark.parametrize(("makers", "total", "asked"), [(3, 20, False), (4, 20, True), (4, 41, False), (5, 50, True)])
def test_the_model_answer_is_looked_at_only_from_four_and_a_tenth_on(makers: int, total: int, asked: bool) -> None:
    files = [sheet(f"s{n}", *([wrong()] * (n < makers))) for n in range(total)]
    (line,) = of(*files)
    assert line.startswith(f"{makers} of {total} files have the same mistake (wrong-gradient, o2)")
    assert ("look at the model answer" in line) == asked


def test_a_mistake_made_twice_in_one_submission_counts_once() -> None:
    """Two files of one student, two findings of one file: one submission each."""
    files = [sheet("ada", wrong(), wrong(), name="a.xlsx"), sheet("ada", wrong(), name="b.xlsx"), sheet("bob")]
    assert of(*files) == []
    assert of(*files, sheet("cyd", wrong())) == [
        "2 of 3 submissions have the same mistake (wrong-gradient, o2): the slope is lost"
    ]


def test_what_could_not_be_read_counts_in_the_class() -> None:
    """Ada's two files and Cyd's one are three files of three submissions: the words keep apart what is what."""
    files = (sheet("ada", wrong(), name="a.xlsx"), sheet("ada", name="b.xlsx"), sheet("cyd", wrong()))
    (line,) = in_common(Report(files, (LeftOut("bob.zip", "it is no archive", submission="bob.zip"),)))
    assert line.startswith("2 of 3 submissions have the same mistake")


def test_different_mistakes_of_a_column_are_not_the_same_mistake() -> None:
    assert of(sheet("ada", wrong(why="the slope is lost")), sheet("bob", wrong(why="the sign is wrong"))) == []


def test_copies_inside_one_submission_are_told_apart_from_those_of_others() -> None:
    inside = [sheet("ada", name="a.xlsx", fingerprint="f"), sheet("ada", name="b.xlsx", fingerprint="f")]
    assert of(*inside, sheet("bob")) == ["inside ada, 2 files are formula for formula the same: ada/a.xlsx, ada/b.xlsx"]
    (line,) = of(*inside, sheet("bob", fingerprint="f"))
    assert line == "2 of 2 submissions hold a workbook that is formula for formula the same: ada, bob"


def test_a_workbook_and_a_notebook_never_share_a_print() -> None:
    log = FileReport("cyd/n.ipynb", "notebook", "right", fingerprint="f", submission="cyd")
    assert of(sheet("ada", fingerprint="f"), log) == []


def test_logs_are_called_logs() -> None:
    logs = [FileReport(f"{n}/n.ipynb", "notebook", "right", fingerprint="f", submission=n) for n in ("ada", "bob")]
    assert of(*logs, sheet("cyd")) == ["2 of 3 files have identical logs: ada, bob"]


def test_many_names_are_counted() -> None:
    (line,) = of(*(sheet(f"s{n}", fingerprint="f") for n in range(9)))
    assert line.endswith("s0, s1, s2, s3, s4, s5 and 3 more")
