"""Under pseudonyms no name is left, in no output and however it is written; the key alone leads back."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.notebook.books import write as write_notebook
from tests.workbook.mutants import mutant, right

from tinyproof.api.audit import audit
from tinyproof.check.classes.pseudonyms import Anonymous, key_table, pseudonyms, read_key
from tinyproof.check.finding import FileReport, Finding, LeftOut, SheetPlace, SheetView
from tinyproof.core.errors import InputError, OutputError

NAMES = ["Ada Lovelace", "Max Born", '=Bob, "B" Jones', "Zoë Ünal", "s1234567.zip", "kim"]


def replaced(text: str, *more: str) -> str:
    names = {name: f"submission-{number:03}" for number, name in enumerate([*NAMES, *more], 1)}
    return Anonymous(names).text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ada Lovelace", "ada_lovelace", "AdaLovelace", "LOVELACE, Ada", "lovelace-ada", "ada.lovelace@uni", "Ada",
        "AdaLovelaceHW3.xlsx", "AdaLovelaceFinal", "hwAdaLovelace", "HWAdaLovelace3", "LovelaceS1", "myLovelaceHW",
        "Lovelace's sheet", "the work of Lovelace", "Lovelace_hw1", "Ada  Lovelace",
    ],
)  # fmt: skip
def test_however_a_name_is_written_it_is_replaced(text: str) -> None:
    told = replaced(text)
    assert "submission-001" in told
    assert not re.search("ada|lovelace", told, re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        "abc12",
        "ABC12",
        "abc12_hw.xlsx",
        "Abc12HW",
        "ab12",
        "ada.ab12",
        "s1234567",
        "S1234567_final",
        "s1234567.zip",
        "Zoe\u0308 U\u0308nal",
        "ZOË ÜNAL",
        "kim",
        "Kim",
    ],
)
def test_usernames_and_letters_of_all_kinds(text: str) -> None:
    assert "submission-00" in replaced(text, "abc12", "ab12")


@pytest.mark.parametrize(
    "text",
    [
        "MAX(0,h1)", "torch.max(x)", "max_epochs = 3", "the largest (max) of all", "=B3*C3", "reborn", "maximum",
        "Canada", "Lovelacemania", "HWlovelace", "GlobalMaxPool", "in 2026", "AB12",
        "cell 1234567", "s12345678", "kimono", "dE/dw5", "",
    ],
)  # fmt: skip
def test_what_is_no_name_stays(text: str) -> None:
    assert replaced(text, "ab12", "2026") == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Bea Müller", "mueller_S7.ipynb"), ("Bea Müller", "by Muller"), ("Zoë Ünal", "Zoe's"),
        ("李雷", "作者李雷写的"),
        ("Ada Byron Lovelace", "AdaLovelace.xlsx"), ("Ada Lovelace", "/home/alovelace"), ("Grace Hopper", "GraceH"),
        ("Carl Gauss", "CarlGaussS1"), ("lovelaceada", "LovelaceAdaHW3"), ("Łucja Żak", "pracaŁucjaŻakHW"),
        ("Max Born", "Max_BornHW"),
    ],
)  # fmt: skip
def test_short_forms_and_plain_letters_are_names_too(name: str, text: str) -> None:
    assert "p1" in Anonymous({name: "p1"}).text(text)


@pytest.mark.parametrize("name", ["1", "5", "07", "w5", "E5", "max", "sum", "error", "test", "ReLU"])
def test_a_name_that_is_a_number_or_a_common_word_spoils_no_sentence(name: str) -> None:
    text = "the test error of w5 (E5) at rate 0.1 and 5: =MAX(E5,0)*SUM(A1:A5); the sum, max and relu of 1"
    common = set(text.replace("(", " ").replace(",", " ").split())
    assert Anonymous({name: "p1"}, (), common).text(text) == text
    assert Anonymous({name: "p1"}, (), common).path(name, f"class/{name}/work {name}.xlsx") == "p1/work p1.xlsx"


def test_a_first_name_of_two_is_nobodys_and_a_word_of_all_is_no_name() -> None:
    names = {"Anna Ay": "submission-001", "Anna Bee": "submission-002"}
    assert Anonymous(names).text("Anna") == "somebody"
    assert Anonymous(names).text("Anna Bee") == "submission-002"
    many = {f"{word}_homework_final": f"p{number}" for number, word in enumerate(["xena", "yuri", "zeno", "wanda"])}
    assert Anonymous(many).text("the final loss of the homework of Wanda") == "the final loss of the homework of p3"


def test_every_text_of_a_report_is_replaced_and_no_word_of_ours() -> None:
    names = {"right": "submission-001", "Ada Lovelace": "submission-002"}
    other = Anonymous(names, [("Ada Lovelace", "class/Ada Lovelace_2871_file/s.xlsx")])
    place = SheetPlace("Lovelace", "o1", "A1", (("Ada", "B2"),))
    words = dict.fromkeys(("says", "should_say", "why", "fix", "effect"), "Ada")
    quoted = ("Ada Lovelace_2871_file",)
    finding = Finding("wrong-loss", "error", place, "by Ada", **words, evidence=quoted)  # type: ignore[arg-type]
    report = FileReport(
        "class/Ada Lovelace_2871_file/lovelace/ada.xlsx",
        "workbook",
        "right",
        (finding,),
        ("Ada",),
        problem="Ada",
        fingerprint="f",
        views=(SheetView("Ada", ("A",), ("Ada",), ((1, (("Ada Lovelace", "=1"),)),)),),
        submission="Ada Lovelace",
        formulas=("Ada A1",),
    )
    told = other.file(report)
    assert not re.search("ada|lovelace|2871", repr(told), re.IGNORECASE)
    assert (told.status, told.findings[0].rule, told.fingerprint) == ("right", "wrong-loss", "f")
    assert told.file == "submission-002/submission-002/submission-002.xlsx"
    left = other.left_out(LeftOut("class/Ada Lovelace_2871_file", "it is Ada's", submission="Ada Lovelace"))
    assert (left.file, left.why, left.submission) == ("submission-002", "it is submission-002's", "submission-002")


def test_pseudonyms_stay_and_their_order_says_nothing() -> None:
    names = [f"s{number:03}" for number in range(200)]
    first = pseudonyms(names, {})
    assert len(set(first.values())) == 200
    assert [first[name] for name in names] != sorted(first.values())
    assert pseudonyms(names[:50], first) == first
    later = pseudonyms(["new"], first)
    assert later["new"] not in first.values()


def test_the_key_is_read_as_it_was_written(tmp_path: Path) -> None:
    names = dict(zip(NAMES, "fedcba", strict=True))
    (tmp_path / "key.csv").write_text(key_table(names).csv(), encoding="utf-8", newline="")
    assert read_key(tmp_path / "key.csv") == names
    assert "\n=" not in (tmp_path / "key.csv").read_text(encoding="utf-8")


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    """Names in folders, in archives, in the names of files and sheets, in cells and in code."""
    folder = tmp_path / "class"
    for number, name in enumerate(["Ada Lovelace_2871_assignsubmission_file", "Max Born_2872_assignsubmission_file"]):
        made = mutant("wrong-gradient", number) if number else right(number)
        made.file = f"{name.split('_')[0]} work.xlsx"
        (folder / name).mkdir(parents=True)
        made.write(folder / name)
    text = "# %% [markdown]\nBy Ada Lovelace, with Max Born. Accuracy 99.99 %\n# %%\nlovelace = 1\nlovelace.fit(\n"
    write_notebook(text, folder / "Ada Lovelace_2871_assignsubmission_file", "Lovelace.ipynb")
    (folder / "Zoë Ünal_2873_assignsubmission_file").mkdir()
    (folder / "Zoë Ünal_2873_assignsubmission_file" / "Essay of Ünal.pdf").write_bytes(b"%PDF")
    shutil.make_archive(str(folder / "Bob Jones_2874_x"), "zip", folder / "Max Born_2872_assignsubmission_file")
    return folder


def test_no_name_is_left_anywhere(handed_in: Path, tmp_path: Path, cli: Callable[..., CompletedProcess[str]]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    done = cli(
        "audit", handed_in, "--student", "{name}_*", "--anonymous", tmp_path / "key.csv", "--html", out / "page.html",
        "--feedback", out / "back", "--grades", out / "grades.csv", "--csv", out / "all.csv", "--details", "--no-cache",
    )  # fmt: skip
    assert done.returncode == 1
    as_json = cli(
        "audit", handed_in, "--student", "{name}_*", "--anonymous", tmp_path / "key.csv", "--json", "--no-cache"
    )
    (out / "result.json").write_text(as_json.stdout)
    (out / "text").write_text(done.stdout + done.stderr + as_json.stderr)
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) == 13
    for path in written:
        found = re.search(
            r"lovelace|\bada\b|born|\bzo|nal\b.*Essay|ünal|jones|287\d", path.name + path.read_text("utf-8"), re.I
        )
        assert not found, (path, found)
    held = list(csv.reader((tmp_path / "key.csv").open(encoding="utf-8", newline="")))
    assert held[0] == ["pseudonym", "name"]
    assert {row[1] for row in held[1:]} == {"Ada Lovelace", "Max Born", "Zoë Ünal", "Bob Jones"}
    grades = {row["name"]: row["status"] for row in csv.DictReader((out / "grades.csv").open(encoding="utf-8"))}
    back = {row[1]: grades[row[0]] for row in held[1:]}
    assert (back["Max Born"], back["Bob Jones"], back["Zoë Ünal"]) == ("wrong", "wrong", "nothing to judge")


@pytest.mark.skipif(os.name == "nt", reason="permissions differ")
def test_the_key_is_for_its_owner_alone_and_goes_on(handed_in: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.csv"
    first = audit(handed_in, jobs=1, quiet=True, student="{name}_*", anonymous=key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = read_key(key)
    result = tmp_path / "r.json"
    result.write_text(json.dumps(first.to_json()))
    shutil.copytree(handed_in / "Max Born_2872_assignsubmission_file", handed_in / "Eve Late_9_assignsubmission_file")
    again = audit(handed_in, jobs=1, quiet=True, student="{name}_*", anonymous=key, since=result)
    assert {name: word for name, word in read_key(key).items() if name != "Eve Late"} == before
    assert again.changes is not None
    assert [(change.submission, change.was) for change in again.changes] == [(read_key(key)["Eve Late"], "")]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_an_earlier_result_with_names_is_told_without_them(handed_in: Path, tmp_path: Path) -> None:
    result = tmp_path / "r.json"
    result.write_text(json.dumps(audit(handed_in, jobs=1, quiet=True, student="{name}_*").to_json()))
    shutil.rmtree(handed_in / "Max Born_2872_assignsubmission_file")
    again = audit(handed_in, jobs=1, quiet=True, student="{name}_*", anonymous=tmp_path / "k.csv", since=result)
    assert again.changes is not None
    assert [change.now for change in again.changes] == [""]
    assert not re.search("born|lovelace", repr(again.changes), re.IGNORECASE)


def test_nobody_is_judged_otherwise_under_a_pseudonym(tmp_path: Path) -> None:
    """Loose files, one of them named as the data set: the assignment is held against what was handed in."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("ada", "MAX", "mnist"):
        made = mutant("wrong-gradient", 3) if name == "MAX" else right(len(name))
        made.write(folder).rename(folder / f"{name}.xlsx")
    asked = {"assignment": "course-workbook", "jobs": 1, "quiet": True}
    plain = audit(folder, **asked)  # type: ignore[arg-type]
    hidden = audit(folder, **asked, anonymous=tmp_path / "key.csv")  # type: ignore[arg-type]
    back = {word: name for name, word in read_key(tmp_path / "key.csv").items()}

    def told(files: tuple[FileReport, ...]) -> dict[str, tuple[str, list[str]]]:
        owners = {file.submission: back.get(file.submission, file.submission) for file in files}
        return {owners[file.submission]: (file.status, [each.rule for each in file.findings]) for file in files}

    assert told(hidden.files) == told(plain.files)
    assert [row.status for row in hidden.rows()] != []
    assert not re.search(r"\bada\b|\bmnist\b", json.dumps(hidden.to_json()), re.IGNORECASE)


def test_those_who_are_gone_stand_in_the_order_of_their_pseudonyms(handed_in: Path, tmp_path: Path) -> None:
    result = tmp_path / "r.json"
    result.write_text(json.dumps(audit(handed_in, jobs=1, quiet=True, student="{name}_*").to_json()))
    for folder in sorted(handed_in.iterdir())[1:]:
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    again = audit(handed_in, jobs=1, quiet=True, student="{name}_*", anonymous=tmp_path / "k.csv", since=result)
    assert again.changes is not None
    gone = [change.submission for change in again.changes if not change.now]
    assert len(gone) > 1
    assert gone == sorted(gone)


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"pseudonym,name\nonly\n", b"\xff\xfe", b"pseudonym,name\n,x\n"]
)
def test_a_file_that_is_no_key_is_left_alone(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "s.xlsx").write_bytes(b"x")
    path = tmp_path / "grades.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"anonymous: .* is another file"):
        audit(tmp_path / "s.xlsx", quiet=True, anonymous=path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "s.xlsx").write_bytes(b"x")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        audit(tmp_path / "s.xlsx", quiet=True, anonymous=tmp_path / "file" / "key.csv")


def test_a_roster_would_bring_the_names_back(tmp_path: Path, cli: Callable[..., CompletedProcess[str]]) -> None:
    done = cli("audit", tmp_path, "--anonymous", tmp_path / "k", "--grades", tmp_path / "g", "--roster", tmp_path / "r")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "roster: " in done.stderr
    assert not (tmp_path / "k").exists()
