"""A data set as plain arrays; a held-out part of it; overlap by content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import whole

NAMES = ("mnist", "digits")
# The accuracy in percent that a small network should reach on the test images. MNIST's is the courses'; that of the
# digits is what the nearest neighbour reaches on held-out parts of the training images (docs/data.md).
TARGETS = {"mnist": 99.4, "digits": 98.0}


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """Training and test images uint8 [N, 28, 28] (background 0), labels int64 [N], and what belongs to them.

    `mean` and `std` normalise pixels between 0 and 1. `target_percent`: the accuracy a small network should reach on
    the test images, or None. `held_out`: the test images are a part of the training images, for making choices.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    mean: float
    std: float
    classes: tuple[str, ...]
    target_percent: float | None = None
    source: str = ""
    held_out: bool = False

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.dtype != np.uint8 or images.ndim != 3 or not len(images):
                raise DataError(
                    f"{self.name}, {part} images", f"have {images.dtype} {list(images.shape)}, not bytes [N, H, W]"
                )
            if labels.shape != images.shape[:1]:
                raise DataError(f"{self.name}, {part} set", f"has {len(images)} images and {len(labels)} labels")
            if labels.min() < 0 or labels.max() >= len(self.classes):
                bad = int(labels.max() if labels.max() >= len(self.classes) else labels.min())
                problem = f"has the label {bad}; labels go from 0 to {len(self.classes) - 1}"
                raise DataError(f"{self.name}, {part} labels", problem)
        shapes = self.train_images.shape[1:], self.test_images.shape[1:]
        if shapes[0] != shapes[1]:
            problem = f"have {list(shapes[1])} pixels where the training images have {list(shapes[0])}"
            raise DataError(f"{self.name}, test images", problem)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images and labels with their shapes: equal digests, equal data."""
        state = sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            state.update(f"{array.dtype}{array.shape}".encode())
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()

    @property
    def title(self) -> str:
        """The name for people: `MNIST`, `digits`."""
        name = "MNIST" if self.name == "mnist" else self.name
        return f"{name} (held-out part of the training images)" if self.held_out else name


def stratified(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """`count` sorted rows, each class in proportion (largest remainders first), drawn from `seed`."""
    whole("count", count, 1, len(labels) - 1)
    generator = np.random.Generator(np.random.PCG64(seed))
    kinds, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count / len(labels)
    takes = np.floor(shares).astype(int)
    for index in np.argsort(takes - shares, kind="stable")[: count - takes.sum()]:
        takes[index] += 1
    rows = [
        generator.permutation(np.flatnonzero(labels == kind))[:take] for kind, take in zip(kinds, takes, strict=True)
    ]
    return np.sort(np.concatenate(rows)).astype(np.int64)


def hold_out(dataset: Dataset, count: int = 5_000, seed: int = 0) -> Dataset:
    """The training images split in two, stratified: for choices. The true test images are not in it at all.

    `count` images become its test images (5,000 of MNIST's 60,000 by default).
    """
    test = stratified(dataset.train_labels, count, seed)
    train = np.setdiff1d(np.arange(len(dataset.train_labels)), test)
    return replace(
        dataset,
        train_images=dataset.train_images[train],
        train_labels=dataset.train_labels[train],
        test_images=dataset.train_images[test],
        test_labels=dataset.train_labels[test],
        held_out=True,
    )


def overlap(dataset: Dataset) -> list[tuple[int, int]]:
    """Pairs (training row, test row) of images that are equal byte for byte."""
    seen: dict[bytes, int] = {}
    for row, image in enumerate(dataset.train_images):
        seen.setdefault(image.tobytes(), row)
    found = ((seen.get(image.tobytes()), row) for row, image in enumerate(dataset.test_images))
    return [(train, test) for train, test in found if train is not None]


def shared_words(many: int, title: str) -> str:
    """The warning about so many test images that are also training images; nothing where there are none.

    >>> shared_words(1, "leaves")
    'warning: 1 test image is also among the training images of leaves'
    """
    what = "1 test image is" if many == 1 else f"{many:,} test images are"
    return f"warning: {what} also among the training images of {title}" if many else ""


def subset(dataset: Dataset, train: int, test: int) -> Dataset:
    """The first `train` and `test` images, for quick tries; its digest says that it is another data set."""
    if train < 1 or test < 1:
        raise InputError("subset", (train, test), "at least one training and one test image")
    return replace(
        dataset,
        train_images=dataset.train_images[:train],
        train_labels=dataset.train_labels[:train],
        test_images=dataset.test_images[:test],
        test_labels=dataset.test_labels[:test],
    )
