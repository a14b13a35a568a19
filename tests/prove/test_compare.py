"""`compare`: pairs by seed, a word that follows from the interval, seeds that follow from both questions."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.prove.proving import ALONE, TINY, call

from tinyproof.cnn import comparison, declaration
from tinyproof.core.errors import DataError
from tinyproof.jobs.verify import Means, verify

LEFT, RIGHT = f"{TINY}@best,epochs=3,rate=0.01", f"{TINY}@best,epochs=1,rate=0.0001,ema=none"
WORDS = ("compare", LEFT, RIGHT, "--dataset", "digits", "--seeds", 3, "--engine", "torch", *ALONE)

Made = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("compare") / "sides"
    return folder, call(*WORDS, "--out", folder)


def test_a_trained_network_is_better_than_a_hardly_trained_one(compared: Made) -> None:
    folder, done = compared
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the first is better: the mean difference is +" in done.stdout
    found = comparison.load(folder)
    assert found.first.declaration.seeds == found.second.declaration.seeds
    assert found.paired is not None
    assert found.paired.n == 3
    assert "The first is better" in (folder / "report.html").read_text()


def test_swapped_sides_give_the_other_answer(compared: Made) -> None:
    found = comparison.load(compared[0])
    swapped = comparison.judge(compared[0], found.second, found.first)
    assert swapped.word == "the second is better"


def test_a_side_against_itself_is_undecided(compared: Made) -> None:
    found = comparison.load(compared[0])
    assert comparison.judge(compared[0], found.first, found.first).word == "undecided"


def test_the_same_command_answers_again_without_training(compared: Made) -> None:
    again = call(*WORDS, "--out", compared[0])
    assert again.stdout == compared[1].stdout
    assert "measured" not in again.stderr


def test_a_folder_takes_no_other_comparison(compared: Made) -> None:
    done = call(*WORDS[:2], RIGHT.replace("0.0001", "0.001"), *WORDS[3:], "--out", compared[0])
    assert done.returncode == 2
    assert "recipe:" in done.stderr


def test_it_can_be_verified_and_a_swapped_declaration_is_caught(compared: Made, tmp_path: Path) -> None:
    assert verify(compared[0], Means(weights=False)).exit_code == 0
    copy = Path(shutil.copytree(compared[0], tmp_path / "copy"))
    path = copy / "second" / declaration.FILE
    data = json.loads(path.read_text())
    data["seeds"] = data["seeds"][:2]
    path.write_text(json.dumps(data))
    broken = verify(copy, Means(weights=False)).broken
    assert {"both sides are the ones that were declared, with the seeds that follow from both"} <= {
        x.what for x in broken
    }
    with pytest.raises(DataError, match="other declarations"):
        comparison.load(copy)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("s7-8k@nothing", "s7-8k"), "recipe: 'nothing'"),
        (("s7-8k@best,rat=1", "s7-8k"), "recipe field: 'rat'"),
        (("s7-8k@best,rate=-1", "s7-8k"), "rate: -1"),
        (("s7-8k@best,rate", "s7-8k"), "field=value"),
        (("s9-8k", "s7-8k"), "model: 's9-8k'"),
    ],
)
def test_a_wrong_side_is_refused_in_one_line(tmp_path: Path, words: tuple[str, str], match: str) -> None:
    done = call("compare", *words, "--dataset", "digits", "--out", tmp_path / "none")
    assert done.returncode == 2
    assert match in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "none" / "comparison.json").exists()
