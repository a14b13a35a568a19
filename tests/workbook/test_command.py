"""`tinyproof audit` as a teacher uses it: words, JSON, a class, exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.workbook.mutants import Mutant, mutant, right

import tinyproof
from tinyproof.check.workbook import KINDS

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mutant]:
    """A folder with a right workbook, one with the famous mistake, a copy of it, and something else."""
    folder = tmp_path_factory.mktemp("class")
    good = right(11)
    good.file = "good.xlsx"
    good.write(folder)
    bad = next(m for seed in range(200) if (m := mutant("wrong-gradient", seed)).words == "act")
    for name in ("bad.xlsx", "copy.csv"):
        bad.file = name if name.endswith("xlsx") else "copy.xlsx"
        path = bad.write(folder)
        if name == "copy.csv":
            path.rename(folder / name)  # a workbook by another name
    (folder / "notes.bin").write_bytes(b"\0\1")
    return folder, bad


def test_json_has_what_the_documentation_names(course: tuple[Path, Mutant], cli: Cli) -> None:
    folder, bad = course
    done = cli("audit", folder / "bad.xlsx", "--json")
    assert done.returncode == 1
    (file,) = json.loads(done.stdout)["files"]
    assert file["status"] == "wrong"
    (finding,) = [f for f in file["findings"] if f["severity"] == "error"]
    wanted = {"sheet", "column", "cells", "severity", "kind", "says", "should_say", "fix", "effect"}
    assert wanted <= set(finding)
    assert (finding["kind"], finding["column"]) == ("wrong-gradient", bad.column)
    assert finding["kind"] in KINDS
    assert finding["fix"].startswith("write in ")
    first = finding["cells"].split(":")[0]
    assert finding["fix"].startswith(f"write in {first}: =")
    assert all(finding[key] for key in wanted)


def test_the_fix_is_right_when_it_is_pasted(course: tuple[Path, Mutant], tmp_path: Path, cli: Cli) -> None:
    """What the audit tells to write is what Python computes for the right sheet, in the first wrong cell."""
    folder, bad = course
    report = tinyproof.audit(folder / "bad.xlsx").files[0]
    fix = next(f.fix for f in report.findings if f.severity == "error")
    formula = fix.partition(": ")[2].removesuffix(" and fill down")
    from tests.workbook.sheets import calculate

    place = bad.sheet.first, bad.sheet.at[bad.column]
    assert calculate({**bad.cells, place: formula})[place] == pytest.approx(
        calculate(bad.sheet.cells)[place], rel=1e-12
    )


def test_a_class_is_put_together(course: tuple[Path, Mutant], tmp_path: Path, cli: Cli) -> None:
    folder, bad = course
    done = cli("audit", folder, "--brief", "--jobs", 2, "--csv", tmp_path / "a.csv", "--html", tmp_path / "a.html")
    assert done.returncode == 1, done.stderr
    assert "1 right, 2 wrong" in done.stdout
    assert "2 of 3 files are formula for formula the same" in done.stdout
    assert "2 of 3 files have the same mistake" in done.stdout
    assert bad.column in (tmp_path / "a.csv").read_text(encoding="utf-8")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "formula for formula the same" in page
    assert page.count('class="grid"') == 3
    assert "http" not in page.replace("http-equiv", "")


def test_right_workbook_ends_with_0_and_says_what_was_checked(course: tuple[Path, Mutant], cli: Cli) -> None:
    done = cli("audit", course[0] / "good.xlsx")
    assert done.returncode == 0
    assert "columns checked over" in done.stdout
    assert ": right" in done.stdout


def test_missing_path_is_a_wrong_command(tmp_path: Path, cli: Cli) -> None:
    done = cli("audit", tmp_path / "nothing.xlsx")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_empty_folder_is_no_pass(tmp_path: Path, cli: Cli) -> None:
    done = cli("audit", tmp_path)
    assert done.returncode == 1
    assert "no file to judge" in done.stdout


def test_the_same_report_from_python(course: tuple[Path, Mutant]) -> None:
    report = tinyproof.audit(course[0])
    assert {status: count for status, count in report.counts().items() if count} == {"right": 1, "wrong": 2}
    assert {Path(file.file).name for file in report.files} == {"good.xlsx", "bad.xlsx", "copy.csv"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for the workers under /proc")
def test_ctrl_c_stops_every_worker_and_says_how_far_it_came(course: tuple[Path, Mutant], tmp_path: Path) -> None:
    content = (course[0] / "good.xlsx").read_bytes()
    for number in range(300):
        (tmp_path / f"{number}.xlsx").write_bytes(content)
    command = [sys.executable, "-m", "tinyproof", "audit", str(tmp_path), "--jobs", "2", "--no-cache"]
    # A shell that starts a command in the background leaves SIGINT ignored; a user's terminal does not.
    default = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=default
    ) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        deadline = time.monotonic() + 60
        while not children.read_text().split() and time.monotonic() < deadline:
            time.sleep(0.1)  # until its workers are there
        time.sleep(1)
        run.send_signal(signal.SIGINT)
        out, error = run.communicate(timeout=30)
    assert run.returncode == 130
    assert out == ""
    assert "of 300 files; no report was written" in error
    assert "Traceback" not in error
