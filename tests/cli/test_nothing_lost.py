"""One bad file, value or stream never costs anybody else's result: one line, exit code 2 or 1, nothing replaced."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.prove.proving import call, environment

import tinyproof
from tinyproof.core import archives
from tinyproof.core.archives import opened
from tinyproof.core.errors import OutputError, said
from tinyproof.core.files import write_atomic
from tinyproof.core.printed import visible

PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A right workbook."""
    path = tmp_path_factory.mktemp("sheets") / "right.xlsx"
    assert call("workbook", "course", "--rates", "0.5", "-n", 5, "--out", path).returncode == 0
    return path


def notebook(path: Path, source: str, output: str = "") -> Path:
    """A notebook of one cell, written as JSON with every letter escaped."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": outputs, "source": source}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_half_a_character_in_a_notebook_costs_no_table_page_or_json(sheet: Path, tmp_path: Path) -> None:
    half = notebook(
        tmp_path / "half.ipynb", "# accuracy 99.90 % \ud83d\nprint('Test accuracy: 98.04%')", "\ud83d 98.04%"
    )
    csv, page = tmp_path / "all.csv", tmp_path / "all.html"
    done = call("audit", sheet, half, "--csv", csv, "--html", page, "--json")
    assert done.returncode in (0, 1), done.stderr
    files = json.loads(done.stdout)["files"]
    assert (files[0]["status"], len(files)) == ("right", 2)
    assert "half.ipynb" in csv.read_text(encoding="utf-8")
    assert "half.ipynb" in page.read_text(encoding="utf-8")


def test_what_moves_a_terminal_is_not_printed(tmp_path: Path) -> None:
    told = "\x1b[2J\x1b[31mTest accuracy: 99.90%\x1b[0m"
    bad = notebook(tmp_path / "a.ipynb", f"print('{told}')", told)
    for words in (("--details",), ("--brief",), ()):
        done = call("audit", bad, *words)
        assert "\x1b" not in done.stdout + done.stderr
    assert visible("a\u202eb\x9b1m\tc\r\n") == "a?b?1m\tc?\n"


@PIPES
def test_a_pipe_is_not_waited_for(sheet: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    done = call("audit", sheet, tmp_path / "pipe.xlsx", timeout=60)
    assert done.returncode == 1
    assert "is a device or a pipe, no plain file" in done.stdout


@PIPES
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(sheet: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="a device or a pipe"):
        write_atomic(pipe, "x")
    assert pipe.is_fifo()
    done = call("audit", sheet, "--html", pipe)
    assert (done.returncode, pipe.is_fifo()) == (2, True)


def test_two_outputs_of_one_name_are_refused(sheet: Path, tmp_path: Path) -> None:
    here = tmp_path / "same"
    done = call("audit", sheet, "--html", here, "--csv", tmp_path / "." / "same")
    assert done.returncode == 2
    assert "is the file of csv too; name another" in done.stderr
    assert not here.exists()
    book = tmp_path / "a.xlsx"
    assert call("workbook", "course", "--out", book, "--csv", book).returncode == 2
    assert not book.exists()


def test_a_workbook_is_not_written_under_another_kind_of_name(tmp_path: Path) -> None:
    done = call("workbook", "course", "--out", tmp_path / "a.csv")
    assert done.returncode == 2
    assert "a name that ends in .xlsx" in done.stderr


def test_no_path_is_not_this_folder(tmp_path: Path) -> None:
    done = call("audit", "")
    assert (done.returncode, done.stderr) == (
        2, "tinyproof: path: '' names nothing; name a file or folder\n"
    )  # fmt: skip


def test_what_a_folder_holds_is_judged_or_named(sheet: Path, tmp_path: Path) -> None:
    for name in ("env/a.xlsx", "b.xlsx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(sheet, tmp_path / name)
    done = call("audit", tmp_path)
    assert done.returncode == 0
    assert "env/a.xlsx" in done.stdout
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert "env/a.xlsx" not in call("audit", tmp_path).stdout
    with zipfile.ZipFile(tmp_path / "late.7z", "w") as archive:
        archive.write(sheet, "c.xlsx")
    done = call("audit", tmp_path)
    assert done.returncode == 1
    assert "late.7z" in done.stdout
    assert "unpack it" in done.stdout


def test_a_folder_that_cannot_be_read_is_named(sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator, as whom tests may run, can read everything: the refusal is made here."""
    closed = tmp_path / "closed"
    closed.mkdir()
    shutil.copy(sheet, tmp_path / "open.xlsx")
    plain = os.scandir

    def scan(path: str = ".") -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(os, "scandir", scan)
    found = tinyproof.audit(tmp_path, quiet=True)
    assert [file.status for file in found.files] == ["right"]
    assert [(left.file, left.why) for left in found.left_out] == [(str(closed), "it cannot be read: no permission")]
    assert found.exit_code == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_stream_is_one_line(sheet: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tinyproof", "audit", str(sheet)],
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "no space left on the device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("code", ["ascii:strict", "cp437:strict", "cp1252:strict", "utf-8:strict"])
def test_a_stream_that_cannot_show_a_letter_shows_a_replacement(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tinyproof", "derive", "course"],
        capture_output=True, env={**environment(), "PYTHONIOENCODING": code}, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"E_total" in done.stdout


RECIPES = {
    "\ufeffrate = 0.01\n": "",
    "epochs = " + "9" * 5000: "a number of thousands of digits",
    "a = " + "[" * 50_000: "is not TOML",
    "epochs = 3\nepochs = 4\n": "is not TOML",
}


@pytest.mark.parametrize("text", RECIPES, ids=["mark", "digits", "depth", "twice"])
def test_a_recipe_or_a_network_from_a_file(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    done = call("train", "s7-8k", "--dataset", "digits", "--recipe", file, "--epochs", 1, "--out", tmp_path / "run")
    assert done.returncode == (2 if RECIPES[text] else 0), done.stderr
    assert RECIPES[text] in done.stderr
    assert "Traceback" not in done.stderr
    shown = call("derive", file)
    assert (shown.returncode, len(shown.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("within", ["nan", "inf", "0", "-1"])
def test_a_margin_that_is_none(within: str) -> None:
    done = call("compare", "s7-8k", "s7-8k@s7-8k,rate=0.01", "--within", within, "--dataset", "digits")
    assert done.returncode == 2
    assert "a number above 0 and at most 100" in done.stderr


def test_a_side_compared_with_itself() -> None:
    done = call("compare", "s7-8k", "s7-8k", "--dataset", "digits", "--seeds", 2)
    assert done.returncode == 2
    assert "two recipes, networks or engines that differ" in done.stderr


OWN = """
import os
from torch import nn

class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no text")

class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.LazyLinear(10)
    def forward(self, x):
        return self.out(x.flatten(1))

class InCall(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(784, 10)
    def forward(self, x):
        raise Silent

class InMaking(nn.Module):
    def __init__(self):
        raise Silent

class Elsewhere(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(784, 10)
        os.chdir("/")
    def forward(self, x):
        return self.out(x.flatten(1))
"""


def test_networks_that_fail_in_unusual_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyproof.api.summary import summary
    from tinyproof.core.errors import DataError

    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    assert summary("own.py:Lazy").layers.footer[0][3] == 7_850
    with pytest.raises(DataError, match="does not take an image of 1 x 28 x 28: Silent"):
        summary("own.py:InCall")
    with pytest.raises(DataError, match=r"cannot be made without arguments: Silent \(own.py, line 25\)"):
        summary("own.py:InMaking")
    assert summary("own.py:Elsewhere").layers.rows
    assert Path.cwd() == tmp_path
    done = call("train", "own.py:Elsewhere", "--dataset", "digits", "--epochs", 1, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").is_file()


def test_an_error_that_cannot_say_itself() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert said(Silent()) == "Silent"


def test_a_directory_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(300):
            archive.writestr(f"file {number}", "")
    with opened(path) as archive:
        assert len(archive.namelist()) == 300
    monkeypatch.setattr(archives, "MOST_DIRECTORY_BYTES", 5_000)
    for source in (path, path.read_bytes()):
        with pytest.raises(zipfile.BadZipFile, match="a directory of"), opened(source):
            pass


def test_a_name_that_stands_twice_in_an_archive_is_refused(tmp_path: Path) -> None:
    """One program reads the first content, another the last."""
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(zipfile.BadZipFile, match="the name 'a' stands twice"), opened(path):
        pass


def test_tables_in_tables_without_end_are_one_line(tmp_path: Path) -> None:
    file = tmp_path / "deep.toml"
    file.write_text("a" + ".a" * 20_000 + " = 1\n")
    for words in (("derive", file), ("train", "s7-8k", "--recipe", file)):
        done = call(*words)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "Error" not in done.stderr
