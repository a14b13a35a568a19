"""`verify` on the records of this repository: untouched they hold; each edit that can be computed again is named."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.stored_records import PACKS, stored

from tinyproof.api.verify import verify
from tinyproof.core.errors import TinyproofError
from tinyproof.prove import proof


def edit(path: Path, change: Callable[[Any], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.fixture
def best(tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored("s7-8k-best"), tmp_path / "s7-8k-best"))


@pytest.mark.parametrize("name", PACKS)
def test_the_stored_records_hold(name: str) -> None:
    found = verify(PACKS[name], weights=False)
    assert found.exit_code == 0, [line for line in found.lines if line.holds is False]
    assert any(line.what == "the stored verdict is what the answers give" and line.holds for line in found.lines)


def test_judging_records_again_is_quick_and_needs_no_torch() -> None:
    code = (
        "import sys, time; from tinyproof.api.verify import verify; begun = time.perf_counter();"
        "verify(sys.argv[1], weights=False); print(time.perf_counter() - begun, 'torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(stored("s7-8k-best"))]
    seconds, torch = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert torch == "False"
    assert float(seconds) < 5  # far above the usual: a busy machine must not fail it


RUN: dict[str, tuple[Callable[[Any], object], str]] = {
    "parameters": (lambda d: d.update(parameters=7_000), "parameters, MACs, bytes and layers"),
    "macs": (lambda d: d.update(macs=1), "parameters, MACs, bytes and layers"),
    "bytes": (lambda d: d.update(weight_bytes=1), "parameters, MACs, bytes and layers"),
    "kinds": (lambda d: d["kinds"].append("Linear"), "parameters, MACs, bytes and layers"),
    "dropout": (lambda d: d.update(dropout_active=True), "parameters, MACs, bytes and layers"),
    "pooling": (lambda d: d.update(global_average_pooling=False), "parameters, MACs, bytes and layers"),
    "a rate": (lambda d: d["epochs"][6].update(rate=0.01), "rates are the recipe's"),
    "a test accuracy on the way": (lambda d: d["epochs"][6].update(test_percent=99.9), "looked at once"),
    "a test loss on the way": (lambda d: d["epochs"][6].update(test_loss=0.01), "looked at once"),
    "the last loss": (lambda d: d["epochs"][-1].update(test_loss=0.001), "last epoch logs"),
    "no last accuracy": (lambda d: d["epochs"][-1].update(test_percent=None), "last epoch logs"),
    "an epoch's number": (lambda d: d["epochs"][6].update(epoch=9), "every epoch is logged"),
    "training images": (lambda d: d.update(train_count=50_000), "as many images as declared"),
    "half an image": (lambda d: d["epochs"][6].update(train_percent=99.90001), "impossible"),
    "more than all": (lambda d: d["epochs"][6].update(train_percent=101), "impossible"),
    "a loss below zero": (lambda d: d["epochs"][6].update(train_loss=-0.1), "impossible"),
    "epochs longer than the run": (lambda d: d.update(seconds=1.0), "impossible"),
    "no time": (lambda d: d.update(started="soon"), "after it was"),
    "classes": (lambda d: d.update(classes=["0"] * 10), "recorded images"),
    "mean": (lambda d: d.update(mean=0.2), "recorded images"),
    "another declaration": (lambda d: d.update(declaration="0" * 64), "names this declaration"),
}


@pytest.mark.parametrize("name", RUN)
def test_an_edit_of_a_run_is_caught_and_named(best: Path, name: str) -> None:
    change, what = RUN[name]
    caught(best, best / "seed-102691113" / "run.json", change, what)


DECLARED: dict[str, tuple[Callable[[Any], object], str]] = {
    "overlap": (lambda d: d["data"].update(overlap=3), "digests, sizes and overlap"),
    "training images": (lambda d: d["data"].update(training_images=55_000), "digests, sizes and overlap"),
    "test images": (lambda d: d["data"].update(test_images=9_000), "digests, sizes and overlap"),
    "the data": (lambda d: d["data"].update(digest="0" * 64), "digests, sizes and overlap"),
    "no source of the seeds": (lambda d: d.update(seeds_from=""), "seeds follow"),
    "seeds left out, no source": (lambda d: d.update(seeds_from="", seeds=d["seeds"][:9]), "seeds follow"),
}


@pytest.mark.parametrize("name", DECLARED)
def test_an_edit_of_a_declaration_is_caught_and_named(best: Path, name: str) -> None:
    change, what = DECLARED[name]
    caught(best, best / "declared.json", change, what)


def caught(folder: Path, path: Path, change: Callable[[Any], object], what: str) -> None:
    """The check that should stand against the edit breaks, also when the verdict is written anew."""
    edit(path, change)
    # Some edits are such that the proof does not even load any more.
    with contextlib.suppress(TinyproofError):
        proof.write_verdict(proof.load(folder))
    found = verify(folder, weights=False)
    assert found.exit_code == 1
    assert any(what in line.what for line in found.broken), found.table().text()


def test_huge_numbers_are_broken_checks_and_no_traceback(best: Path) -> None:
    for key in ("parameters", "macs", "train_count", "test_loss", "mean"):
        copy = Path(shutil.copytree(best, best.parent / key))
        edit(copy / "seed-102691113" / "run.json", lambda data, key=key: data.update({key: 10**400}))
        assert verify(copy, weights=False).exit_code == 1, key


def test_a_folder_of_many_is_walked_and_what_holds_nothing_is_named(best: Path) -> None:
    root = best.parent
    (root / "notes" / "old").mkdir(parents=True)
    shutil.copytree(stored("reproduce"), root / "deeper" / "reproduce")
    found = verify(root, weights=False)
    assert found.exit_code == 0
    assert {"s7-8k-best", "s7-8k-best/seed-102691113", "deeper/reproduce/s6-12k"} <= {
        line.place for line in found.lines
    }
    assert [line.found for line in found.lines if line.what == "other folders in it"] == [
        "no proof, comparison or run: notes/old"
    ]
    edit(root / "deeper" / "reproduce" / "s6-12k" / "verdict.json", lambda data: data.update(mean=99.9))
    assert [line.place for line in verify(root, weights=False).broken] == ["deeper/reproduce/s6-12k"]


# ------------------------------------------------------------------ further evaluations

LOOKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "more right than there are": (lambda d: d["epoch-14-training"].update(correct=60_001), "can be read"),
    "no images": (lambda d: d["epoch-14-training"].update(correct=0, images=0), "can be read"),
    "other images": (
        lambda d: d["epoch-14-training"].update(correct=9_900, images=10_000),
        "no evaluation is impossible",
    ),
    "a loss too small": (lambda d: d["epoch-14-training"].update(correct=50_000), "no evaluation is impossible"),
    "all right, and a large loss": (
        lambda d: d["epoch-14-training"].update(correct=60_000, loss=2.5),
        "no evaluation is impossible",
    ),
    "an epoch that was not": (lambda d: d.update({"epoch-15-test": d["epoch-14-training"]}), "is impossible"),
    "another last look at the test images": (
        lambda d: d.update({"epoch-14-test": {"correct": 9_999, "images": 10_000, "loss": 0.01}}),
        "epoch-14-test is what the network gives",
    ),
    "one that is gone": (lambda d: d.pop("epoch-13-training"), "every run has the same evaluations"),
}


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored("reproduce") / "s7-8k", tmp_path / "claim"))


@pytest.mark.parametrize("name", LOOKS)
def test_an_evaluation_that_cannot_be_is_caught(claim: Path, name: str) -> None:
    change, what = LOOKS[name]
    edit(next(claim.glob("seed-*")) / "looks.json", change)
    found = verify(claim, weights=False)
    assert found.exit_code == 1
    assert any(what in line.what for line in found.broken), found.table().text()


def test_evaluations_that_cannot_be_counted_again_are_named(claim: Path) -> None:
    lines = [line for line in verify(claim, weights=False).lines if line.what.startswith("the other evaluations")]
    assert len(lines) == 3
    for line in lines:
        assert line.holds is None
        assert all(name in line.found for name in ("epoch-13-training", "epoch-14-training-augmented"))
