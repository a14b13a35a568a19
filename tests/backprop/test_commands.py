"""workbook, trace, derive and sweep as a user calls them: files, messages, exit codes, what they import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
HEAVY = ("torch", "matplotlib", "scipy", "pandas", "openpyxl", "xlsxwriter", "jinja2", "sympy")


def imported(*words: str) -> set[str]:
    """The heavy packages that a command imports."""
    code = (
        "import sys, io, contextlib\nfrom tinyproof.cli import app\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    app({list(words)!r}, standalone_mode=False)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [("derive",), ("trace",), ("trace", "xor", "--format", "csv"), ("sweep",)])
def test_answers_import_nothing_heavy(words: tuple[str, ...]) -> None:
    assert imported(*words) == set()


def test_that_test_can_fail(tmp_path: Path) -> None:
    assert {"xlsxwriter", "matplotlib"} <= imported("workbook", "-n", "3", "--out", str(tmp_path / "a.xlsx"))


def test_workbook_writes_the_file_and_the_table(cli: Command, tmp_path: Path) -> None:
    out, table = tmp_path / "deep.xlsx", tmp_path / "deep.csv"
    done = cli("workbook", "deep", "--out", out, "--rates", "0.5,1", "-n", 5, "--csv", table, "--style", "chain")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == [f"wrote {out}", f"wrote {table}"]
    assert "dE/da_h3_2" in table.read_text().splitlines()[0]
    assert len(table.read_text().splitlines()) == 11
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["overview", "derivation", "eta 0.5", "eta 1", "compare", "what-if", "check"]
    assert len(book["overview"]._images) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep.csv", "deep.xlsx"]


def test_a_network_of_ones_own_goes_out_and_in(cli: Command, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert cli("derive", "random:2-3-1:7", "--format", "toml", "--out", path).returncode == 0
    first, again = (cli("trace", which, "--format", "json", "-n", 4) for which in ("random:2-3-1:7", path))
    assert json.loads(first.stdout)["rows"] == json.loads(again.stdout)["rows"]
    assert len(json.loads(first.stdout)["rows"]) == 4


@pytest.mark.parametrize(
    ("name", "begins"),
    [("d.tex", "\\documentclass"), ("d.md", "# "), ("d.html", "<!doctype html>"), ("d.txt", "The course")],
)
def test_the_ending_of_the_file_says_how_a_derivation_is_written(
    cli: Command, tmp_path: Path, name: str, begins: str
) -> None:
    assert cli("derive", "--out", str(tmp_path / name)).returncode == 0
    assert (tmp_path / name).read_text(encoding="utf-8").lstrip().startswith(begins)


def test_a_format_that_is_asked_for_stands_above_the_ending(cli: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "d.tex")
    assert cli("derive", "--format", "markdown", "--out", path).returncode == 0
    assert Path(path).read_text(encoding="utf-8").startswith("# ")


def test_sweep_as_json_keeps_standard_output_clean(cli: Command, tmp_path: Path) -> None:
    done = cli("sweep", "course", "--rates", "0.5,2", "-n", 10, "--json", "--out", tmp_path / "r")
    answer = json.loads(done.stdout)
    assert answer["best"] == 2.0
    assert [row["learning rate"] for row in answer["rates"]] == [0.5, 2.0]
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["loss.csv", "loss.png", "rates.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trace", "none.toml"), "none.toml: no such file"),
        (("trace", "curse"), "network: 'curse' is not allowed; allowed: course, worked-example"),
        (("trace", "--columns", "w9"), "column: 'w9' is not allowed; allowed: t1, t2"),
        (("trace", "--show", "1,x"), "show: '1,x' is not allowed; allowed: whole numbers, as in 1,2,100"),
        (("trace", "--show", "101"), "iteration: 101 is not allowed; allowed: a whole number from 1 to 100"),
        (("trace", "-n", "0"), "iterations: 0 is not allowed; allowed: a whole number from 1"),
        (("trace", "--rate", "nan"), "learning rate: nan is not allowed; allowed: a finite number above 0"),
        (("derive", "-i", "0"), "iterations: 0 is not allowed"),
        (("derive", "random:2-x"), "network: 'random:2-x' is not allowed; allowed: random:SHAPE:SEED"),
        (("sweep", "--rates", "2:1:1"), "rates: '2:1:1' is not allowed; allowed: from <= to, a step above 0"),
        (("sweep", "--rates", "0.5,0.5"), "rates: 0.5 is not allowed; allowed: each rate once"),
        (("workbook", "--out", "."), ".: cannot be written: a folder of that name is in the way"),
        (("workbook", "-n", "1048576"), "iterations: '1,048,582 rows' is not allowed; allowed: at most 1,048,576"),
        (("workbook", "--out", "/dev/full/a.xlsx"), "/dev/full/a.xlsx: cannot be written: a file is in the way"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(cli: Command, words: tuple[str, ...], message: str) -> None:
    done = cli(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"tinyproof: {message}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/shm").is_dir() or os.geteuid() != 0, reason="needs a small file system of its own")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A file system of 64 KB, where this machine lets us mount one."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no permission to mount")
    try:
        words = ["-m", "tinyproof", "workbook", "--out", str(small / "a.xlsx")]
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
        assert done.returncode == 2
        assert "cannot be written: no space left on the device" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)
