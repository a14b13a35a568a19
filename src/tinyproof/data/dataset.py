"""A data set as plain arrays; a held-out part of it; overlap by content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b, sha256

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import whole
from tinyproof.data.reading import Reading, Shape

# One number for grey images, one a channel for others.
PerChannel = float | tuple[float, ...]

# The data sets by name, each with what it is called for people.
TITLES = {
    "mnist": "MNIST", "digits": "digits", "fashion-mnist": "Fashion-MNIST", "kmnist": "KMNIST", "qmnist": "QMNIST",
    "emnist-balanced": "EMNIST balanced", "emnist-byclass": "EMNIST by class", "emnist-bymerge": "EMNIST by merge",
    "emnist-digits": "EMNIST digits", "emnist-letters": "EMNIST letters", "emnist-mnist": "EMNIST MNIST",
    "cifar-10": "CIFAR-10",
}  # fmt: skip
NAMES = tuple(TITLES)
# The accuracy in percent that a small network should reach on the test images; none where nobody has stated one.
# MNIST's is the courses'; that of the digits is what the nearest neighbour reaches on held-out parts of the training
# images (docs/data.md).
TARGETS = {"mnist": 99.4, "digits": 98.0}


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """Training and test images uint8 [N, channels, height, width], labels int64 [N], and what belongs to them.

    Grey images may also be given as [N, height, width]. `mean` and `std` normalise pixels between 0 and 1, one number
    a channel where there are several. `target_percent`: the accuracy a small network should reach on the test images,
    or None. `held_out`: the test images are a part of the training images, for making choices. `reading`: how pictures
    were made images. `known_by`: what its files were held against, where they were published.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    mean: PerChannel
    std: PerChannel
    classes: tuple[str, ...]
    target_percent: float | None = None
    source: str = ""
    held_out: bool = False
    reading: Reading | None = None
    known_by: str = ""

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.dtype != np.uint8 or images.ndim not in (3, 4) or not len(images):
                problem = f"have {images.dtype} {list(images.shape)}, not bytes [N, C, H, W]"
                raise DataError(f"{self.name}, {part} images", problem)
            if images.ndim == 3:
                object.__setattr__(self, f"{part}_images", images[:, None])
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
        for name, value in (("mean", self.mean), ("std", self.std)):
            if isinstance(value, tuple) and len(value) != self.shape[0]:
                problem = f"is {len(value)} numbers where the images have {self.shape[0]} channel(s)"
                raise DataError(f"{self.name}, {name}", problem)
        if self.reading is None or self.reading.shape != self.shape:
            channels, height, width = self.shape
            given = Reading(kind="given", channels=channels, height=height, width=width)
            object.__setattr__(self, "reading", given)

    @property
    def shape(self) -> Shape:
        """Channels, height and width of an image."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    @property
    def normalisation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of each channel, [channels] both."""
        mean, std = (np.atleast_1d(np.asarray(value, np.float64)) for value in (self.mean, self.std))
        return np.broadcast_to(mean, self.shape[0]), np.broadcast_to(std, self.shape[0])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images and labels with their shapes: equal digests, equal data.

        The shape of grey images is told without their one channel, as it was when all images were grey.
        """
        state = sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            shape = (len(array), *array.shape[2:]) if array.shape[1:2] == (1,) else array.shape
            state.update(f"{array.dtype}{shape}".encode())
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()

    @property
    def title(self) -> str:
        """The name for people: `MNIST`, `digits`."""
        name = TITLES.get(self.name, self.name)
        return f"{name} (held-out part of the training images)" if self.held_out else name


def channel_statistics(images: NDArray[np.uint8]) -> tuple[PerChannel, PerChannel]:
    """Mean and standard deviation of pixels between 0 and 1 to four digits: one number for grey images, else one for
    each channel. From counts of the 256 values, so that no copy of the images is made.
    """
    found = []
    for channel in range(images.shape[1]):
        parts = (images[at : at + 1000, channel].ravel() for at in range(0, len(images), 1000))
        counts = np.sum([np.bincount(part, minlength=256) for part in parts], 0)
        shares, values = counts / counts.sum(), np.arange(256) / 255.0
        mean = float((shares * values).sum())
        std = float(np.sqrt((shares * (values - mean) ** 2).sum()))
        found.append((round(mean, 4), max(round(std, 4), 1e-4)))
    if len(found) == 1:
        return found[0]
    return tuple(mean for mean, _ in found), tuple(std for _, std in found)


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
    return _held_out(dataset, stratified(dataset.train_labels, count, seed))


def folds(labels: NDArray[np.int64], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Which of `count` folds, 0 to count - 1, each row belongs to, int64 [N], drawn from `seed`: every class in
    proportion, and no fold with more than one row more than another.

    >>> folds(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 2).tolist()
    [1, 0, 0, 1, 1, 0, 1, 0]
    """
    whole("folds", count, 2, len(labels) // 2)
    generator = np.random.Generator(np.random.PCG64(seed))
    dealt = [generator.permutation(np.flatnonzero(labels == kind)) for kind in np.unique(labels)]
    found = np.empty(len(labels), np.int64)
    found[np.concatenate(dealt)] = np.arange(len(labels)) % count
    return found


def fold(dataset: Dataset, which: int, count: int) -> Dataset:
    """One of `count` folds of the training images as test images, the others as training images: for choices. The true
    test images are not in it at all."""
    whole("fold", which, 0, count - 1)
    return _held_out(dataset, np.flatnonzero(folds(dataset.train_labels, count) == which))


def _held_out(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    """These training images as test images, the others as training images."""
    train = np.setdiff1d(np.arange(len(dataset.train_labels)), rows)
    return replace(
        dataset,
        train_images=dataset.train_images[train],
        train_labels=dataset.train_labels[train],
        test_images=dataset.train_images[rows],
        test_labels=dataset.train_labels[rows],
        held_out=True,
    )


def overlap(dataset: Dataset) -> list[tuple[int, int]]:
    """Pairs (training row, test row) of images that are equal byte for byte."""
    seen: dict[bytes, int] = {}
    for row, image in enumerate(dataset.train_images):
        seen.setdefault(_fingerprint(image), row)
    found = ((seen.get(_fingerprint(image)), row) for row, image in enumerate(dataset.test_images))
    return [(train, test) for train, test in found if train is not None]


def _fingerprint(image: NDArray[np.uint8]) -> bytes:
    """What stands for an image's bytes: 16 of them, so that a large set needs no second copy of itself."""
    return blake2b(image.tobytes(), digest_size=16).digest()


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
