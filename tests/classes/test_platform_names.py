"""What Moodle and Canvas hand out is told apart by student, and found again in the lists that they export."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from tests.workbook.mutants import mutant, right

from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.classes.platform_names import platform_names
from tinyproof.check.classes.roster import load_roster
from tinyproof.check.classes.submissions import submissions

MOODLE = "{}_assignsubmission_file"


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = tmp_path_factory.mktemp("sheets")
    return right(11).write(folder).read_bytes(), mutant("wrong-gradient", 4).write(folder).read_bytes()


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def packed_on_a_mac(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("hw/backprop.xlsx", content)
        archive.writestr("__MACOSX/hw/._backprop.xlsx", b"\0\5\x16\7")
        archive.writestr("hw/.DS_Store", b"x")
    return held.getvalue()


def statuses(report: AuditResult) -> dict[str, str]:
    return {one.name: one.status for one in submissions(report.files, report.left_out)}


def graded(report: AuditResult, roster: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(report.grades(roster=roster).csv())))[1:]


def of_moodle(folder: Path, good: bytes, bad: bytes) -> Path:
    """German, Chinese and Irish names, two of one name, a text beside the file, an empty folder, a Mac's archive."""
    put(folder / MOODLE.format("Jürgen Müller_2871") / "backprop.xlsx", good)
    put(folder / MOODLE.format("王 小明_2872") / "backprop.xlsx", bad)
    put(folder / MOODLE.format("Ada Lovelace_2873") / "backprop.xlsx", good)
    put(folder / "Ada Lovelace_2873_assignsubmission_onlinetext" / "onlinetext.html", b"<p>here</p>")
    put(folder / MOODLE.format("Ada Lovelace_2899") / "backprop.xlsx", bad)
    put(folder / MOODLE.format("Seán O'Brien_2874") / "hw.zip", packed_on_a_mac(good))
    put(folder / ".DS_Store", b"x")
    put(folder / "roster.csv", b"name\nAda\n")
    (folder / MOODLE.format("Leer Ordner_2875")).mkdir()
    return folder


def test_a_class_from_moodle(sheets: tuple[bytes, bytes], tmp_path: Path) -> None:
    report = audit(of_moodle(tmp_path / "class", *sheets), jobs=1, quiet=True)
    assert statuses(report) == {
        "Jürgen Müller": "right",
        "王 小明": "wrong",
        "Ada Lovelace (participant 2873)": "right",
        "Ada Lovelace (participant 2899)": "wrong",
        "Seán O'Brien": "right",
        "Leer Ordner": "nothing to judge",
    }
    worksheet = tmp_path / "worksheet.csv"
    worksheet.write_text(
        "Identifier,Full name,Grade\nParticipant 2871,Jürgen Müller,\nParticipant 2899,Ada Lovelace,\n"
        "Participant 2873,Ada Lovelace,\nParticipant 2880,No One,\n",
        encoding="utf-8",
    )
    assert [row[3:5] for row in graded(report, worksheet)[:4]] == [
        ["10", "right"],
        ["7", "wrong"],
        ["10", "right"],
        ["", "missing"],
    ]
    plain = tmp_path / "list.csv"
    plain.write_text("First name,Last name,ID number\nAda,Lovelace,1\nAda,Lovelace,2\n小明,王,3\n", encoding="utf-8")
    found = graded(report, plain)
    assert [row[4] for row in found[:3]] == ["not known", "not known", "wrong"]  # nobody is called missing
    assert found[3][0] == "Ada Lovelace (participant 2873)"


def test_a_class_from_canvas_as_it_is_downloaded(sheets: tuple[bytes, bytes], tmp_path: Path) -> None:
    """One archive; a student's files, late ones too, are one submission. What is packed twice is named, not opened."""
    good, bad = sheets
    members = {
        "müllerjürgen_123_4561_backprop.xlsx": good,
        "lovelaceada_LATE_124_4562_backprop-1.xlsx": bad,
        "lovelaceada_LATE_124_4563_second part.xlsx": good,
        "obrienseán_125_4564_hw.zip": packed_on_a_mac(good),
        "gausscarl_126_4565_essay.pdf": b"%PDF-1.7",
    }
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    report = audit(tmp_path / "submissions.zip", jobs=1, quiet=True)
    assert statuses(report) == {
        "müllerjürgen": "right",
        "lovelaceada": "wrong",
        "obrienseán": "unreadable",
        "gausscarl": "nothing to judge",
    }
    book = tmp_path / "grades.csv"
    book.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,points (9)\n    Points Possible,,,,,10\n"
        '"Müller, Jürgen",123,,jm,S,\n"Lovelace, Ada",124,,al,S,\n"O\'Brien, Seán",125,,so,S,\n',
        encoding="utf-8",
    )
    assert [(row[0], row[5]) for row in graded(report, book)[1:]] == [
        ("Müller, Jürgen", "10"),
        ("Lovelace, Ada", "7"),
        ("O'Brien, Seán", ""),
    ]


@pytest.mark.parametrize("one_alone", [True, False])
@pytest.mark.parametrize("identifier", ["Participant {}", "Teilnehmer/in {}", "Teilnehmer/in{}"])
def test_where_no_name_is_told_moodles_number_decides(identifier: str, one_alone: bool, tmp_path: Path) -> None:
    """Blind marking."""
    for number in (2871,) if one_alone else (2871, 2872):
        put(tmp_path / "class" / MOODLE.format(f"Participant_{number}") / "s.xlsx", b"nonsense")
    worksheet = tmp_path / "worksheet.csv"
    people = "".join(f"{identifier.format(number)},\n" for number in (2870, 2871, 2872))
    worksheet.write_text(f"Identifier,Grade\n{people}", encoding="utf-8")
    found = graded(audit(tmp_path / "class", jobs=1, quiet=True), worksheet)
    assert [row[3] for row in found] == ["missing", "unreadable", "missing" if one_alone else "unreadable"]


def test_a_number_decides_alone_only_in_a_list_of_the_platform(tmp_path: Path) -> None:
    plain, book = tmp_path / "plain.csv", tmp_path / "book.csv"
    plain.write_text("name,id\nAda,124\n", encoding="utf-8")
    book.write_text('Student,ID,SIS Login ID\n"Lo, Ada",124,\n', encoding="utf-8")
    assert load_roster(plain).may_be("lia (124)") == []
    assert load_roster(book).may_be("lia (124)") == [0]


@pytest.mark.parametrize("names", [("lia_1_10_n.ipynb", "bo_2_11_n.ipynb"), ("n.ipynb", "n2.ipynb")])
def test_a_readme_beside_what_a_platform_handed_out_makes_no_class_one_submission(
    names: tuple[str, str], tmp_path: Path
) -> None:
    for name in (*names, "README.md"):
        put(tmp_path / name, b"{}" if name.endswith("ipynb") else b"Read me")
    report = audit(tmp_path, jobs=1, quiet=True)
    owners = ["lia", "bo"] if "lia" in names[0] else [str(tmp_path)]
    assert sorted({file.submission for file in report.files}) == sorted(owners)


def test_letters_with_marks_and_a_stray_sheet_hide_nobody(sheets: tuple[bytes, bytes], tmp_path: Path) -> None:
    """One whose marks stand behind the letters, as a Mac writes them, one of a script that has no other, a sheet that
    is no student's."""
    good, bad = sheets
    for name, content in (
        ("mu\u0308llerjo\u0308rg_1_10", good),
        ("गुप्तारवि_2_11", bad),
        ("load_3_12", good),
        ("load_3_13", bad),
    ):
        put(tmp_path / "class" / f"{name}_sheet.xlsx", content)
    put(tmp_path / "class" / "model answer.xlsx", good)
    report = audit(tmp_path / "class", jobs=1, quiet=True)
    held = {"m\u00fcllerj\u00f6rg": "right", "गुप्तारवि": "wrong", "load": "wrong", "model answer.xlsx": "right"}
    assert statuses(report) == held
    book = tmp_path / "grades.csv"
    book.write_text(
        'Student,ID,SIS Login ID\n"Müller, Jörg",1,\n"गुप्ता, रवि",2,\n"Lo, Bo",3,\n"Lo, Ad",4,\n', encoding="utf-8"
    )
    assert [row[3:5] for row in graded(report, book)] == [
        ["10", "right"],
        ["7", "wrong"],
        ["", "missing"],
        ["7", "wrong"],
        ["10", "not in the roster"],
    ]
    hidden = audit(tmp_path / "class", anonymous=tmp_path / "key.csv", jobs=1, quiet=True)
    assert not re.search("ller|गुप्ता|load", json.dumps(hidden.to_json(), ensure_ascii=False).split('"shared"')[0])


def test_neither_names_nor_numbers_of_a_platform_are_left_under_pseudonyms(
    sheets: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """Two loose files of one student have a path each."""
    good, bad = sheets
    of_moodle(tmp_path / "moodle", *sheets)
    for name, content in (("müllerj_123_4561", good), ("gaussc_124_4562", bad), ("gaussc_124_4563", good)):
        put(tmp_path / "canvas" / f"{name}_sheet.xlsx", content)
    for folder in ("moodle", "canvas"):
        report = audit(tmp_path / folder, anonymous=tmp_path / f"{folder}.csv", jobs=1, quiet=True)
        told = json.dumps(report.to_json(), ensure_ascii=False)
        assert not re.search(
            "lovelace|müller|小明|brien|ordner|gauss|28[0-9][0-9]|456[0-9]|participant", told.casefold()
        )
        paths = [file.file for file in (*report.files, *report.left_out)]
        assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        (["Ada L_1_assignsubmission_file_a_2_b.xlsx", "Bob_2_assignsubmission_file_"], ["Ada L", "Bob"]),
        (["Participant_1_assignsubmission_file", "Participant_2_assignsubmission_file"],
         ["Participant (participant 1)", "Participant (participant 2)"]),
        (["lia_1_10_a.xlsx", "lia_2_11_a.xlsx", "bo_LATE_3_12_a.xlsx"], ["lia (1)", "lia (2)", "bo"]),
        (["anon_x7Ka_10_a.xlsx", "LATE_anon_Qq2_11_a.xlsx"], ["anon_x7Ka", "anon_Qq2"]),
        (["lia_1_10_a.xlsx", "bo_2_11_a.xlsx", "grades.csv", "class.html"], ["lia", "bo"]),
        (["lia_1_10_a.xlsx", "bo_2_11_a.xlsx", "ada.xlsx"], []),
        (["lia_1_10_a.xlsx", "bo_2_11_a.xlsx", "cy_3_12_a.xlsx", "model answer.xlsx"], ["lia", "bo", "cy"]),
        (["mu\u0308llerj_1_10_a.xlsx", "गुप्तारवि_2_11_a.xlsx"], ["m\u00fcllerj", "गुप्तारवि"]),
        (["Ada L_1_assignsubmission_file", "roster.csv", "late"], ["Ada L"]),
        (["lia_1_10_a.xlsx"], []),
        (["hw1_2026_11_ada.xlsx", "hw1_2026_11_ben.xlsx"], []),  # one number for two files
        (["hw1_2026_11_ada.xlsx", "hw1_2026_12_ben.xlsx"], []),  # one student
        (["ada_2026_11_a.xlsx", "ben_2026_12_b.xlsx"], []),  # one number for two students
        (["hw_1_11_ada.xlsx", "hw_2_12_ben.xlsx", "hw_1_13_cyd.xlsx"], []),  # one name for all
        (["hw1_2026_11_ada.xlsx", "lia_1_10_a.xlsx", "hw1_2026_11_ben.xlsx"], []),
        (["anon_hw1_11_ada.xlsx", "anon_hw2_11_ben.xlsx"], []),
        (["anon_hw1_11_ada.xlsx", "anon_hw1_12_ben.xlsx"], []),
        (["lia_1_10_hw.zip", "lia_1_10_hw", "bo_2_11_a.xlsx"], ["lia", "lia", "bo"]),  # unpacked beside it
        (["ada.xlsx", "bob.xlsx"], []),
        ([], []),
    ],
)  # fmt: skip
def test_names(entries: list[str], names: list[str]) -> None:
    assert list(platform_names(entries).values()) == names
