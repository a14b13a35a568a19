"""In the terminal a class is a screen of 80 columns, not a scroll."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len

from tinyproof.check.finding import FileReport, Finding, LeftOut, Report, SheetPlace
from tinyproof.show.audit_text import explain


def report(count: int, wrong: int, name: str = "student") -> Report:
    long = "a message that is longer than any line of a terminal should be, so that it has to be cut " * 3
    finding = Finding("wrong-gradient", "error", SheetPlace("1", "o2", "A1"), long, why="the slope is lost")
    held = [
        FileReport(f"{name}{n}/s.xlsx", "workbook", "wrong" if n < wrong else "right", (finding,) * (n < wrong),
                   submission=f"{name}{n}", fingerprint=str(n % 7))
        for n in range(count)
    ]  # fmt: skip
    return Report(tuple(held))


def test_a_class_is_a_screen() -> None:
    lines = explain(report(600, 250, "a name that is rather long, of student ")).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 45
    assert lines[0] == "600 submissions, 600 files: 250 wrong, 350 right"
    assert "and 238 more that are not right" in lines
    assert any(line.startswith("wrong-gradient") and line.endswith("250") for line in lines)
    assert any("--details" in line for line in lines)


def test_one_submission_of_many_files_is_told_by_its_files() -> None:
    files = tuple(
        replace(file, file=f"mine/{n}/s.xlsx", submission="mine") for n, file in enumerate(report(30, 2).files)
    )
    lines = explain(Report(files)).splitlines()
    assert lines[0] == "30 files: 2 wrong, 28 right"
    assert [line.split()[0] for line in lines if " wrong  " in line] == ["0/s.xlsx", "1/s.xlsx"]


def test_wide_letters_take_their_room() -> None:
    lines = explain(report(30, 30, "\u65e5\u672c" * 20)).splitlines()
    assert max(map(cell_len, [line for line in lines if " wrong  " in line])) <= 80


def test_who_handed_in_no_work_has_a_row() -> None:
    left = LeftOut("class/zoe", "it holds no workbook and no notebook", asked=False, submission="zoe")
    text = explain(Report(report(30, 0).files, (left,)))
    assert "1 nothing to judge" in text
    assert any(line.startswith("zoe ") and "no workbook" in line for line in text.splitlines())


def test_nothing_at_all_is_a_line() -> None:
    assert explain(Report(())) == "no file to judge"


def test_all_right_is_said_in_a_line() -> None:
    text = explain(report(30, 0))
    assert text.startswith("30 submissions, 30 files: 30 right")
    assert "not right" not in text
    assert "mistake" not in text


def test_few_files_and_details_are_told_whole() -> None:
    assert explain(report(20, 1)).count("student") >= 20
    whole = explain(report(30, 30), details=True)
    assert whole.count("a message that is longer") >= 30
