"""`prove` from end to end: declared first, side by side, resumed with the same bits, judged again without torch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.prove.proving import ALONE, ASKED, NAMED, RECIPE, SEEDS, TINY, bits, call, command, environment

from tinyproof.prove import declaration, proof
from tinyproof.train import store
from tinyproof.train.recipe_text import parse

Made = tuple[Path, "subprocess.CompletedProcess[str]"]


def test_it_declares_runs_judges_and_reports(made: Made) -> None:
    folder, done = made
    assert done.returncode in (0, 1), done.stderr
    assert "by some measured steps" in done.stderr
    found = proof.load(folder)
    assert len(found.results) == SEEDS
    assert (done.returncode == 0) == found.proved
    assert f"{found.verdict.word}: {found.verdict.reason}" in done.stdout
    assert json.loads((folder / "verdict.json").read_text())["mean"] == found.verdict.mean
    page = (folder / "report.html").read_text()
    for words in ("Every run", "Training", "hardest images", "Evidence", found.declaration.digest):
        assert words in page


def test_the_declaration_is_older_than_every_run(made: Made) -> None:
    folder, _ = made
    declared = declaration.read(folder)
    assert declared.seeds == (11, 12, 13)
    for result in proof.load(folder).results:
        assert declared.declared_at <= result.run.started
        assert (folder / declaration.FILE).stat().st_mtime_ns < (result.folder / store.RECORD).stat().st_mtime_ns


def test_the_test_images_are_looked_at_once_at_the_end(made: Made) -> None:
    for result in proof.load(made[0]).results:
        assert [log.test_percent is None for log in result.run.epochs] == [True, True, True, False]


def test_judging_stored_runs_again_needs_no_torch_and_no_data(made: Made, tmp_path: Path) -> None:
    code = (
        "import sys; from tinyproof.api.prove import resume; found = resume(sys.argv[1]); print(found.verdict.word, "
        "[m for m in ('torch', 'sklearn', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(made[0])], capture_output=True, text=True, check=True)
    assert done.stdout.split(" ", 1)[1].strip() == "[]"


def test_the_same_command_judges_again_and_trains_nothing(made: Made) -> None:
    before = {path: path.stat().st_mtime_ns for path in made[0].glob("seed-*/*")}
    again = call(*ASKED, *NAMED, "--out", made[0])
    assert again.stdout == made[1].stdout
    assert before == {path: path.stat().st_mtime_ns for path in made[0].glob("seed-*/*")}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (("--seeds", SEEDS + 1), "seeds: 4 is not allowed; allowed: 3, as declared"),
        (("--recipe", f"{RECIPE},momentum=0.8"), "recipe:"),
        (("--target", 79), "target: 79"),
        (("--first-seed", 12), "first-seed: 12"),
    ],
    ids=["more-seeds", "another-recipe", "lower-target", "other-seeds"],
)
def test_a_declared_folder_takes_no_other_question(made: Made, changed: tuple[object, ...], field: str) -> None:
    done = call(*ASKED, *NAMED, "--out", made[0], *changed)
    assert done.returncode == 2
    assert field in done.stderr
    assert done.stderr.count("\n") == 1


def test_more_seeds_are_a_new_proof_that_counts_the_old_one(made: Made) -> None:
    from tinyproof.prove.declare import Ask, draft

    ask = Ask(
        model=TINY, recipe=parse(RECIPE), seeds=5, dataset="digits", target=80, engine="torch", threads=1, processes=2
    )
    fresh = draft(ask, made[0].parent / "five")
    assert fresh.earlier == (declaration.read(made[0]).digest,)
    assert fresh.seeds_follow
    assert not set(fresh.seeds) & {11, 12, 13}


# ------------------------------------------------------------------ stopped, killed, side by side, disk full


def _kill_when(arguments: list[str], folder: Path, pattern: str) -> None:
    """Start the command, wait until a file matches, then SIGKILL it (and only it: its workers must notice)."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    deadline = time.monotonic() + 90
    while not list(folder.glob(pattern)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert list(folder.glob(pattern)), "the moment to kill never came"
    process.send_signal(signal.SIGKILL)
    process.wait(30)


@pytest.mark.parametrize("pattern", ["*/checkpoint.npz", "*/run.json"])
def test_killed_at_any_moment_it_ends_with_the_same_bits(made: Made, tmp_path: Path, pattern: str) -> None:
    folder = tmp_path / "killed"
    _kill_when(command(*ASKED, *NAMED, "--out", folder), folder, pattern)
    again = call(*ASKED, *NAMED, *ALONE, "--out", folder)
    assert again.returncode == made[1].returncode, again.stderr
    assert bits(folder) == bits(made[0])
    assert not list(folder.glob("**/*.partial"))


def test_two_processes_in_one_folder_share_the_work(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    words = command(*ASKED, *NAMED, *ALONE, "--out", folder)
    pair = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) for _ in range(2)
    ]
    said = [process.communicate(timeout=300) for process in pair]
    assert [process.returncode for process in pair] == [made[1].returncode] * 2, said
    assert bits(folder) == bits(made[0])
    rows = [line for _, errors in said for line in errors.decode().splitlines() if line.startswith("seed ")]
    assert len(rows) == SEEDS  # each seed was trained by one of the two, once


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are a Unix matter")
def test_a_full_disk_loses_nothing_that_is_finished(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    shutil.copytree(made[0], folder)
    shutil.rmtree(folder / "seed-12")
    (folder / "seed-13" / "run.json").unlink()
    before = bits_of(folder / "seed-11")
    # No file may grow beyond 3 kB: as on a full disk, what is larger cannot be written.
    limited = [
        "sh",
        "-c",
        'trap "" XFSZ; ulimit -f 6; exec "$@"',
        "sh",
        *command(*ASKED, *NAMED, *ALONE, "--out", folder),
    ]
    full = subprocess.run(limited, capture_output=True, text=True, timeout=300, env=environment())
    assert full.returncode == 2
    assert "cannot be written" in full.stderr.splitlines()[-1]
    assert "Traceback" not in full.stderr
    assert bits_of(folder / "seed-11") == before
    assert call(*ASKED, *NAMED, *ALONE, "--out", folder).returncode == made[1].returncode
    assert bits(folder) == bits(made[0])


def bits_of(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent differently there")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    words = command(*ASKED, *NAMED, *ALONE, "--out", folder)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    deadline = time.monotonic() + 90
    while not list(folder.glob("*/checkpoint.npz")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on with them" in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_a_run_that_diverges_is_kept_as_failed_with_step_and_cause(tmp_path: Path) -> None:
    words = ("prove", TINY, "--dataset", "digits", "--seeds", 2, "--engine", "torch", *ALONE, "--out", tmp_path / "nan")
    wild = (*words, "--recipe", "s6-19k,rate=1000,epochs=2,schedule.kind=constant", "--target", 80)
    first = call(*wild)
    assert first.returncode == 1, first.stderr
    assert "the loss is not a number at step" in first.stdout
    assert "rate too high" in first.stdout
    again = call(*wild)
    assert again.stdout == first.stdout
    assert "measured" not in again.stderr


def test_report_makes_the_page_of_a_stored_proof_again(made: Made, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made[0], tmp_path / "copy"))
    kept = (copy / "report.html").read_bytes()
    (copy / "report.html").unlink()
    done = call("report", copy)
    assert done.returncode == 0, done.stderr
    # It names the folder that it is made for: where `verify` finds it.
    assert (copy / "report.html").read_bytes() == kept.replace(str(made[0]).encode(), str(copy).encode())
