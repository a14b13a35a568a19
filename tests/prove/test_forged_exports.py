"""Forgeries of judged exports that go around what is compared: compiled files, links, another version's name."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.prove.proving import TINY
from tests.prove.test_judged_exports import (
    ASKED,
    FOLDER,
    GIVE,
    LIMITS,
    MADE,
    STORED,
    THERE,
    TO,
    broken,
    copy,
    proved,
    put_right,
    seeds,
    told_anew,
)
from torch import nn

import tinyproof
from tinyproof.api.prove import resume
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.listener import Listener
from tinyproof.data.load import load_digits
from tinyproof.prove import exporting, more_answers, proof
from tinyproof.prove.verify import recount_export
from tinyproof.ship import artefact, c_size, replaced
from tinyproof.ship.tool import ToolTrouble
from tinyproof.train import store
from tinyproof.train.recipe_text import for_model
from tinyproof.train.run_record import Predictions

__all__ = ["copy", "proved"]  # fixtures


# ------------------------------------------------------------------ what is run


def test_a_compiled_file_beside_an_exported_network_is_not_run(copy: Path, tmp_path: Path) -> None:
    place = seeds(copy)[0]
    assert exporting.for_judging(place, "torch", TINY, load_digits()) == ""
    mark = tmp_path / "it-ran"
    evil = compile(f"open({str(mark)!r}, 'w').close()\nraise SystemExit", "network.py", "exec")
    cache = Path(importlib.util.cache_from_source(str(place / "export-torch" / "network.py")))
    cache.parent.mkdir(exist_ok=True)
    # Marked as checked by nobody: Python takes it without looking at the source.
    hashed = importlib._bootstrap_external._code_to_hash_pyc(evil, bytes(8), False)  # type: ignore[attr-defined]
    cache.write_bytes(hashed)
    found = tinyproof.verify(copy, model=TINY)
    assert not mark.exists()
    assert [line.holds for line in found.lines if line.what == GIVE] == [True] * 3
    assert not [name for name in tinyproof.pack(copy, out=tmp_path / "it.zip").names if "__pycache__" in name]


def test_an_export_behind_a_link_is_not_judged(copy: Path, tmp_path: Path) -> None:
    """`verify` looks into no link, so nothing there would be counted again."""
    place = seeds(copy)[0]
    put_right(place)
    told_anew(place)
    tinyproof.prove(copy, quiet=True)
    elsewhere = (place / FOLDER).rename(tmp_path / "elsewhere")
    (place / FOLDER).symlink_to(elsewhere)
    assert {THERE, STORED} <= broken(copy, weights=False)
    with pytest.raises(DataError, match="is a link"):
        tinyproof.prove(copy, quiet=True)


def test_the_judged_export_is_among_those_counted_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaced, "beside", lambda _: [])
    assert THERE in broken(copy, weights=False)


# ------------------------------------------------------------------ another version


def test_a_new_version_that_makes_the_same_files_runs_them(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert exporting.for_judging(seeds(copy)[0], "torch", TINY, load_digits()) == ""
    for module in (artefact, recount_export):
        monkeypatch.setattr(module, "__version__", "99.0")
    found = tinyproof.verify(copy, model=TINY)
    assert [line.holds for line in found.lines if line.what in (MADE, GIVE)] == [True] * 6
    assert (found.broken, found.exit_code) == ((), 0)


OTHERS = "its classes are those of what this version makes of the weights"
BYTES = "it needs so many bytes on a microcontroller"


def as_another_version(folder: Path, **changed: Any) -> None:
    """Every export says that an earlier version wrote it, and holds what that one might have written."""
    for place in seeds(folder):
        code = place / FOLDER / "network.c"
        code.write_text(f"/* as it was made then */\n{code.read_text()}")
        told_anew(place, version="0.0.9", **changed)
    tinyproof.prove(folder, quiet=True)  # a verdict to match


def all_put_right(place: Path) -> None:
    answers = store.load_predictions(place / FOLDER)
    sure = np.full_like(answers.confidence, 0.9)
    forged = Predictions(answers.labels.astype(answers.predicted.dtype), answers.labels, sure, -np.log(sure))
    with (place / FOLDER / "predictions.npz").open("wb") as file:
        np.savez_compressed(file, **forged.arrays())  # type: ignore[arg-type]


def test_the_name_of_another_version_hides_no_answers(copy: Path) -> None:
    for place in seeds(copy):
        all_put_right(place)
    as_another_version(copy)
    assert OTHERS in broken(copy)
    found = tinyproof.verify(copy, model=TINY)
    assert found.exit_code == 1


def test_what_another_version_made_otherwise_is_no_success_where_it_is_judged(copy: Path) -> None:
    as_another_version(copy, flash=100, ram=100, sized_by="a compiler")
    found = tinyproof.verify(copy, model=TINY)
    told = {line.what: line for line in found.lines if line.asked}
    assert set(told) == {GIVE, BYTES}
    assert all("the verdict hangs on it: verify with that version" in line.found for line in told.values())
    assert [line.holds for line in found.lines if line.what == OTHERS] == [True, True]
    assert (found.broken, found.exit_code) == ((), 1)


def test_an_older_export_that_nothing_judges_is_told(copy: Path) -> None:
    """The same files beside a run of its own: they are not run, and nobody asked for it."""
    as_another_version(copy)
    alone = Path(shutil.copytree(seeds(copy)[0], copy.parent / "alone"))
    found = tinyproof.verify(alone, model=TINY)
    assert {line.what: line.holds for line in found.lines}[GIVE] is None
    assert not any(line.asked for line in found.lines)


# ------------------------------------------------------------------ before anything is trained


class Repeats(nn.Module):
    """A sum in which one part is repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.end = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.end(x + x.mean((2, 3), keepdim=True))
        return found


def ends_flat() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 24), nn.Flatten(), nn.Linear(50, 10))


def refused(to: str, module: nn.Module) -> None:
    exporting.check(to, "Own", module, load_digits(), for_model("best,epochs=1", TINY))


@pytest.mark.parametrize("to", ["onnx", "c"])
def test_a_network_that_cannot_be_folded_is_refused_before(to: str) -> None:
    with pytest.raises(DataError, match="repeats values"):
        refused(to, Repeats())


def test_a_wide_layer_in_c_is_refused_before() -> None:
    layers = nn.MaxPool2d(28), nn.Flatten(), nn.Linear(1, 66_000), nn.ReLU(), nn.Linear(66_000, 10)
    with pytest.raises(DataError, match="cannot take a layer of 66,000 values in a row: 65,535"):
        refused("c-int8", nn.Sequential(*layers))


def test_an_end_that_one_format_does_not_take_is_refused_before() -> None:
    with pytest.raises(DataError, match="no linear layer follows its flattening"):
        refused("onnx-int8", nn.Sequential(nn.Conv2d(1, 2, (28, 24)), nn.Flatten(), nn.BatchNorm1d(10)))


@pytest.mark.parametrize("to", ["c", "c-int8"])
def test_a_broken_compiler_is_told_before(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/bin/false")
    with pytest.raises(ToolTrouble, match="false"):
        refused(to, ends_flat())


@pytest.mark.parametrize("to", ["torch", "onnx", "onnx-int8", "c-int8"])
def test_weights_that_do_not_fit_yet_refuse_no_network(to: str) -> None:
    module = ends_flat()
    with torch.no_grad():
        for value in module.parameters():
            value.zero_()
    refused(to, module)


# ------------------------------------------------------------------ an update midway


@pytest.mark.parametrize(
    ("kept", "words"),
    [(True, f"remove the {FOLDER} of the older ones"), (False, "or prove anew in another folder: their weights are")],
)
def test_an_update_midway_is_told_before_it_goes_on(copy: Path, kept: bool, words: str) -> None:
    first, second = seeds(copy)
    told_anew(first, version="0.0.1")
    if not kept:
        (first / store.WEIGHTS).unlink()
    with pytest.raises(DataError, match=f"were not made alike: version: .*{words}"):
        tinyproof.prove(copy, quiet=True)
    shutil.rmtree(second / FOLDER)
    with pytest.raises(DataError, match=f"takes no new exports: version 0.0.1 made that of seed-.*{words}"):
        tinyproof.prove(copy, quiet=True)
    assert not (second / FOLDER).exists()


# ------------------------------------------------------------------ weights that are not kept


def test_weights_of_a_run_that_was_killed_after_its_export_go_too(copy: Path) -> None:
    assert all((place / store.WEIGHTS).is_file() for place in seeds(copy))
    tinyproof.prove(copy, quiet=True)  # nobody says again that none are wanted
    assert all((place / store.WEIGHTS).is_file() for place in seeds(copy))
    tinyproof.prove(TINY, **ASKED, **LIMITS, as_=TO, weights=False, out=copy)
    assert not any((place / store.WEIGHTS).exists() for place in seeds(copy))
    assert broken(copy, weights=False) == set()


def test_further_images_need_weights_that_are_there(copy: Path) -> None:
    place = seeds(copy)[1]
    (place / store.WEIGHTS).unlink()
    results = proof.load(copy).results
    with pytest.raises(InputError, match="needs the weights of every run"):
        more_answers.can_answer(TINY, named=True, results=results, name="qmnist-test50k")
    more_answers.answers_of(place, "qmnist-test50k").touch()
    more_answers.can_answer(TINY, named=True, results=results, name="qmnist-test50k")


@pytest.mark.parametrize(
    ("lacking", "kept", "words"),
    [
        ("", True, f"remove {FOLDER} of those runs and give the same command again"),
        ("arm-gcc", True, f"install arm-gcc, then remove {FOLDER} of those runs"),
        ("", False, "prove anew in another folder"),
    ],
)
def test_sizes_that_were_not_measured_have_a_remedy(
    copy: Path, monkeypatch: pytest.MonkeyPatch, lacking: str, kept: bool, words: str
) -> None:
    place, said = seeds(copy)[0], list[str]()
    told_anew(place, flash=0, ram=0, sized_by="")
    told_anew(seeds(copy)[1], flash=9, ram=9, sized_by="a compiler")
    monkeypatch.setattr(c_size, "missing", lambda: lacking)
    if not kept:
        (place / store.WEIGHTS).unlink()
    resume(copy, listener=Listener(say=said.append))
    assert [line for line in said if f"of 1 of 2 exports were not measured: {words}" in line]
    told_anew(place, flash=9, ram=9, sized_by="a compiler")
    said.clear()
    resume(copy, listener=Listener(say=said.append))
    assert said == []
