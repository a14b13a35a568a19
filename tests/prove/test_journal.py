"""The journal: entries in their order, what changed between them, what it did beside chance, the user's analysis."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.prove.proving import call

from tinyproof.cnn import journal, store
from tinyproof.core.errors import DataError, InputError

Made = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    """Two single runs and a proof: the second run has a lower rate, and its answers are worse."""
    first = made[0] / "seed-11"
    for name, started, rate, correct in (
        ("a", "2026-01-01T00:00:00", 0.005, 350),
        ("b", "2026-01-02T00:00:00", 0.001, 300),
    ):
        run = store.load(first)
        changed = replace(run.identity, recipe=replace(run.recipe, rate=rate))
        run = replace(run, identity=changed, started=started, correct=correct)
        store.save(tmp_path / "runs" / name, run, store.load_predictions(first))
    shutil.copytree(made[0], tmp_path / "runs" / "proof")
    return tmp_path / "runs"


def test_entries_stand_in_the_order_of_their_start_and_say_what_changed(folder: Path) -> None:
    first, second, third = journal.read(folder)
    assert [first.name, second.name, third.name] == ["a", "b", "proof"]
    assert first.changed == ()
    assert second.changed == ("rate 0.005 → 0.001",)
    assert second.did == "-13.93 points, more than chance does (±4.16)"
    assert third.result.startswith("mean ")


def test_a_difference_that_chance_explains_is_called_so(folder: Path) -> None:
    run = store.load(folder / "b")
    store.save(folder / "b", replace(run, correct=348), store.load_predictions(folder / "b"))
    assert "no more than chance does" in journal.read(folder)[1].did


def test_target_result_and_analysis(folder: Path) -> None:
    journal.write_analysis(folder, "b", "Too slow a rate for so few epochs.\n")
    entry = journal.read(folder)[1]
    assert entry.target == "98 %"
    assert entry.result == "83.57 % (300 of 359), one run: missed: accuracy, last epoch"
    assert entry.analysis == "Too slow a rate for so few epochs."
    proof = journal.read(folder)[2]
    assert proof.target == "80 %"
    assert "of 3 seeds" in proof.result


def test_the_command_shows_table_and_page_and_keeps_an_analysis(folder: Path) -> None:
    done = call("journal", folder, "--of", "b", "--analysis", "A <b>bold</b> claim.")
    assert done.returncode == 0, done.stderr
    assert "rate 0.005 → 0.001" in done.stdout
    page = (folder / "journal.html").read_text()
    assert "A &lt;b&gt;bold&lt;/b&gt; claim." in page
    assert page.index("Target") < page.index("Result") < page.index("Analysis")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--of", "z", "--analysis", "x"), "entry: 'z' is not allowed; allowed: a, b, proof"),
        (("--of", "a"), "one of --of and --analysis"),
        (("--of", "a", "--analysis", "x" * 20_001), "at most 20,000 bytes"),
    ],
)
def test_a_wrong_analysis_is_refused(folder: Path, words: tuple[str, ...], match: str) -> None:
    done = call("journal", folder, *words)
    assert done.returncode == 2
    assert match in done.stderr


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished run"):
        journal.read(tmp_path)


def test_a_broken_record_is_named(folder: Path) -> None:
    (folder / "a" / "run.json").write_text("{")
    with pytest.raises((DataError, InputError), match=r"run\.json"):
        journal.read(folder)
