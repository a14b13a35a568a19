"""What one student gets back speaks of that student alone, shows strangers' text as text, and overwrites nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyproof.api.audit import AuditResult
from tinyproof.api.feedback import write_feedback
from tinyproof.check.classes.submissions import Submission, submissions
from tinyproof.check.finding import CodePlace, FileReport, Finding, LeftOut, SheetPlace, Status
from tinyproof.core.errors import InputError, OutputError
from tinyproof.show.feedback_page import feedback_markdown

INJECTION = "</code><script>alert(1)</script>](http://x) *a* `b`"


def held(
    name: str, *findings: Finding, status: Status = "wrong", file: str = "sheet.xlsx", problem: str = ""
) -> FileReport:
    return FileReport(f"class/{name}/{file}", "workbook", status, findings, ("31 columns checked",), problem,
                      fingerprint="same", submission=name)  # fmt: skip


def wrong(message: str = "dE/dw3 is not the gradient") -> Finding:
    return Finding("wrong-gradient", "error", SheetPlace("1", "dE/dw3", "Z33"), message, says="a_h1", should_say="a_h2",
                   why="w3 leads to h2", fix="write in Z33: =A1", effect="off by 0.026 %")  # fmt: skip


def a_class() -> AuditResult:
    names = ("ada-lo", "bob-my", "cyd-no")
    files = tuple(held(name, wrong()) for name in names)
    return AuditResult(
        files, (LeftOut("class/dan-po.zip", "it is no archive that can be read", submission="dan-po.zip"),)
    )


def test_each_gets_a_page_and_markdown_without_a_word_about_the_others(tmp_path: Path) -> None:
    written = a_class().feedback(tmp_path / "back")
    assert sorted(path.name for path in written) == sorted(
        f"{name}.{kind}" for name in ("ada-lo", "bob-my", "cyd-no", "dan-po.zip") for kind in ("html", "md")
    )
    for path in written:
        text = path.read_text(encoding="utf-8")
        others = {"ada-lo", "bob-my", "cyd-no", "dan-po"} - {path.name.split(".")[0]}
        assert not [other for other in others if other in text], path
        assert "formula for formula the same" not in text


def test_a_mistake_has_where_what_why_and_the_mend() -> None:
    (one,) = submissions([held("ada", wrong())])
    text = feedback_markdown(one)
    assert "# ada: wrong" in text
    assert "- 31 columns checked" in text
    assert '1. **error**, sheet "1", column dE/dw3 (Z33): dE/dw3 is not the gradient' in text
    for line in ("it says: `a_h1`", "it should say: `a_h2`", "why: w3 leads to h2", "put right: `write in Z33: =A1`"):
        assert f"   - {line}\n" in text
    assert "effect: off by 0.026 %" in text


@pytest.mark.parametrize(
    ("status", "says"),
    [("right", "Everything that was checked is right"), ("undecided", "could not be decided"), ("unreadable", "read")],
)
def test_the_first_sentence_says_how_it_stands(status: Status, says: str) -> None:
    (one,) = submissions([held("ada", status=status, problem="a reason" * (status != "right"))])
    text = feedback_markdown(one)
    assert says in text
    assert ("Open: a reason" in text) == (status != "right")


def test_text_of_strangers_stays_text(tmp_path: Path) -> None:
    finding = Finding("r", "error", CodePlace(INJECTION, 1, 2), INJECTION, says=INJECTION, why=INJECTION, fix=INJECTION)
    file = FileReport(f"class/eve/{INJECTION.replace('/', '')}", "notebook", "wrong", (finding,), (INJECTION,),
                      INJECTION, submission=INJECTION)  # fmt: skip
    html, markdown = (path.read_text() for path in write_feedback(submissions([file]), tmp_path))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    outside = "".join(part for number, part in enumerate(markdown.split("``")) if number % 2 == 0)
    assert "<script>" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)


def test_where_the_teacher_keeps_it_is_told_to_nobody(tmp_path: Path) -> None:
    """The folder of a submission that was named on the command line, a file and an archive of it that was not read."""
    file = FileReport("/home/prof/hw/ada/s.xlsx", "workbook", "right", submission="/home/prof/hw/ada")
    left = LeftOut("/home/prof/hw/ada/more.zip", "it is no archive", submission="/home/prof/hw/ada")
    alone = LeftOut("/home/prof/hw/bob.zip", "it is no archive", submission="bob.zip")
    for path in write_feedback(submissions([file], [left, alone]), tmp_path):
        text = path.read_text()
        assert "prof" not in text, path
        assert ("more.zip" if path.name.startswith("ada.") else "bob.zip") in text


def test_a_file_that_cannot_be_looked_at_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_class().feedback(tmp_path)

    def closed(path: Path, *_: object, **__: object) -> str:
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(Path, "read_text", closed)
    with pytest.raises(InputError, match="was not written by"):
        a_class().feedback(tmp_path)


def test_names_that_fall_together_keep_apart(tmp_path: Path) -> None:
    files = [held(name, status="right") for name in ("Ada", "ada", "a/ada", "..", "../x")]
    written = write_feedback(submissions(files), tmp_path / "deep" / "back")
    assert [path.name for path in written if path.suffix == ".md"] == [
        "Ada.md",
        "ada-2.md",
        "ada-3.md",
        "submission.md",
        "x.md",
    ]
    assert {path.parent for path in tmp_path.rglob("*.md")} == {tmp_path / "deep" / "back"}


@pytest.mark.parametrize(
    ("names", "pages"),
    [
        (("Ada", "ada", "ada-2"), ["Ada", "ada-3", "ada-2"]),
        (("a b", "a-b"), ["a-b-2", "a-b"]),
        (("mu\u0308ller", "gau\u00df"), ["m\u00fcller", "gau\u00df"]),
    ],
)
def test_nobodys_page_has_the_name_of_another(names: tuple[str, ...], pages: list[str], tmp_path: Path) -> None:
    written = write_feedback([Submission(name, (held(name),)) for name in names], tmp_path)
    markdown = [path for path in written if path.suffix == ".md"]
    assert [path.stem for path in markdown] == pages
    for name, path in zip(names, markdown, strict=True):
        assert f"# {name}: " in path.read_text(encoding="utf-8")


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "bob-my.md"
    mine.write_text("my notes on bob")
    with pytest.raises(InputError, match="was not written by"):
        a_class().feedback(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bob-my.md"]
    assert mine.read_text() == "my notes on bob"


def test_a_second_time_it_is_written_anew(tmp_path: Path) -> None:
    a_class().feedback(tmp_path)
    AuditResult((held("ada-lo", status="right"),)).feedback(tmp_path)
    assert "# ada-lo: right" in (tmp_path / "ada-lo.md").read_text()


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(OutputError):
        a_class().feedback(tmp_path / "x")
