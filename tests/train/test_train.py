"""The loop: same bits again, same bits after a stop, one record that says everything, clear refusals."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyproof.core.errors import InputError, Stopped
from tinyproof.core.listener import SILENT, Listener, Progress
from tinyproof.data.dataset import Dataset
from tinyproof.train import checkpoint, loop, store
from tinyproof.train.loop import Diverged, Trained, train
from tinyproof.train.recipe import Recipe
from tinyproof.train.run_record import Run

pytestmark = pytest.mark.numerics


def go(recipe: Recipe, few: Dataset, folder: Path | None = None, seed: int = 1, listener: Listener = SILENT) -> Trained:
    return train("s6-19k", recipe, few, seed, folder=folder, engine="torch", device="cpu", threads=1, listener=listener)


def stop_after(epoch: int) -> Listener:
    def progress(pieces: Sequence[Progress]) -> None:
        if pieces[0].done > epoch:
            raise KeyboardInterrupt

    return Listener(progress=progress)


def comparable(run: Run) -> dict[str, object]:
    """Everything but times."""
    data = json.loads(run.to_json())
    for name in ("seconds", "started"):
        data.pop(name)
    for log in data["epochs"]:
        log.pop("seconds")
    return data


def test_same_recipe_seed_and_machine_give_the_same_bits(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    first, second = go(quick, few, tmp_path / "a"), go(quick, few, tmp_path / "b")
    assert comparable(first.run) == comparable(second.run)
    assert (tmp_path / "a" / store.WEIGHTS).read_bytes() == (tmp_path / "b" / store.WEIGHTS).read_bytes()
    assert go(quick, few, seed=2).run.predictions_digest != first.run.predictions_digest


@pytest.mark.parametrize("epoch", [1, 2])
@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_stopped_and_gone_on_gives_the_same_bits(
    epoch: int, kind: str, few: Dataset, quick: Recipe, sgd: Recipe, tmp_path: Path
) -> None:
    recipe = quick if kind == "adamw" else sgd
    with pytest.raises(Stopped, match=rf"stopped in epoch {epoch + 1} of 3.*the same command goes on there"):
        go(recipe, few, tmp_path / "a", listener=stop_after(epoch))
    assert not store.finished(tmp_path / "a")
    said: list[str] = []
    ended = go(recipe, few, tmp_path / "a", listener=Listener(say=said.append))
    assert said[1] == f"going on after epoch {epoch} of 3, from the checkpoint in {tmp_path / 'a'}"
    assert [line.split()[:2] for line in said[2:]] == [["epoch", f"{number}/3"] for number in range(epoch + 1, 4)]
    assert comparable(ended.run) == comparable(go(recipe, few, tmp_path / "b").run)
    assert (tmp_path / "a" / store.WEIGHTS).read_bytes() == (tmp_path / "b" / store.WEIGHTS).read_bytes()
    assert not (tmp_path / "a" / checkpoint.FILE).exists()


def test_the_record_holds_what_a_claim_needs(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    trained = go(quick, few, tmp_path)
    run, predictions = store.load(tmp_path), store.load_predictions(tmp_path)
    assert run == trained.run
    assert run.recipe == quick
    assert [log.epoch for log in run.epochs] == [1, 2, 3]
    assert run.correct == predictions.correct
    assert run.test_loss == predictions.loss == pytest.approx(run.epochs[-1].test_loss, rel=1e-6)
    assert run.accuracy_percent == run.epochs[-1].test_percent
    assert run.predictions_digest == predictions.digest
    assert run.identity.data_digest == few.digest
    assert run.parameters == 19_242
    assert run.versions["torch"]
    assert run.hardware["processor"]
    assert len(run.code_digest) == 64


def test_a_finished_run_is_found_again(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    first = go(quick, few, tmp_path)
    again = go(quick, few, tmp_path, listener=stop_after(0))
    assert again.reused
    assert again.run == first.run
    for name, value in first.module.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), again.module.state_dict()[name].numpy())


def test_another_run_in_the_folder_is_refused_and_named(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    go(quick, few, tmp_path)
    with pytest.raises(
        InputError, match=r"another seed, recipe rate; name a new folder, or replace that run with --force"
    ):
        go(replace(quick, rate=0.02), few, tmp_path, seed=2)
    with pytest.raises(Stopped):
        go(quick, few, tmp_path / "half", listener=stop_after(1))
    with pytest.raises(InputError, match="holds epochs of another run"):
        go(quick, few, tmp_path / "half", seed=2)


def test_epochs_made_by_other_code_are_not_gone_on_with(
    few: Dataset, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Stopped):
        go(quick, few, tmp_path, listener=stop_after(1))
    kept = (tmp_path / checkpoint.FILE).read_bytes()
    with monkeypatch.context() as changed:
        changed.setattr(loop, "code_digest", lambda model, engine: "f" * 64)
        with pytest.raises(InputError, match="other code"):
            go(quick, few, tmp_path)
    assert (tmp_path / checkpoint.FILE).read_bytes() == kept
    assert not store.finished(tmp_path)
    assert len(go(quick, few, tmp_path).run.epochs) == 3


def test_the_test_images_can_be_left_alone_until_the_end(few: Dataset, quick: Recipe) -> None:
    run = train("s6-19k", quick, few, 1, engine="torch", device="cpu", threads=1, test_each_epoch=False).run
    assert [log.test_percent is None for log in run.epochs] == [True, True, False]
    assert run.predictions_digest == go(quick, few).run.predictions_digest


def test_a_loss_that_is_no_number_stops_with_step_and_cause(few: Dataset, sgd: Recipe, tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"not a number at step \d+ of epoch \d.*rate too high"):
        go(replace(sgd, rate=1000.0), few, tmp_path)
    assert not store.finished(tmp_path)


def test_two_processes_do_not_train_in_one_folder(few: Dataset, quick: Recipe, tmp_path: Path) -> None:
    with store.locked(tmp_path), pytest.raises(InputError, match=rf"is in use by process {os.getpid()} on "):
        go(quick, few, tmp_path)
