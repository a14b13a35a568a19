"""`--size` and `--channels` of `compare`, `reproduce` and `lr-test`, as `train` and `prove` take them: own pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinyproof
from tinyproof.core.errors import InputError
from tinyproof.prove import declaration

QUICK = "fast,epochs=1,batch_size=16"


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Squares whose colour is the class, 24x20, in an .npz file."""
    rng = np.random.default_rng(3)
    labels = np.arange(60) % 3
    images = rng.integers(0, 90, (60, 24, 20, 3), dtype=np.uint8)
    images[np.arange(60), 6:14, 6:14, labels] = 250
    path = tmp_path_factory.mktemp("data") / "colour.npz"
    np.savez(path, x_train=images[:45], y_train=labels[:45], x_test=images[45:], y_test=labels[45:])
    return str(path)


def test_compare_reads_as_asked_and_says_so_in_both_declarations(colour: str, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    asked = {
        "dataset": colour,
        "target": 10.0,
        "seeds": 2,
        "out": out,
        "threads": 1,
        "processes": 1,
        "engine": "torch",
        "quiet": True,
    }
    found = tinyproof.compare(f"fast@{QUICK}", f"fast@{QUICK},rate=0.01", **asked, size=28, channels=1)
    for side in (found.first, found.second):
        read = declaration.read(side.folder).data.reading
        assert read is not None
        assert read.shape == (1, 28, 28)
    with pytest.raises(InputError, match=r"size: .* as declared"):
        tinyproof.compare(f"fast@{QUICK}", f"fast@{QUICK},rate=0.01", **asked, size=32, channels=1)


def test_reproduce_reads_as_asked(colour: str, tmp_path: Path) -> None:
    found = tinyproof.reproduce(
        "s6-19k",
        seeds=1,
        dataset=colour,
        input="1,28,28",
        out=tmp_path / "claims",
        quick=True,
        engine="torch",
        threads=1,
        quiet=True,
    )
    read = found.claims[0].proof.declaration.data.reading
    assert read is not None
    assert read.shape == (1, 28, 28)


@pytest.mark.parametrize(("size", "shape"), [(None, (3, 24, 20)), ("28", (3, 28, 28))])
def test_lr_test_reads_as_asked(
    colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str | None, shape: tuple[int, int, int]
) -> None:
    from tinyproof.api import lr_test

    seen = []
    held_out = lr_test.held_out
    monkeypatch.setattr(lr_test, "held_out", lambda ask: seen.append(held_out(ask)) or seen[-1])
    tinyproof.lr_test(
        "fast", QUICK, dataset=colour, size=size, steps=10, picture=None, engine="torch", threads=1, quiet=True
    )
    assert seen[0].shape == shape


def test_a_size_that_no_pictures_have_is_one_line(colour: str) -> None:
    with pytest.raises(InputError, match=r"size: 4 is not allowed"):
        tinyproof.lr_test("fast", dataset=colour, size=4, quiet=True)
    with pytest.raises(InputError, match=r"allowed: 1 channel of 28x28, as digits"):
        tinyproof.compare("fast", "s7-8k", dataset="digits", channels=3, seeds=2, quiet=True)
