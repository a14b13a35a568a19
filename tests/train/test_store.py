"""The folder of a run: hostile and broken files are refused in one line; nothing is unpickled."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.lease import Busy
from tinyproof.data import arrays
from tinyproof.data.dataset import Dataset
from tinyproof.train import store
from tinyproof.train.loop import train
from tinyproof.train.recipe import Recipe
from tinyproof.train.run_record import Predictions, Run


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tinyproof.data.dataset import subset
    from tinyproof.data.load import load_digits

    folder = tmp_path_factory.mktemp("run")
    few = subset(load_digits(), 128, 40)
    train("s6-19k", Recipe("one", epochs=1), few, folder=folder, engine="torch", device="cpu", threads=1)
    return folder


@pytest.fixture
def copy(run_folder: Path, tmp_path: Path) -> Path:
    for path in run_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch executed",)


def test_a_pickle_in_an_npz_is_not_executed(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy)
    np.savez(copy / store.PREDICTIONS, predicted=np.array([Evil()], dtype=object))
    with pytest.raises(DataError, match=r"not a whole \.npz file of plain arrays"):
        store.load_predictions(copy)
    (copy / store.WEIGHTS).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="not a whole safetensors file"):
        store.load_weights(copy)
    assert not (copy / "executed").exists()


def test_a_bomb_is_not_unpacked(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_BYTES", 1_000_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("predicted.npy", bytes(20_000_000))
    (copy / store.PREDICTIONS).write_bytes(out.getvalue())
    with pytest.raises(DataError, match="unpacks to more than 1,000,000 bytes"):
        store.load_predictions(copy)


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_cut_files_are_named(copy: Path, keep: int) -> None:
    for name, load in (
        (store.RECORD, store.load), (store.PREDICTIONS, store.load_predictions), (store.WEIGHTS, store.load_weights),
    ):  # fmt: skip
        (copy / name).write_bytes((copy / name).read_bytes()[:keep])
        with pytest.raises(DataError, match=name):
            load(copy)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("correct", 41, "correct: 41 is not allowed"),
        ("correct", 1.5, "correct"),
        ("format", 99, "format: 99 is not allowed"),
        ("frobnicate", 1, "field: 'frobnicate' is not allowed"),
    ],
)
def test_a_record_with_nonsense_is_refused(copy: Path, field: str, value: object, message: str) -> None:
    record = json.loads((copy / store.RECORD).read_text())
    (copy / store.RECORD).write_text(json.dumps({**record, field: value}))
    with pytest.raises(InputError, match=message):
        store.load(copy)


def test_predictions_of_the_wrong_shape_are_refused(copy: Path) -> None:
    arrays = store.load_predictions(copy).arrays()
    np.savez(copy / store.PREDICTIONS, **{**arrays, "labels": arrays["labels"][:-1]})
    with pytest.raises(DataError, match="does not hold labels as uint8 with one value an image"):
        store.load_predictions(copy)


def test_a_record_survives_json(run_folder: Path) -> None:
    run = store.load(run_folder)
    assert Run.from_json(run.to_json()) == run
    other = replace(run.identity, seed=5, recipe=replace(run.recipe, rate=0.5))
    assert run.identity.differences(other) == ["seed", "recipe rate"]
    assert other.digest != run.identity.digest


def test_predictions_hold_what_the_network_said(few: Dataset) -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    logits = rng.normal(size=(60, 10)).astype(np.float32)
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    found = Predictions.of(logs, few.test_labels)
    assert found.correct == int((logits.argmax(1) == few.test_labels).sum())
    np.testing.assert_allclose(found.losses, -logs[np.arange(60), few.test_labels], rtol=1e-6)
    np.testing.assert_allclose(found.confidence, np.exp(logs).max(1), rtol=1e-5)
    counts = found.confusion(10)
    assert counts.sum() == 60
    assert np.trace(counts) == found.correct


def test_clear_removes_the_run_and_nothing_else(copy: Path) -> None:
    (copy / "mine.txt").write_text("mine")
    store.clear(copy)
    assert not store.finished(copy)
    assert (copy / "mine.txt").exists()


def test_what_a_killed_process_left_half_written_goes_and_nothing_else(copy: Path) -> None:
    left = [f".{store.RECORD}.abc12345.partial", f".{store.WEIGHTS}.x_y.partial", ".checkpoint.npz.c6vxtsjl.partial"]
    mine = [".notes.txt.abc.partial", "run.json.abc.partial", ".run.json.partial"]
    for name in left + mine:
        (copy / name).write_bytes(b"half")
    whole = names_in(copy) - set(left)
    with store.locked(copy):
        assert names_in(copy) == whole


def test_who_was_taken_over_writes_no_run(copy: Path) -> None:
    run, answers = store.load(copy), store.load_predictions(copy)
    with store.locked(copy):
        store.save(copy, run, answers)
        held = max(int(path.name.rpartition("-")[2]) for path in copy.glob(".lease-*"))
        (copy / f".lease-{held + 1}").write_text("{}")
        (copy / store.PREDICTIONS).unlink()
        with pytest.raises(Busy, match="was taken over by another process"):
            store.save(copy, run, answers)
    assert not (copy / store.PREDICTIONS).exists()


def names_in(folder: Path) -> set[str]:
    """What lies in a folder, but for who holds it."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".lease-")}
