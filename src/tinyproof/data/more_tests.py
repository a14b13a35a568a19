"""Test images beside those of a data set: QMNIST's 50,000 that are not among MNIST's 10,000.

Source: Yadav and Bottou, "Cold case: the lost MNIST digits", arXiv 1905.10498.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.fields import one_of
from tinyproof.core.listener import SILENT, Listener
from tinyproof.data import published
from tinyproof.data.catalogue import TEST50K, TEST50K_FROM
from tinyproof.data.load import files_of

NAMES = (TEST50K.name,)


@dataclass(frozen=True, eq=False)
class MoreTests:
    """Test images uint8 [N, channels, height, width] with their labels int64 [N]; no training images."""

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    source: str
    known_by: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the images and labels with their shapes."""
        state = sha256()
        for array in (self.images, self.labels):
            state.update(f"{array.dtype}{array.shape}".encode())
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()


def load(name: str, data: str | Path | None = None, fetch: bool = True, listener: Listener = SILENT) -> MoreTests:
    """Further test images by name. Raises InputError for an unknown name, DataError, `published.NotFound`."""
    one_of("also", name, NAMES)
    return qmnist50k(data, fetch, listener)


def qmnist50k(data: str | Path | None = None, fetch: bool = True, listener: Listener = SILENT) -> MoreTests:
    """QMNIST's test images without the first 10,000, which are MNIST's."""
    beside = data if data is not None and published.find(TEST50K, data) else None  # else where sets usually lie
    paths = files_of(TEST50K, beside, fetch, listener)
    (images, labels), known_by = published.read(TEST50K, paths)
    if len(images) <= TEST50K_FROM or len(images) != len(labels):
        problem = f"has {len(images):,} images and {len(labels):,} labels where 60,000 are expected"
        raise DataError(str(paths[0]), problem, "fetch it again with: tinyproof data qmnist-test50k --fetch")
    kept = np.array(images[TEST50K_FROM:, None], np.uint8), labels[TEST50K_FROM:, 0].astype(np.int64)
    return MoreTests(TEST50K.name, *kept, str(paths[0].parent), known_by)
