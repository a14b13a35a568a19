"""A cache of compiled kernels for the tests alone, and a small data set."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from tinyproof.data.dataset import Dataset


@pytest.fixture(scope="session", autouse=True)
def kernel_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # `make numerics` runs these tests several times: it keeps the kernels in between.
    place = os.environ.get("TINYPROOF_TEST_KERNELS") or str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYPROOF_CACHE", place)
        yield


@pytest.fixture(scope="session")
def blobs() -> Dataset:
    """200 training and 50 test pictures of 14x14: a bright square whose place says the class, with noise."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 10, 250)
    images = rng.integers(0, 90, (250, 14, 14))
    for image, label in zip(images, labels, strict=True):
        image[label : label + 4, 2 * (label % 5) : 2 * (label % 5) + 4] += 150
    images = images.astype(np.uint8)
    classes = tuple(str(i) for i in range(10))
    return Dataset(
        name="blobs",
        train_images=images[:200],
        train_labels=labels[:200],
        test_images=images[200:],
        test_labels=labels[200:],
        mean=0.2,
        std=0.3,
        classes=classes,
    )
