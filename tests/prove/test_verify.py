"""`verify`: each edit of a stored result is named, and an untouched one passes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.prove.proving import TINY, call

import tinyproof
from tinyproof.api.verify import verify
from tinyproof.core.errors import InputError
from tinyproof.prove import declaration, proof
from tinyproof.prove.verify.recompute import allowed
from tinyproof.train import store
from tinyproof.train.run_record import Predictions

Made = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "copy"))


def test_an_untouched_proof_holds_weights_included(made: Made) -> None:
    found = verify(made[0], model=TINY)
    assert found.exit_code == 0, found.table().text()
    evaluated = [line for line in found.lines if line.what == "the weights give these answers"]
    assert [line.found for line in evaluated] == ["0 of 359 answers differ by more than rounding"] * 3


def test_a_file_named_by_the_record_is_never_run(made: Made) -> None:
    found = verify(made[0])
    line = next(line for line in found.lines if line.what == "the weights give these answers")
    assert line.holds is None
    assert "name the file yourself with --model" in line.found


def edit(path: Path, change: Callable[[dict[str, object]], None]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def record(folder: Path) -> Path:
    return folder / "seed-12" / "run.json"


def answers(
    folder: Path, change: Callable[[Predictions], Predictions], digest: bool = False, figures: bool = False
) -> None:
    """Change stored answers; a more careful forger adapts the recorded digest and the figures too."""
    place = folder / "seed-12"
    run, changed = store.load(place), change(store.load_predictions(place))
    if digest:
        run = replace(run, predictions_digest=changed.digest)
    if figures:
        percent = 100 * changed.correct / len(changed.labels)
        last = replace(run.epochs[-1], test_percent=percent, test_loss=changed.loss)
        run = replace(run, correct=changed.correct, test_loss=changed.loss, epochs=(*run.epochs[:-1], last))
    weights = store.load_weights(place)
    store.save(place, run, changed, weights)


def all_right(p: Predictions) -> Predictions:
    return replace(p, predicted=p.labels.copy())


def all_right_and_sure(p: Predictions) -> Predictions:
    ones = np.full_like(p.confidence, 0.99)
    return replace(p, predicted=p.labels.copy(), confidence=ones, losses=-np.log(ones))


def labels_changed(p: Predictions) -> Predictions:
    return replace(p, labels=p.predicted.copy())


FORGERIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a better count": (lambda f: edit(record(f), lambda d: d.update(correct=359)), "recorded accuracy"),
    "a smaller loss": (lambda f: edit(record(f), lambda d: d.update(test_loss=0.001)), "recorded loss"),
    "a better last epoch": (
        lambda f: edit(record(f), lambda d: d["epochs"][-1].update(test_percent=99.0)),  # type: ignore[index]
        "last epoch logs",
    ),
    "a better mean in the verdict": (
        lambda f: edit(f / "verdict.json", lambda d: d.update(mean=99.9)),
        "stored verdict",
    ),
    "another word in the verdict": (
        lambda f: edit(f / "verdict.json", lambda d: d.update(verdict="proved!")),
        "stored verdict",
    ),
    "answers put right": (lambda f: answers(f, all_right), "answers are the recorded ones"),
    "answers put right, digest adapted": (lambda f: answers(f, all_right, True, True), "fit together"),
    "labels adapted to the answers": (lambda f: answers(f, labels_changed, True, True), "labels are the declared"),
    "another recipe in the record": (
        lambda f: edit(record(f), lambda d: d["identity"]["recipe"].update(rate=0.5)),  # type: ignore[index]
        "declared run",
    ),
    "another seed's run": (
        lambda f: shutil.copytree(f / "seed-11", f / "seed-12", dirs_exist_ok=True),
        "declared run",
    ),
    "a missing run": (lambda f: shutil.rmtree(f / "seed-12"), "declared run is there"),
    "a run that was not declared": (lambda f: shutil.copytree(f / "seed-11", f / "seed-99"), "not declared"),
    "other weights": (
        lambda f: shutil.copy(f / "seed-11" / "weights.safetensors", f / "seed-12" / "weights.safetensors"),
        "weights are the recorded ones",
    ),
    "a lower target": (lambda f: edit(f / declaration.FILE, lambda d: d.update(target=10.0)), "stored verdict"),
    "a record cut short": (lambda f: record(f).write_text(record(f).read_text()[:300]), "can be read"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_an_edit_is_caught_and_named(copy: Path, name: str) -> None:
    forge, what = FORGERIES[name]
    forge(copy)
    found = verify(copy, weights=False)
    assert found.exit_code == 1
    assert any(what in line.what for line in found.broken), found.table().text()


def test_answers_forged_with_everything_adapted_are_caught_by_the_weights(copy: Path) -> None:
    answers(copy, all_right_and_sure, True, True)
    proof.write_verdict(proof.load(copy))
    assert verify(copy, weights=False).exit_code == 0  # the documented limit of counting alone
    found = verify(copy, model=TINY)
    assert [line.what for line in found.broken] == ["the weights give these answers"]


def turned(count: int) -> Callable[[Predictions], Predictions]:
    """Wrong answers put right, as many as asked, each with a loss that fits its confidence."""

    def change(p: Predictions) -> Predictions:
        which = np.flatnonzero(p.predicted != p.labels)[:count]
        assert len(which) == count
        predicted, losses = p.predicted.copy(), p.losses.copy()
        predicted[which], losses[which] = p.labels[which], -np.log(p.confidence[which])
        return replace(p, predicted=predicted, losses=losses)

    return change


@pytest.mark.parametrize("count", [1, 2, 5])
def test_no_answer_may_differ_by_more_than_rounding(copy: Path, count: int) -> None:
    answers(copy, turned(count), True, True)
    lines = verify(copy / "seed-12", model=TINY).lines
    (line,) = [line for line in lines if line.what == "the weights give these answers"]
    assert (line.holds, line.found) == (False, f"{count} of 359 answers differ by more than rounding")


def test_what_rounding_may_change_is_one_answer_in_two_thousand() -> None:
    assert [allowed(images) for images in (1, 359, 3_999, 4_000, 10_000, 60_000)] == [1, 1, 1, 2, 5, 30]


def test_weights_of_another_network_are_caught(copy: Path) -> None:
    found = verify(copy, model="s6-19k")
    assert any("do not fit the network" in line.found for line in found.broken)


def test_a_seed_left_out_afterwards_is_caught() -> None:
    seeds = declaration.seeds_for(10, "a" * 64, 1)
    for left_out in range(10):
        rest = seeds[:left_out] + seeds[left_out + 1 :]
        assert rest != declaration.seeds_for(9, "a" * 64, 1)


def test_the_command_prints_what_is_broken_and_exits_1(copy: Path) -> None:
    edit(record(copy), lambda data: data.update(correct=358))
    done = call("verify", copy, "--no-weights")
    assert done.returncode == 1
    assert "the record says 358 of 359" in done.stdout
    assert "1 broken" in done.stdout


def test_the_overlap_is_counted_in_the_data_where_it_is_at_hand(copy: Path) -> None:
    edit(copy / declaration.FILE, lambda data: data["data"].update(overlap=7))  # type: ignore[attr-defined]
    what = "the declared digests, sizes and overlap are the data's"
    assert what in [line.what for line in verify(copy, model=TINY).broken]
    told = next(line for line in verify(copy, weights=False).lines if line.what == what)
    assert (told.holds, told.found) == (None, "digits: was not loaded (--no-weights)")


def test_an_edited_declaration_is_not_the_one_that_its_runs_name(copy: Path) -> None:
    assert store.load(copy / "seed-12").declaration == declaration.read(copy).digest
    edit(copy / declaration.FILE, lambda data: data["versions"].update(numpy="0.1"))  # type: ignore[attr-defined]
    assert "every run names this declaration by its digest" in [
        line.what for line in verify(copy, weights=False).broken
    ]


def test_figures_of_an_own_network_are_measured_again_when_its_file_is_named(copy: Path) -> None:
    what = "parameters, MACs, bytes and layers are the network's"
    edit(record(copy), lambda data: data.update(macs=1))
    assert [line.holds for line in verify(copy, weights=False).lines if line.what == what] == [None] * 3
    broken = [line for line in verify(copy, weights=False, model=TINY).broken if line.what == what]
    assert [(line.place, line.found) for line in broken] == [("seed-12", "differs in: macs")]


def test_another_file_than_the_recorded_one_is_not_its_network(copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "tiny.py"
    other.write_text(Path(TINY.rpartition(":")[0]).read_text() + "# changed\n")
    broken = verify(copy, weights=False, model=f"{other}:Tiny").broken
    assert {
        "is not the network that the record names by its digest: tiny.py has changed" in line.found for line in broken
    } == {True}


def test_a_path_that_a_record_names_is_not_opened(copy: Path, tmp_path: Path) -> None:
    edit(record(copy), lambda data: data["identity"].update(dataset=str(tmp_path)))  # type: ignore[attr-defined]
    lines = [line for line in verify(copy / "seed-12", model=TINY).lines if "--dataset" in line.found]
    assert [line.holds for line in lines] == [None, None]


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no proof, no comparison and no run; name a folder"):
        verify(tmp_path)


@pytest.mark.parametrize("how", ["verify", "report", "train", "prove"])
def test_a_data_folder_that_is_not_there_is_refused_though_nothing_would_be_read_from_it(
    made: Made, tmp_path: Path, how: str
) -> None:
    none = tmp_path / "none"
    calls = {
        "verify": lambda: tinyproof.verify(made[0], weights=False, data=none),
        "report": lambda: tinyproof.report(made[0], data=none),
        "train": lambda: tinyproof.train("s6-19k", dataset="digits", epochs=1, data=none, out=tmp_path, quiet=True),
        "prove": lambda: tinyproof.prove("s6-19k", dataset="digits", target=9, data=none, out=tmp_path, quiet=True),
    }
    with pytest.raises(InputError, match=r"data: '.*none' is no file or folder; name one that is there"):
        calls[how]()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"dataset": "none.npz"}, "dataset: 'none.npz' is no file or folder"),
        ({"model": "none.py:Net"}, "model: 'none.py' is no file or folder"),
    ],
)
def test_what_is_named_for_others_is_there_all_the_same(made: Made, asked: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        verify(made[0], weights=False, **asked)  # type: ignore[arg-type]
