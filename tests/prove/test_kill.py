"""Killed at moments that nobody chose, with every worker at once or alone: the same command ends with the same bits."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.prove.proving import ALONE, ASKED, NAMED, bits, call, kill

from tinyproof.api.prove import resume
from tinyproof.api.reproduce import reproduce
from tinyproof.data.load import load_digits
from tinyproof.prove import declaration, evaluations, proof
from tinyproof.prove.published_claims import CLAIMS
from tinyproof.prove.reproduction import clipped
from tinyproof.train import store
from tinyproof.train.loop import train
from tinyproof.train.recipe_text import parse

Made = tuple[Path, "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups are killed differently there")


def while_it_trains(folder: Path, seconds: float) -> Callable[[], bool]:
    """The moment so many seconds after the first run has begun."""
    begun: list[float] = []

    def come() -> bool:
        if not begun and any(folder.glob("seed-*/.lease-*")):
            begun.append(time.monotonic())
        return bool(begun) and time.monotonic() - begun[0] >= seconds

    return come


def test_killed_at_a_random_moment_it_ends_with_the_same_bits(made: Made, tmp_path: Path) -> None:
    rng, folder = random.Random(6), tmp_path / "killed"
    whole = sum(result.run.seconds for result in proof.load(made[0]).results)
    words = (*ASKED, *NAMED, "--out", folder)
    kill(words, while_it_trains(folder, rng.uniform(0, 0.5) * whole), group=rng.random() < 0.5)
    assert call(*words).returncode == made[1].returncode
    assert bits(folder) == bits(made[0])


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_killed_at_a_random_moment_the_native_engine_ends_with_the_same_bits(tmp_path: Path) -> None:
    rng, folder, text = random.Random(7), tmp_path / "killed", "digits,epochs=3"
    run = train("fast", parse(text), load_digits(), 3, engine="native", threads=1, test_each_epoch=False).run
    words = ("prove", "fast", "--recipe", text, "--dataset", "digits", "--seeds", 1, "--first-seed", 3)
    moment = while_it_trains(folder, rng.uniform(0.1, 0.9) * run.seconds)
    kill((*words, "--engine", "native", "--target", 80, *ALONE, "--out", folder), moment)
    result = resume(folder).results[0].run
    assert result.identity.engine == "native"
    assert (result.predictions_digest, result.declaration) == (run.predictions_digest, declaration.read(folder).digest)


def test_killed_during_its_looks_reproduce_ends_with_the_same_bits_and_looks(tmp_path: Path) -> None:
    folder, reference = tmp_path / "killed" / "s7-8k", tmp_path / "reference"
    words = ("reproduce", "s7-8k", "--quick", "--dataset", "digits", "--seeds", 1, "--engine", "torch", *ALONE)
    kill((*words, "--out", folder.parent), lambda: any(folder.glob(f"seed-*/{evaluations.FILE}")))
    declared = declaration.read(folder)
    place = proof.seed_folder(folder, declared.seeds[0])
    assert not store.finished(place), "it was not killed during its looks"
    asked: dict[str, Any] = {"dataset": "digits", "seeds": 1, "engine": "torch", "processes": 1, "threads": 1}
    reproduce("s7-8k", quick=True, out=folder.parent, page=False, **asked)

    def look(epoch: int, engine: Any) -> None:
        for wanted in dict.fromkeys(clipped(CLAIMS["s7-8k"].looks, declared.recipe.epochs)):
            if wanted.epoch == epoch:
                evaluations.take(reference, wanted, engine, digits, declared.recipe, seed)

    # The same run in this process, killed by nobody.
    seed, digits = declared.seeds[0], load_digits()
    undisturbed = train(
        "s7-8k", declared.recipe, digits, seed, engine="torch", threads=1, test_each_epoch=False, after_epoch=look
    )
    assert store.load(place).predictions_digest == undisturbed.run.predictions_digest
    assert (place / evaluations.FILE).read_bytes() == (reference / evaluations.FILE).read_bytes()
