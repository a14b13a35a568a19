"""A checkpoint goes on only with what it was made with; where it does not, each reason is called by its name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyproof.core.errors import DataError, InputError
from tinyproof.train import checkpoint
from tinyproof.train.checkpoint import Checkpoint
from tinyproof.train.origin import Origin
from tinyproof.train.recipe import Recipe
from tinyproof.train.run_record import EpochLog, Identity

IDENTITY = Identity(
    model="net.py:Net",
    model_digest="a" * 64,
    recipe=Recipe("one"),
    seed=1,
    dataset="digits",
    held_out=False,
    data_digest="d" * 64,
    engine="torch",
    device="cpu",
    threads=1,
)
HERE = Origin(IDENTITY, "c" * 64, {"torch": "2.5", "numpy": "2.0", "python": "3.11"}, {"net.py": "a" * 64})
KEPT = Checkpoint("2026-01-01", (EpochLog(1, 0.1, 2.0, 50.0, None, None, 1.0),), 1.0, {"w": np.arange(3.0)})


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path, HERE) is None
    checkpoint.save(tmp_path, HERE, KEPT)
    found = checkpoint.load(tmp_path, replace(HERE, versions={**HERE.versions, "python": "3.14"}))
    assert found is not None
    assert (found.started, found.epochs, found.seconds) == (KEPT.started, KEPT.epochs, KEPT.seconds)
    np.testing.assert_array_equal(found.state["w"], KEPT.state["w"])


def of(**changed: Any) -> Origin:
    return replace(HERE, identity=replace(IDENTITY, **changed))


OTHERS = [
    (of(threads=2), "of another run: threads 1, here 2"),
    (of(seed=2, engine="native"), "of another run: seed 1, here 2; engine torch, here native"),
    (of(recipe=Recipe("one", rate=0.5)), "of another run: recipe rate 0.01, here 0.5"),
    (of(dataset="mnist", data_digest="e" * 64), "of another run: dataset digits, here mnist"),
    (of(data_digest="e" * 64), "of another run: other images or labels"),
    (
        replace(of(model_digest="b" * 64), files={"net.py": "a" * 64, "parts.py": "b" * 64}),
        "of another run: parts.py is new",
    ),
    (replace(HERE, code="0" * 64), "made by other code"),
    (replace(HERE, versions={**HERE.versions, "torch": "2.6"}), "made with torch 2.5, and here is 2.6"),
    (
        replace(HERE, code="0" * 64, versions={"torch": "2.6", "numpy": "2.1"}),
        "made by other code; made with torch 2.5, and here is 2.6; made with numpy 2.0, and here is 2.1",
    ),
]


@pytest.mark.parametrize(("other", "words"), OTHERS, ids=[words for _, words in OTHERS])
def test_each_reason_is_named_and_nothing_is_overwritten(tmp_path: Path, other: Origin, words: str) -> None:
    checkpoint.save(tmp_path, HERE, KEPT)
    before = (tmp_path / checkpoint.FILE).read_bytes()
    with pytest.raises(InputError) as caught:
        checkpoint.load(tmp_path, other)
    assert str(caught.value).endswith(f"holds epochs {words}; name a new folder, or start again there with --force")
    assert (tmp_path / checkpoint.FILE).read_bytes() == before


def old(tmp_path: Path, meta: object) -> None:
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(tmp_path / checkpoint.FILE, meta=text, **{"state/w": np.arange(3.0)})  # type: ignore[arg-type]


def test_a_checkpoint_of_the_version_before_gives_a_true_line(tmp_path: Path) -> None:
    """It names its run by one digest, and its code by one that is not computed any more."""
    meta = {"identity": IDENTITY.digest, "code": "c" * 64, "started": "x", "spent": 1.0, "epochs": []}
    old(tmp_path, meta)
    with pytest.raises(InputError, match="kept by an earlier version, whose code cannot be compared with this one's"):
        checkpoint.load(tmp_path, HERE)
    with pytest.raises(InputError, match=r"holds epochs of another run; name a new folder"):
        checkpoint.load(tmp_path, of(seed=2))
    old(tmp_path, {**meta, "format": 3})
    with pytest.raises(InputError, match="holds epochs in format 3, and this version reads 2"):
        checkpoint.load(tmp_path, HERE)


@pytest.mark.parametrize("meta", [[], {}, {"format": 2}, {"format": 2, "identity": []}, 7, "text"])
def test_what_is_no_checkpoint_is_said(tmp_path: Path, meta: object) -> None:
    old(tmp_path, meta)
    with pytest.raises(DataError, match=r"checkpoint\.npz: is not a checkpoint; start again with --force"):
        checkpoint.load(tmp_path, HERE)
