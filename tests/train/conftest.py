"""A small, quick data set and a quick recipe: real digits, 14x14, few."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from tinyproof.data.dataset import Dataset, subset
from tinyproof.data.load import load_digits
from tinyproof.train.recipe import Augment, Recipe, Schedule


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_digits()


@pytest.fixture(scope="session")
def few(digits: Dataset) -> Dataset:
    """200 training and 60 test digits."""
    return subset(digits, 200, 60)


@pytest.fixture
def quick() -> Recipe:
    """Three short epochs with everything switched on that has a state."""
    return Recipe(
        "quick",
        optimizer="adamw",
        rate=0.01,
        schedule=Schedule("one-cycle", warmup=0.2),
        epochs=3,
        batch_size=64,
        dropout=0.1,
        ema=0.9,
        label_smoothing=0.05,
        augment=Augment(8, 1.5, 0.08),
    )


@pytest.fixture
def sgd(quick: Recipe) -> Recipe:
    return replace(quick, name="sgd", optimizer="sgd", momentum=0.9, nesterov=True, ema=None, weight_decay=1e-4)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """One thread: quick on a busy machine, and the bits of the other tests do not depend on its load. `make numerics`
    names other numbers."""
    before = torch.get_num_threads()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    yield
    torch.set_num_threads(before)
