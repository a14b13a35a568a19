"""A course of nbgrader: its submissions are found, and the feedback lies where `nbgrader release_feedback` looks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.notebook.books import style, write

from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.classes.submissions import Names, submissions
from tinyproof.core.errors import InputError


def course(folder: Path, *assignments: str, students: tuple[str, ...] = ("ada", "bob")) -> Path:
    """As nbgrader collects it; bob has only the first assignment."""
    (folder / "source").mkdir(parents=True)
    (folder / "gradebook.db").write_bytes(b"")
    for student in students:
        for assignment in assignments[: 1 if student == "bob" else None]:
            home = folder / "submitted" / student / assignment
            write(style("classes"), home, "problem 1.ipynb")
            (home / "timestamp.txt").write_text("2026-01-30 10:30:47 UTC")
            (home / "submission_secret.txt").write_text("a secret")
    return folder


def names(report: AuditResult) -> dict[str, str]:
    return {one.name: one.status for one in submissions(report.files, report.left_out)}


@pytest.mark.parametrize("given", ["", "submitted"])
def test_a_course_with_one_assignment_is_found(given: str, tmp_path: Path) -> None:
    report = audit(course(tmp_path / "c", "ps1") / given, jobs=1, quiet=True)
    assert names(report) == {"ada": "right", "bob": "right"}
    assert report.layout == "{name}/ps1"
    assert report.left_out == ()


def test_feedback_lies_where_nbgrader_looks_for_it(tmp_path: Path) -> None:
    home = course(tmp_path / "c", "ps1")
    report = audit(home, jobs=1, quiet=True)
    report.feedback(home / "feedback")
    held = sorted(str(path.relative_to(home / "feedback")) for path in (home / "feedback").rglob("*.*"))
    assert held == sorted(
        f"{name}/ps1/{file}"
        for name in ("ada", "bob")
        for file in ("problem 1.html", "feedback.md", "timestamp.txt", "submission_secret.txt")
    )
    page = (home / "feedback" / "ada" / "ps1" / "problem 1.html").read_text()
    assert "Everything that was checked is right" in page
    assert "bob" not in page
    report.feedback(home / "feedback")  # written anew
    (home / "feedback" / "ada" / "ps1" / "problem 1.html").write_text("nbgrader's own")
    with pytest.raises(InputError, match="was not written by"):
        report.feedback(home / "feedback")


def test_a_receipt_that_is_a_link_or_too_large_is_not_handed_out(tmp_path: Path) -> None:
    home = course(tmp_path / "c", "ps1")
    secret = tmp_path / "grades of all.txt"
    secret.write_text("bob 3")
    ada = home / "submitted" / "ada" / "ps1"
    (ada / "timestamp.txt").unlink()
    (ada / "timestamp.txt").symlink_to(secret)
    (ada / "submission_secret.txt").write_text("x" * 10_001)
    audit(home, jobs=1, quiet=True).feedback(home / "feedback")
    assert sorted(path.name for path in (home / "feedback" / "ada" / "ps1").iterdir()) == [
        "feedback.md",
        "problem 1.html",
    ]


def test_under_a_pseudonym_no_receipt_is_handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that of the student nor that of a folder here, which is called as a pseudonym is."""
    home = course(tmp_path / "c", "ps1")
    monkeypatch.chdir(tmp_path)
    report = audit(home, jobs=1, quiet=True, anonymous=tmp_path / "key.csv")
    for file in report.files:
        other = Path(file.file).parent
        assert not other.is_absolute()
        other.mkdir(parents=True)
        (other / "timestamp.txt").write_text("somebody else's")
    report.feedback(tmp_path / "back")
    assert {path.name for path in (tmp_path / "back").rglob("*.*")} == {"problem 1.html", "feedback.md"}


@pytest.mark.parametrize("assignment", ["ps1", "ps2"])
def test_code_of_the_release_is_not_told_as_shared(assignment: str, tmp_path: Path) -> None:
    home = course(tmp_path / "c", "ps1")
    write(style("classes"), home / "release" / assignment, "problem 1.ipynb")
    report = audit(home, jobs=1, quiet=True)
    assert {Path(file.file).parts[-4] for file in report.files} == {"submitted"}
    kinds = [group["kind"] for group in report.to_json()["shared"]]
    assert kinds == (["logs"] if assignment == "ps1" else ["logs", "code"])


def test_a_name_leads_nowhere(tmp_path: Path) -> None:
    files = audit(course(tmp_path / "c", "ps1"), jobs=1, quiet=True).files
    for name in ("..", ".", "a/..", "..\\x"):
        odd = AuditResult((replace(files[0], submission=name),), layout="{name}/ps1")
        written = odd.feedback(tmp_path / "back")
        assert {path.relative_to(tmp_path / "back").parts[0] for path in written} <= {"submission", "x"}


@pytest.mark.parametrize("given", ["", "submitted"])
def test_of_several_assignments_one_has_to_be_named(given: str, tmp_path: Path) -> None:
    home = course(tmp_path / "c", "ps1", "ps2")
    with pytest.raises(InputError, match=r"ps1, ps2.*--student '\{name\}/ps2'"):
        audit(home, quiet=True)
    write(style("classes"), home / "release" / "ps2", "problem 1.ipynb")
    report = audit(home / given, student="{name}/ps2", jobs=1, quiet=True)
    assert names(report) == {"ada": "right", "bob": "nothing to judge"}
    assert [(left.submission, left.why, left.asked) for left in report.left_out] == [
        ("bob", "it holds nothing at {name}/ps2", False)
    ]
    assert [Path(file.file).parent.name for file in report.files] == ["ps2"]
    assert report.layout == "{name}/ps2"
    held = audit(home, student="submitted/{name}/ps2", jobs=1, quiet=True)
    assert {file.submission for file in held.files} == {"ada"}


def test_a_folder_that_is_called_submitted_and_no_course_is_a_class(tmp_path: Path) -> None:
    write(style("classes"), tmp_path / "submitted" / "ada" / "deep", "a.ipynb")
    report = audit(tmp_path / "submitted", jobs=1, quiet=True)
    assert (names(report), report.layout) == ({"ada": "right"}, "")


def test_a_pattern_of_folders_speaks_of_them_alone() -> None:
    here, deep = Path("c"), Names("s_{name}/hw?")
    assert deep.of(here, here / "s_ada" / "hw1" / "x" / "a.ipynb", alone=False) == "ada"
    assert not deep.passes_over(here, here / "s_ada" / "hw1" / "a.ipynb")
    assert deep.passes_over(here, here / "s_ada" / "other" / "a.ipynb")
    assert deep.passes_over(here, here / "ada" / "hw1" / "a.ipynb")
    assert not deep.passes_over(here, here / "loose.ipynb")
    assert Names("{name}_*").of(here, here / "a_b" / "c_d.ipynb", alone=False) == "a"


@pytest.mark.parametrize("pattern", ["/{name}", "../{name}", "{name}/", "{name}/./x"])
def test_a_pattern_that_leads_elsewhere_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="student: "):
        Names(pattern)
