"""The recipe of a network where nobody names one: by the data set, and by how many images there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tinyproof
from tinyproof.core.errors import InputError
from tinyproof.data.dataset import Dataset
from tinyproof.prove.declare import as_recipe
from tinyproof.train.default_recipe import default_recipe
from tinyproof.train.recipe import BEST, DIGITS, FAST, FEW, FEW_IMAGES


def some(count: int, name: str = "mine", shape: tuple[int, int, int] = (3, 8, 8), classes: int = 4) -> Dataset:
    labels = np.arange(count) % classes
    images = np.zeros((count, *shape), np.uint8)
    return Dataset(
        name=name, train_images=images, train_labels=labels, test_images=images[:4], test_labels=labels[:4], mean=0.0,
        std=1.0, classes=tuple(map(str, range(classes))),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "dataset", "expected"),
    [
        ("s7-8k", some(800), FEW),
        ("fast", some(800), FEW),
        ("s7-8k", some(FEW_IMAGES - 1, shape=(1, 8, 8)), FEW),
        ("s7-8k", some(FEW_IMAGES, shape=(1, 8, 8)), BEST),
        ("fast", some(FEW_IMAGES, shape=(1, 8, 8)), FAST),
        ("s7-8k", some(800, "digits"), DIGITS),
        ("model.py:Net", some(800), replace(FEW, dropout=None)),
        ("model.py:Net", some(800, shape=(1, 28, 28), classes=10), replace(FEW, dropout=None)),
    ],
)
def test_by_data_set_and_number_of_images(model: str, dataset: Dataset, expected: object) -> None:
    assert default_recipe(model, dataset) == expected


def test_a_course_budget_keeps_its_epochs() -> None:
    found = default_recipe("s7-8k", some(800, shape=(1, 28, 28), classes=10))
    assert found == replace(FEW, epochs=14)
    assert default_recipe("s6-17k", some(800, shape=(1, 28, 28), classes=10)).epochs == 19
    assert default_recipe("s5-593k", some(800, shape=(1, 28, 28), classes=10)).epochs == FEW.epochs


@pytest.mark.parametrize("count", [33, 65, 97, 481, 545, 1057])
def test_no_image_is_left_alone_in_a_last_batch(count: int) -> None:
    size = default_recipe("s7-8k", some(count)).batch_size
    assert count % size != 1
    assert FEW.batch_size <= size < 2 * FEW.batch_size


def test_proofs_and_rates_take_it_too_and_a_stored_proof_can_do_without_the_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 90, (48, 24, 24), dtype=np.uint8), np.arange(48) % 2
    images[labels == 1, 6:14] = 250
    path, model = tmp_path / "bars.npz", tmp_path / "model.py"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:9], y_test=labels[:9])
    assert as_recipe(None, "fast", str(path)) == FEW
    assert as_recipe("", "fast", str(path)) == FEW
    assert as_recipe("best", "fast", str(path)) == BEST
    model.write_text(
        "from torch import nn\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(36, 2))\n"
    )
    asked = {"dataset": str(path), "target": 10.0, "seeds": 2, "out": tmp_path / "proof", "engine": "torch",
             "processes": 1, "threads": 1, "quiet": True}  # fmt: skip
    found = tinyproof.prove(f"{model}:Net", **asked)
    assert found.declaration.recipe == replace(FEW, dropout=None)
    path.rename(tmp_path / "gone.npz")
    assert len(tinyproof.prove(f"{model}:Net", **asked).results) == 2
    with pytest.raises(InputError, match=r"recipe: 'best epochs=2' is not allowed"):
        tinyproof.prove(f"{model}:Net", "best,epochs=2", **asked)
