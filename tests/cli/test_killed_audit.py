"""The audit of a class, killed at moments that nobody chose: outputs are the old or the new ones, no worker is left,
the same command ends with the same bytes; a worker that is killed costs its own file only."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.notebook.books import style
from tests.notebook.books import write as write_notebook
from tests.prove.proving import command, environment
from tests.workbook.mutants import right

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

FILES = 16


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Workbooks and notebooks of a class, one folder each."""
    folder = tmp_path_factory.mktemp("submissions")
    sheet = right(1).write(folder)
    for number in range(FILES):
        place = folder / f"student-{number:02d}"
        place.mkdir()
        if number % 4 == 3:
            write_notebook(style("functions"), place)
        else:
            shutil.copy(sheet, place / "sheet.xlsx")
    sheet.unlink()
    return folder


def words(submissions: Path, out: Path) -> list[str]:
    outputs = ("--html", out / "class.html", "--csv", out / "class.csv")
    return command("audit", submissions, "--jobs", 2, "--json", "--no-cache", *outputs)


def started(submissions: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words(submissions, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), start_new_session=True,
    )  # fmt: skip


def outputs(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if not path.name.endswith(".partial")}


def of_group(group: int) -> list[int]:
    """The processes of a group, by /proc: its number is the fifth word; those that have ended are left out."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its) == group and state not in ("Z", "X"):
            found.append(int(stat.parent.name))
    return found


def wait_for(what: Callable[[], bool], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture(scope="module")
def whole(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], str, float]:
    """What the audit writes and prints when nobody disturbs it, and the seconds that it takes."""
    out = tmp_path_factory.mktemp("whole")
    began = time.monotonic()
    process = started(submissions, out)
    said, wrong = process.communicate(timeout=300)
    assert process.returncode == 0, wrong
    assert len(json.loads(said)["files"]) == FILES
    return outputs(out), said, time.monotonic() - began


@pytest.mark.parametrize("number", range(5))
def test_killed_at_a_random_moment(
    number: int, submissions: Path, whole: tuple[dict[str, bytes], str, float], tmp_path: Path
) -> None:
    new, printed, seconds = whole
    rng = random.Random()
    old = dict.fromkeys(new, b"of yesterday")
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    process = started(submissions, tmp_path)
    moment = rng.uniform(0.1, 1) * seconds if number else 0.9 * seconds
    time.sleep(moment)
    process.kill()  # alone: its workers have to notice
    process.communicate(timeout=60)
    assert wait_for(lambda: not of_group(process.pid)), f"workers are left, killed after {moment:.2f} s"
    for name, content in outputs(tmp_path).items():
        assert content in (old[name], new[name]), f"{name}, killed after {moment:.2f} s"
    again = subprocess.run(
        words(submissions, tmp_path), capture_output=True, text=True, env=environment(), timeout=300, check=True
    )
    assert (outputs(tmp_path), again.stdout) == (new, printed)


def test_a_worker_that_is_killed_costs_its_own_file(
    submissions: Path, whole: tuple[dict[str, bytes], str, float], tmp_path: Path
) -> None:
    process = started(submissions, tmp_path)
    workers: list[int] = []

    def working() -> bool:
        workers[:] = [found for found in of_group(process.pid) if found != process.pid]
        return len(workers) == 2 or process.poll() is not None

    assert wait_for(working)
    assert process.poll() is None, "it had ended before a worker could be killed"
    os.kill(random.choice(workers), signal.SIGKILL)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    usual, found = json.loads(whole[1])["files"], json.loads(said)["files"]
    lost = [file for file, before in zip(found, usual, strict=True) if file != before]
    assert [(file["status"], file["problem"]) for file in lost] == [
        ("unreadable", "the worker process died (out of memory, or killed)")
    ]
    assert not of_group(process.pid)
