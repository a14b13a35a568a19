"""Whose file is whose; archives are read as folders are, and nothing of them leads elsewhere."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.notebook.books import style
from tests.notebook.books import write as write_notebook
from tests.workbook.mutants import right

from tinyproof.api import survey
from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.classes.submissions import Names, submissions, top_of
from tinyproof.core import unpack
from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.core.listener import Listener
from tinyproof.core.unpacker import Unpacker


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = right(11)
    made.file = "sheet.xlsx"
    return made.write(tmp_path_factory.mktemp("sheet")).read_bytes()


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def zipped(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def owners(report: AuditResult) -> list[tuple[str, str]]:
    return [(Path(file.file).name, file.submission) for file in report.files]


def test_a_folder_an_archive_and_a_loose_file_are_one_submission_each(sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "ada" / "a.xlsx", sheet)
    put(tmp_path / "ada" / "deep" / "b.xlsx", sheet)
    put(tmp_path / "bob.zip", zipped(**{"work/c.xlsx": sheet}))
    put(tmp_path / "cyd_final.xlsx", sheet)
    report = audit(tmp_path, jobs=1, quiet=True)
    assert sorted(owners(report)) == [
        ("a.xlsx", "ada"),
        ("b.xlsx", "ada"),
        ("c.xlsx", "bob.zip"),
        ("cyd_final.xlsx", "cyd_final.xlsx"),
    ]
    assert {file.status for file in report.files} == {"right"}
    assert str(tmp_path / "bob.zip" / "work" / "c.xlsx") in {file.file for file in report.files}
    assert len(submissions(report.files, report.left_out)) == 3
    assert report.exit_code == 0


def test_a_pattern_names_the_students(sheet: bytes, tmp_path: Path) -> None:
    for name in ("Ada L_12_file_/s.xlsx", "bob_7.xlsx", "odd.xlsx"):
        put(tmp_path / name, sheet)
    report = audit(tmp_path, jobs=1, student="{name}_*", quiet=True)
    assert sorted(owner for _, owner in owners(report)) == ["Ada L", "bob", "odd.xlsx"]


@pytest.mark.parametrize("pattern", ["x", "{name}{name}", "*"])
def test_a_pattern_without_the_name_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="student: "):
        Names(pattern)


def test_a_pattern_means_what_it_says_and_no_regular_expression() -> None:
    names = Names("hw(1)-{name}?.x*")
    here = Path("class")
    assert names.of(here, here / "hw(1)-ada1.xlsx", alone=False) == "ada"
    assert names.of(here, here / "hw1-ada1.xlsx", alone=False) == "hw1-ada1.xlsx"


def test_one_name_in_two_forms_is_one_student() -> None:
    """As a Mac writes it, and as others do."""
    names, here = Names("\u00fcbung_{name}_?.xlsx"), Path("class")
    files = (here / "u\u0308bung_Mu\u0308ller_a.xlsx", here / "\u00fcbung_M\u00fcller_b.xlsx")
    assert {names.of(here, file, alone=False) for file in files} == {"M\u00fcller"}
    assert top_of("M\u00fcller", "of m\u00fcller/Mu\u0308ller/s.xlsx") == "Mu\u0308ller"


def test_a_repository_is_one_submission(sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "mine" / "first" / "a.xlsx", sheet)
    put(tmp_path / "mine" / "second" / "b.xlsx", sheet)
    (tmp_path / "mine" / ".git").mkdir()
    assert {owner for _, owner in owners(audit(tmp_path / "mine", jobs=1, quiet=True))} == {str(tmp_path / "mine")}


def test_an_archive_of_a_class_is_a_class(sheet: bytes, tmp_path: Path) -> None:
    """As a learning platform sends it; an archive inside is named, not opened."""
    inner = zipped(**{"a.xlsx": sheet})
    path = put(tmp_path / "all.zip", zipped(**{"ada/a.xlsx": sheet, "bob/b.xlsx": sheet, "cyd.zip": inner}))
    report = audit(path, jobs=1, quiet=True)
    assert owners(report) == [("a.xlsx", "ada"), ("b.xlsx", "bob")]
    (left,) = report.left_out
    assert (left.submission, left.file) == ("cyd.zip", str(path / "cyd.zip"))
    assert "archive in an archive" in left.why
    assert report.exit_code == 1


def test_an_archive_with_the_folder_around_the_class_is_a_class(sheet: bytes, tmp_path: Path) -> None:
    path = put(tmp_path / "all.zip", zipped(**{"hw/ada/a.xlsx": sheet, "hw/bob/b.xlsx": sheet, "__MACOSX/x": b""}))
    report = audit(path, jobs=1, quiet=True)
    assert owners(report) == [("a.xlsx", "ada"), ("b.xlsx", "bob")]
    assert report.files[0].file == str(path / "hw" / "ada" / "a.xlsx")
    alone = put(tmp_path / "ada.zip", zipped(**{"ada/one/a.xlsx": sheet, "ada/b.xlsx": sheet}))
    assert {owner for _, owner in owners(audit(alone, jobs=1, quiet=True))} == {"ada"}


def test_no_submission_vanishes(sheet: bytes, tmp_path: Path) -> None:
    """A folder without work, a document, a link: each is named, and costs the others nothing."""
    put(tmp_path / "ada\u202e" / "a.xlsx", sheet)
    put(tmp_path / "bob" / "essay.pdf", b"%PDF")
    put(tmp_path / "cyd.pdf", b"%PDF")
    (tmp_path / "dan").mkdir()
    (tmp_path / "eve.zip").symlink_to(tmp_path / "cyd.pdf")
    put(tmp_path / "roster.csv", b"ada,bob")
    report = audit(tmp_path, jobs=1, quiet=True)
    assert [(left.submission, left.why) for left in report.left_out] == [
        ("bob", "it holds no workbook and no notebook (essay.pdf)"),
        ("cyd.pdf", "it is no workbook and no notebook"),
        ("dan", "it holds no workbook and no notebook; it is empty"),
        ("eve.zip", "a link, which is not followed"),
    ]
    assert report.exit_code == 0
    held = {one.name: one.status for one in submissions(report.files, report.left_out)}
    assert held == {"ada ": "right"} | dict.fromkeys(("bob", "cyd.pdf", "dan", "eve.zip"), "nothing to judge")


def test_ten_thousand_files_of_one_cost_the_others_nothing(sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "ada" / "a.xlsx", sheet)
    (tmp_path / "bob").mkdir()
    for number in range(10_000):
        (tmp_path / "bob" / f"{number:05}.dat").touch()
    report = audit(tmp_path, jobs=1, quiet=True)
    assert owners(report) == [("a.xlsx", "ada")]
    (left,) = report.left_out
    names = "00000.dat, 00001.dat, 00002.dat and 9997 more"
    assert (left.submission, left.why) == ("bob", f"it holds no workbook and no notebook ({names})")


def test_a_folder_that_was_asked_for_does_not_vanish(sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "ada" / "a.xlsx", sheet)
    put(tmp_path / "bob" / "essay.pdf", b"%PDF")
    report = audit(tmp_path / "ada", tmp_path / "bob", jobs=1, quiet=True)
    assert [left.file for left in report.left_out] == [str(tmp_path / "bob")]
    assert report.exit_code == 1


def test_what_lies_beside_the_work_is_named(sheet: bytes, tmp_path: Path) -> None:
    """In folders, in archives and in a folder that is one's alone; it makes nobody's result open."""
    for name in ("a.xlsx", "report.docx", "deep/data.bin", "notes.txt"):
        put(tmp_path / "ada" / name, sheet if name == "a.xlsx" else b"x")
    put(tmp_path / "bob.zip", zipped(**{"b.xlsx": sheet, "a.pdf": b"x"}))
    for number in range(14):
        put(tmp_path / "cyd" / f"{number:02}.png", b"x")
    put(tmp_path / "cyd" / "c.xlsx", sheet)
    put(tmp_path / "roster.csv", b"ada,bob")
    report = audit(tmp_path, jobs=1, quiet=True)
    named = "00.png, 01.png, 02.png, 03.png, 04.png, 05.png, 06.png, 07.png, 08.png, 09.png, 10.png, 11.png"
    told = {
        "ada": ("ada", "beside the work, and not read: notes.txt, report.docx, data.bin"),
        "bob.zip": ("bob.zip", "beside the work, and not read: a.pdf"),
        "cyd": ("cyd", f"beside the work, and not read: {named} and 2 more"),
    }
    assert {left.submission: (Path(left.file).name, left.why) for left in report.left_out} == told
    assert {one.status for one in submissions(report.files, report.left_out)} == {"right"}
    assert report.exit_code == 0
    alone = audit(tmp_path / "ada", tmp_path / "cyd", jobs=1, quiet=True)
    assert [(Path(left.file).name, left.why) for left in alone.left_out] == [told["ada"], told["cyd"]]


def test_a_readme_is_read_with_the_notebooks_and_no_other_text(tmp_path: Path) -> None:
    """Beside scripts alone nobody reads it, so it is named."""
    for name in ("ada", "bob"):
        write_notebook(style("functions"), tmp_path / name)
        put(tmp_path / name / "README.md", b"My work.")
        put(tmp_path / name / "notes.md", b"My work.")
    (tmp_path / "bob" / "S7.ipynb").unlink()
    put(tmp_path / "bob" / "S7.py", b"import torch\nprint('Accuracy: 98.85 %')\nloss.backward()\noptimizer.step()\n")
    report = audit(tmp_path / "ada", tmp_path / "bob", jobs=1, quiet=True)
    assert [left.why for left in report.left_out] == [
        "beside the work, and not read: notes.md",
        "beside the work, and not read: README.md, notes.md",
    ]


def test_what_feedback_wrote_is_no_submission(sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "ada" / "a.xlsx", sheet)
    first = audit(tmp_path, jobs=1, quiet=True)
    first.feedback(tmp_path)
    first.feedback(tmp_path / "back")
    (tmp_path / "class.html").write_text(first.html(), encoding="utf-8")
    (tmp_path / "class.csv").write_text(first.table().csv(), encoding="utf-8")
    again = audit(tmp_path, jobs=1, quiet=True)
    assert (again.files, again.left_out) == (first.files, first.left_out)


def test_feedback_that_is_handed_in_again_hides_nobody(sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "ada_1_assignsubmission_file" / "a.xlsx", sheet)
    put(tmp_path / "bob_2_assignsubmission_file" / "a.xlsx", sheet)
    audit(tmp_path, jobs=1, quiet=True).feedback(tmp_path / "bob_2_assignsubmission_file")
    again = audit(tmp_path, jobs=1, quiet=True)
    assert {file.submission for file in again.files} == {"ada", "bob"}


def test_what_is_kept_inside_the_class_is_no_submission(sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "ada" / "a.xlsx", sheet)
    first = audit(tmp_path, jobs=1, quiet=True, cache=tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir())
    again = audit(tmp_path, jobs=1, quiet=True, no_cache=True)
    assert (again.files, again.left_out) == (first.files, ())
    put(tmp_path / "kept" / "data.json", b"{}")
    assert [left.submission for left in audit(tmp_path, jobs=1, quiet=True, no_cache=True).left_out] == ["kept"]


def test_a_folder_of_a_submission_that_may_not_be_read_is_of_that_submission(
    sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "ada" / "a.xlsx", sheet)
    closed = tmp_path / "ada" / "closed"
    closed.mkdir()
    real = os.scandir

    def scandir(path: str | Path) -> object:
        if Path(path) == closed:
            raise PermissionError(13, "no", str(closed))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = audit(tmp_path, jobs=1, quiet=True)
    (one,) = submissions(report.files, report.left_out)
    assert (one.name, one.status) == ("ada", "undecided")
    assert one.left_out[0].file == str(closed)


@pytest.mark.parametrize("pattern", ["", "{name}"])
def test_a_class_in_a_repository_is_a_class_where_a_pattern_says_so(pattern: str, sheet: bytes, tmp_path: Path) -> None:
    put(tmp_path / "ada" / "a.xlsx", sheet)
    put(tmp_path / "bob" / "b.xlsx", sheet)
    (tmp_path / ".git").mkdir()
    report = audit(tmp_path, jobs=1, student=pattern, quiet=True)
    assert len(submissions(report.files)) == (2 if pattern else 1)


@pytest.mark.parametrize("pattern", ["", "{name}.*"])
def test_loose_files_of_both_kinds_may_be_one_students_and_that_is_said(
    pattern: str, sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()
    monkeypatch.setattr("tinyproof.api.audit.terminal", lambda **_: nullcontext(Listener(say=said.append)))
    put(tmp_path / "kim" / "a.xlsx", sheet)
    write_notebook(style("classes"), tmp_path / "kim")
    audit(tmp_path / "kim", jobs=1, student=pattern, assignment="course-workbook")
    assert ["if they are one student's" in line for line in said] == [True] * (not pattern)
    said.clear()
    audit(tmp_path, jobs=1, student=pattern, assignment="course-workbook")
    assert said == []


def test_a_folder_that_is_one_students_is_one_submission(sheet: bytes, tmp_path: Path) -> None:
    """As it is in the class above it: its files are held against the assignment together."""
    put(tmp_path / "kim" / "a.xlsx", sheet)
    put(tmp_path / "kim" / "part 2" / "b.xlsx", sheet)
    write_notebook(style("classes"), tmp_path / "kim")
    asked = put(tmp_path / "asked.toml", b"[workbook]\nrows_at_least = 2\n[notebook]\nepochs_below = 50\n")
    kim = str(tmp_path / "kim")
    report = audit(kim, one=True, jobs=1, assignment=asked, quiet=True)
    assert {file.submission for file in report.files} == {kim}
    assert [row.grade.points for row in report.rows() if row.grade] == [10]
    held = zipped(**{"a.xlsx": sheet, "b.xlsx": sheet})
    assert {owner for _, owner in owners(audit(put(tmp_path / "ada.zip", held), one=True, jobs=1, quiet=True))} == {
        str(tmp_path / "ada.zip")
    }
    with pytest.raises(InputError, match="leave --student or --one out"):
        audit(kim, one=True, student="{name}", jobs=1, quiet=True)


def test_files_without_a_folder_are_not_one_students(
    sheet: bytes, tmp_path: Path, cli: Callable[..., CompletedProcess[str]]
) -> None:
    paths = [put(tmp_path / name, sheet) for name in ("a.xlsx", "b.xlsx")]
    done = cli("audit", *paths, "--one")
    assert done.returncode == 2
    assert done.stderr.startswith("tinyproof: one: ")
    assert done.stderr.count("\n") == 1
    assert "allowed: one file, or the folder or archive" in done.stderr
    assert len(audit(paths[0], one=True, jobs=1, quiet=True).files) == 1


def test_the_folder_one_stands_in_has_its_own_name(
    sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "ada" / "deep" / "a.xlsx", sheet)
    (tmp_path / "ada" / ".git").mkdir()
    for here, said in ((tmp_path / "ada", "."), (tmp_path / "ada" / "deep", "..")):
        monkeypatch.chdir(here)
        assert owners(audit(said, jobs=1, quiet=True)) == [("a.xlsx", "ada")]


def test_what_leads_out_of_an_archive_is_not_written(sheet: bytes, tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in ("../out.xlsx", "/abs.xlsx", "..\\back.xlsx", "C:\\x.xlsx", "n" * 300 + ".xlsx"):
            archive.writestr(name, sheet)
        link = zipfile.ZipInfo("link.xlsx")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.xlsx", sheet)
    path = put(tmp_path / "in" / "ada.zip", held.getvalue())
    report = audit(path, jobs=1, quiet=True)
    assert [Path(file.file).name for file in report.files] == ["good.xlsx"]
    whys = [left.why for left in report.left_out]
    assert whys.count("its name leads out of the archive") == 4
    assert "it is a link" in whys
    assert "its name is too long or empty" in whys
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["ada.zip", "in"]


def test_a_bomb_is_bounded(sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits themselves are lowered here, so that the test need not write them out."""
    monkeypatch.setattr(unpack, "MOST_BYTES", len(sheet) + 1_000)
    monkeypatch.setattr(unpack, "MOST_MEMBERS", 2)
    path = put(tmp_path / "ada.zip", zipped(**{"a.xlsx": sheet, "b.xlsx": b"0" * 2_000, "c.xlsx": sheet}))
    into = tmp_path / "into"
    into.mkdir()
    refused = unpack.unpack(unpack.Unpacking(str(path), str(into)))
    assert [(r.name, r.why.split(" ")[0]) for r in refused] == [("b.xlsx", "the"), ("", "only")]
    assert [p.name for p in into.iterdir()] == ["a.xlsx"]


def test_of_an_archive_of_ten_thousand_files_one_line_is_told(tmp_path: Path) -> None:
    path = put(tmp_path / "ada.zip", zipped(**{f"{n}.txt": b"" for n in range(10_000)}))
    report = audit(path, jobs=1, quiet=True)
    assert report.left_out[0].file == str(path)
    assert report.left_out[0].why == "only the first 5,000 of its 10,000 files are read"
    assert len(report.left_out) < 3


def damaged(sheet: bytes) -> bytes:
    """An archive whose first member begins as no packed bytes may."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bad.xlsx", sheet)
        archive.writestr("good.xlsx", sheet)
    content = bytearray(held.getvalue())
    content[30 + len("bad.xlsx")] = 0b111  # the first block of its deflate stream is of the type that does not exist
    return bytes(content)


def directory(content: bytes) -> int:
    """Where the directory of an archive begins, as its last bytes say."""
    return int.from_bytes(content[-6:-2], "little")


def packed_otherwise(sheet: bytes) -> bytes:
    """Its first member is packed as nothing here can unpack: the method's number stands in two places."""
    content = bytearray(zipped(**{"bad.xlsx": sheet, "good.xlsx": sheet}))
    content[8] = content[directory(content) + 10] = 9
    return bytes(content)


@pytest.mark.parametrize(("broken", "says"), [(damaged, "Error -3"), (packed_otherwise, "method is not supported")])
def test_a_member_that_cannot_be_unpacked_costs_none_of_the_others(
    broken: Callable[[bytes], bytes], says: str, sheet: bytes, tmp_path: Path
) -> None:
    path = put(tmp_path / "ada.zip", broken(sheet))
    report = audit(path, jobs=1, quiet=True)
    assert [(Path(file.file).name, file.status) for file in report.files] == [("good.xlsx", "right")]
    (left,) = report.left_out
    assert left.file == str(path / "bad.xlsx")
    assert left.why.startswith("it cannot be unpacked: ")
    assert says in left.why


def test_an_encrypted_member_is_named_and_costs_none_of_the_others(sheet: bytes, tmp_path: Path) -> None:
    content = bytearray(zipped(**{"secret.xlsx": sheet, "good.xlsx": sheet}))
    content[6] = content[directory(content) + 8] = 1  # the flag stands in two places
    report = audit(put(tmp_path / "ada.zip", bytes(content)), jobs=1, quiet=True)
    assert [Path(file.file).name for file in report.files] == ["good.xlsx"]
    assert [(Path(left.file).name, left.why) for left in report.left_out] == [("secret.xlsx", "it is encrypted")]


@pytest.mark.parametrize(
    ("names", "judged"),
    [
        (["w\\a.xlsx", "w/a.xlsx", "b.xlsx"], ["a.xlsx", "b.xlsx"]),  # one place twice, by two kinds of slash
        (["a", "a/c.xlsx", "b.xlsx"], ["b.xlsx"]),  # a file where a folder should be
    ],
)
def test_members_in_each_others_way_are_named(
    names: list[str], judged: list[str], sheet: bytes, tmp_path: Path
) -> None:
    report = audit(put(tmp_path / "ada.zip", zipped(**dict.fromkeys(names, sheet))), jobs=1, quiet=True)
    found = sorted(Path(file.file).name for file in report.files)
    assert [name for name in found if name != "a"] == judged
    assert [left.why for left in report.left_out] == ["it cannot be unpacked: another of its files is in the way"]


def test_a_colon_in_a_name_leads_nowhere(sheet: bytes, tmp_path: Path) -> None:
    report = audit(put(tmp_path / "ada.zip", zipped(**{"Task 3: net.xlsx": sheet})), jobs=1, quiet=True)
    assert [Path(file.file).name for file in report.files] == ["Task 3_ net.xlsx"]
    assert report.left_out == ()


@pytest.mark.parametrize("content", [b"PK\x03\x04nonsense", b"", b"text"])
def test_what_is_no_archive_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = put(tmp_path / "ada.zip", content)
    report = audit(path, jobs=1, quiet=True)
    assert report.files == ()
    assert [left.why.split(":")[0] for left in report.left_out] == ["it is no archive that can be read"]
    with pytest.raises(TinyproofError, match="no archive that can be read"):
        unpack.unpack(unpack.Unpacking(str(path), str(tmp_path)))


def test_an_archive_without_work_is_named(tmp_path: Path) -> None:
    report = audit(put(tmp_path / "ada.zip", zipped(notes=b"later")), jobs=1, quiet=True)
    assert [left.why for left in report.left_out] == ["it holds nothing that can be judged"]
    assert report.exit_code == 1


def test_nothing_is_left_behind(sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    audit(put(tmp_path / "ada.zip", zipped(**{"a.xlsx": sheet})), jobs=1, quiet=True)
    assert list(scratch.iterdir()) == []


def test_without_room_for_it_an_archive_is_left_out(
    sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    report = audit(put(tmp_path / "ada.zip", zipped(**{"a.xlsx": sheet})), jobs=1, quiet=True)
    assert [left.why for left in report.left_out] == ["it cannot be unpacked: no such file or folder"]


def test_all_archives_of_a_class_together_are_bounded(
    sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that would be too much is left out whole, in one line; those that have room are read."""
    room = 2 * len(sheet) + 500
    monkeypatch.setattr(survey, "Unpacker", partial(Unpacker, room=room))
    put(tmp_path / "ada.zip", zipped(**{"a.xlsx": sheet}))
    put(tmp_path / "bob.zip", zipped(**{"a.xlsx": sheet, **{f"{n}.xlsx": sheet for n in range(20)}}))
    put(tmp_path / "cyd.zip", zipped(**{"a.xlsx": sheet}))
    put(tmp_path / "dan.zip", zipped(**{"a.xlsx": sheet}))
    report = audit(tmp_path, jobs=1, quiet=True)
    assert owners(report) == [("a.xlsx", "ada.zip"), ("a.xlsx", "cyd.zip")]
    assert [(left.submission, left.why) for left in report.left_out] == [
        (name, "with those before it, the archives hold more than 5,000,000,000 bytes")
        for name in ("bob.zip", "dan.zip")
    ]
    assert report.exit_code == 1


def test_one_process_unpacks_all_and_another_takes_over_where_it_dies(
    sheet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(asked: unpack.Unpacking) -> object:
        (Path(asked.archive).parent.parent / "pids").open("a").write(f"{os.getpid()}\n")
        if "bob" in asked.archive:
            os._exit(3)
        return unpack.unpack(asked)

    monkeypatch.setattr("tinyproof.core.unpacker.unpack", killed)
    for name in ("ada", "bob", "cyd", "dan"):
        put(tmp_path / "in" / f"{name}.zip", zipped(**{"a.xlsx": sheet}))
    report = audit(tmp_path / "in", jobs=1, quiet=True)
    assert [owner for _, owner in owners(report)] == ["ada.zip", "cyd.zip", "dan.zip"]
    assert [left.submission for left in report.left_out] == ["bob.zip"]
    assert "died" in report.left_out[0].why
    first, second, third, fourth = (tmp_path / "pids").read_text().split()
    assert first == second != third == fourth
