"""`compare`: pairs by seed, a word that follows from the interval, seeds that follow from both questions."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.prove.proving import ALONE, TINY, bits, call

from tinyproof.api.verify import verify
from tinyproof.core import stats
from tinyproof.core.errors import DataError, InputError
from tinyproof.prove import comparison, declaration

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
    assert verify(compared[0], weights=False).exit_code == 0
    copy = Path(shutil.copytree(compared[0], tmp_path / "copy"))
    path = copy / "second" / declaration.FILE
    data = json.loads(path.read_text())
    data["seeds"] = data["seeds"][:2]
    path.write_text(json.dumps(data))
    broken = verify(copy, weights=False).broken
    assert {"both sides are the ones that were declared, with the seeds that follow from both"} <= {
        x.what for x in broken
    }
    with pytest.raises(DataError, match="other declarations"):
        comparison.load(copy)


def test_an_edited_answer_is_caught(compared: Made, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(compared[0], tmp_path / "copy"))
    data = json.loads((copy / "result.json").read_text())
    data["paired"]["p_value"] = 0.5
    (copy / "result.json").write_text(json.dumps(data))
    broken = verify(copy, weights=False).broken
    assert [(line.what, line.found) for line in broken] == [
        ("the stored answer is what the pairs give", "differs in: paired")
    ]


def test_a_side_alone_is_known_as_a_side(compared: Made) -> None:
    assert verify(compared[0] / "first", weights=False).exit_code == 0


def test_killed_between_its_two_declarations_it_goes_on_with_the_same_bits(compared: Made, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    (folder / "first").mkdir(parents=True)
    shutil.copy(compared[0] / "first" / declaration.FILE, folder / "first")
    other = call(*WORDS[:2], f"{RIGHT},momentum=0.8", *WORDS[3:], "--out", folder)
    assert other.returncode == 2
    assert "holds another comparison; name another folder" in other.stderr
    assert not (folder / "second").exists()
    again = call(*WORDS, "--out", folder)
    assert again.returncode == compared[1].returncode, again.stderr
    for side in comparison.SIDES:
        assert bits(folder / side) == bits(compared[0] / side)
    assert verify(folder, weights=False).exit_code == 0


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


def _rate(truth: float, within: float, word: str) -> float:
    """How often ten pairs with a true mean difference and a spread of 0.06 points get this word."""
    rng = np.random.default_rng(20_260)
    draws = rng.normal(truth, 0.06, (4000, 10))
    nothing = [0.0] * 10
    level = comparison.EQUIVALENCE_CONFIDENCE
    words = [comparison.answer(stats.paired(d.tolist(), nothing, level, 0.01), within)[0] for d in draws]
    return words.count(word) / len(words)


def test_sides_that_differ_by_the_margin_are_called_equivalent_in_at_most_5_of_100_cases() -> None:
    assert 0.03 < _rate(0.10, 0.10, "equivalent") < 0.06
    assert 0.03 < _rate(-0.10, 0.10, "equivalent") < 0.06


def test_equal_sides_are_called_equivalent_and_very_different_ones_are_not() -> None:
    assert _rate(0.0, 0.10, "equivalent") > 0.95
    assert _rate(0.30, 0.10, "the first is better") > 0.95
    assert _rate(0.30, 0.10, "equivalent") == 0


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_the_same_network_by_both_engines_is_equivalent_within_the_declared_margin(tmp_path: Path) -> None:
    one = f"{TINY}@best,epochs=3,rate=0.01"
    asked = ("compare", one, one, "--dataset", "digits", "--seeds", 3, "--engine", "native", "--second-engine", "torch")
    done = call(*asked, *ALONE, "--within", 50, "--out", tmp_path / "engines")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rate=0.01, native engine" in done.stdout
    assert "equivalent: the mean difference is" in done.stdout
    assert "90 % interval" in done.stdout
    found = comparison.load(tmp_path / "engines")
    assert (found.first.declaration.engine, found.second.declaration.engine) == ("native", "torch")
    assert verify(tmp_path / "engines", weights=False).exit_code == 0
    other = call(*asked, *ALONE, "--within", 60, "--out", tmp_path / "engines")
    assert other.returncode == 2
    assert "within asks for a margin of 60, and " in other.stderr
    # A margin widened afterwards: the seeds do not follow from it.
    bond = tmp_path / "engines" / comparison.FILE
    bond.write_text(bond.read_text().replace("50.0", "60.0"))
    assert "60.0" in bond.read_text()
    assert verify(tmp_path / "engines", weights=False).exit_code == 1


@pytest.mark.parametrize("margin", [0.0, -1.0, 101.0, float("nan")])
def test_a_margin_that_is_none_is_refused(margin: float) -> None:
    with pytest.raises(InputError, match="within"):
        comparison.Bond(("0" * 64, "1" * 64), margin)
