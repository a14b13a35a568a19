"""What is otherwise than in an earlier result: new, gone, moved; and that nothing is, where nothing is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.classes.invented import make
from tests.workbook.mutants import mutant

from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.classes.class_changes import Change, changes, earlier_result, told_in
from tinyproof.check.finding import CodePlace, FileReport, Finding, LeftOut, Report, SheetPlace
from tinyproof.core.errors import TinyproofError
from tinyproof.show.changes_text import change_lines, changes_text


def finding(message: str = "o1 is wrong", rows: str = "A1:A3") -> Finding:
    return Finding("wrong-forward", "error", SheetPlace("1", "o1", rows), message)


def file(name: str, *findings: Finding, at: str = "class") -> FileReport:
    return FileReport(f"{at}/{name}/s.xlsx", "workbook", "wrong" if findings else "right", findings, submission=name)


def between(before: Report, after: Report) -> list[Change]:
    return list(changes(told_in(before.to_json()), after))


def test_nothing_changed_is_said() -> None:
    one = Report((file("ada", finding()), file("bob")), (LeftOut("class/zoe", "no work", submission="zoe"),))
    assert between(one, one) == []
    assert changes_text([]) == "since then: nothing changed"


def test_new_gone_moved_and_findings_that_came_and_went() -> None:
    before = Report((file("ada", finding()), file("bob"), file("cyd", finding(), finding("o2 is wrong"))))
    after = Report((file("ada"), file("cyd", finding(), finding("h1 is wrong")), file("dan")))
    ada, cyd, dan, bob = between(before, after)
    assert (ada.submission, ada.was, ada.now, ada.gone) == (
        "ada",
        "wrong",
        "right",
        ("error wrong-forward (o1): o1 is wrong",),
    )
    assert (cyd.was, cyd.now) == ("wrong", "wrong")
    assert [text.rpartition(": ")[2] for text in (*cyd.come, *cyd.gone)] == ["h1 is wrong", "o2 is wrong"]
    assert (dan.was, dan.now) == ("", "right")
    assert (bob.was, bob.now) == ("right", "")
    assert changes_text([ada, cyd, dan, bob]).splitlines()[0] == "since then: 1 new, 1 gone, 2 changed"
    assert change_lines([dan, bob]) == ["new: class/dan/s.xlsx: right", "gone: class/bob/s.xlsx (it was right)"]


def test_rows_that_were_pushed_down_and_another_folder_are_no_change() -> None:
    before, after = (
        Report((file("ada", finding(rows="A1:A3")),)),
        Report((file("ada", finding(rows="A9:A11"), at="/x/y"),)),
    )
    assert between(before, after) == []


def at(path: str, *findings: Finding, of: str) -> FileReport:
    return FileReport(path, "workbook", "wrong" if findings else "right", findings, submission=of)


@pytest.mark.parametrize("other", ["class/ada_2.xlsx", "class/ada_2/ada_1.xlsx", "two/class/ada_1.xlsx"])
def test_of_several_files_of_one_each_is_told(other: str) -> None:
    """Loose files and folders that a pattern gives to one student, and two classes; also named from elsewhere."""
    before = Report((at("class/ada_1.xlsx", of="ada"), at(other, of="ada")))
    after = Report((at("class/ada_1.xlsx", finding(), of="ada"), at(other, of="ada")))
    assert [(change.file, change.was, change.now) for change in between(before, after)] == [
        ("class/ada_1.xlsx", "right", "wrong")
    ]
    assert between(before, before) == []


def test_a_student_who_is_called_as_a_folder_above_stays_the_same() -> None:
    before, after = Report((at("max/cl/max/s.xlsx", of="max"),)), Report((at("cl/max/s.xlsx", of="max"),))
    assert between(before, after) == []


def test_one_of_two_equal_findings_that_goes_is_seen() -> None:
    (change,) = between(Report((file("ada", finding(), finding()),)), Report((file("ada", finding()),)))
    assert (len(change.come), len(change.gone)) == (0, 1)


def test_code_and_what_was_left_out_are_compared_too() -> None:
    place = CodePlace("n.ipynb", 3, 2)
    noted = FileReport(
        "c/ada/n.ipynb", "notebook", "wrong", (Finding("few-epochs", "error", place, "m"),), submission="ada"
    )
    left = LeftOut("c/ada/n.ipynb", "no permission", submission="ada")
    (change,) = between(Report((), (left,)), Report((noted,)))
    assert (change.was, change.now, change.come) == ("left out", "wrong", ("error few-epochs (n.ipynb): m",))


def test_many_changes_are_a_few_lines_of_eighty_columns() -> None:
    text = changes_text([Change(f"s{n}", f"class/{'long' * 30}{n}", "", "right", ("m " * 90,)) for n in range(30)])
    assert max(map(len, text.splitlines())) <= 150  # a path has no blanks to break at
    assert "and 18 more" in text
    assert changes_text([Change("s", "f", "", "right", ("word " * 90,))]).count("\n") > 3
    assert max(map(len, changes_text([Change("s", "f", "", "right", ("word " * 90,))]).splitlines())) <= 80


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is not JSON"),
        ("[]", "is no result of an audit"),
        ('{"a": 1}', "is no result of an audit"),
        ('{"files": []}', "schema: .* is missing|schema"),
        ('{"files": [], "schema": 99}', "schema: 99"),
        ('{"files": [{}], "schema": 1, "left_out": []}', "no whole result"),
        ('{"files": 3, "schema": 1, "left_out": []}', "no whole result"),
        ('{"files": [], "schema": 1, "left_out": [{"submission": 1, "file": "x"}]}', "no whole result"),
        ('{"files": [], "files": [], "schema": 1}', "stands twice"),
    ],
)
def test_what_is_no_result_is_one_line(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(TinyproofError, match=says) as told:
        earlier_result(path)
    assert "\n" not in str(told.value)


def test_a_class_told_to_the_end(tmp_path: Path, cli: Callable[..., CompletedProcess[str]]) -> None:
    """A late submission, one mended, one broken: in the terminal, on the page and in the JSON, and nothing else."""
    folder, cache = tmp_path / "class", tmp_path / "kept"
    make(folder, 10)
    before = tmp_path / "before.json"
    before.write_text(cli("audit", folder, "--json", "--cache", cache).stdout)
    (folder / "student01" / "backprop.xlsx").rename(folder / "student03" / "backprop.xlsx")
    (folder / "student01").rmdir()
    late = mutant("wrong-loss", 99)
    late.file = "backprop.xlsx"
    (folder / "student11").mkdir()
    late.write(folder / "student11")
    done = cli("audit", folder, "--since", before, "--cache", cache, "--html", tmp_path / "page.html", "--json")
    held = json.loads(done.stdout)["changes"]
    assert [(each["submission"], each["was"] != "", each["now"] != "") for each in held] == [
        ("student11", False, True), ("student01", True, False),
    ]  # fmt: skip
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "since then: 1 new, 1 gone" in page
    text = cli("audit", folder, "--since", before, "--cache", cache).stdout
    assert "since then: 1 new, 1 gone" in text
    assert "gone: " in text


def test_without_an_earlier_result_nothing_is_said_of_changes(tmp_path: Path) -> None:
    make(tmp_path, 1)
    found = audit(tmp_path, jobs=1, quiet=True)
    assert isinstance(found, AuditResult)
    assert found.to_json()["changes"] is None
    assert "since then" not in found.text() + found.html()
