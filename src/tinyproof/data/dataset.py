"""Data sets as plain arrays: MNIST, the digits that ship with scikit-learn, a held-out part, overlap by content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError, MissingDependency
from tinyproof.core.fields import one_of, whole
from tinyproof.data import mnist

NAMES = ("mnist", "digits")
# The accuracy in percent that a small network should reach on the test images. MNIST's is the courses'; that of the
# digits is what the nearest neighbour reaches on held-out parts of the training images (docs/data.md).
TARGETS = {"mnist": 99.4, "digits": 98.0}
# Of 1,797 digits a fifth are test images; the split is drawn once, from this seed, so that it is everybody's.
_DIGITS_SEED = 20_260_101
_DIGITS_TEST_SHARE = 0.2


@dataclass(frozen=True, eq=False)
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


def load(
    name: str = "mnist", data: str | Path | None = None, fetch: bool = True, say: Callable[[str], None] = print
) -> Dataset:
    """A data set by name, or your own by its path (see own_data). `data`: the folder to look in for MNIST; `fetch`:
    whether MNIST may be downloaded.

    Raises InputError for an unknown name, DataError for broken files, `mnist.NotFound` when there is no MNIST.
    """
    if name not in NAMES and (Path(name).exists() or Path(name).name != name):
        from tinyproof.data import own_data

        return own_data.load(name)
    one_of("dataset", name, (*NAMES, "the path of your own"))
    return load_digits() if name == "digits" else load_mnist(data, fetch, say)


def load_mnist(
    data: str | Path | None = None,
    fetch: bool = True,
    say: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> Dataset:
    """MNIST from where it lies, else fetched into the user's cache. Every file is checked against its digest."""
    paths = mnist.find(data)
    if paths is None and data is not None:
        raise mnist.NotFound(str(data), f"{mnist.lacking(data)} (gzipped or not)", "see: tinyproof data")
    if paths is None and not fetch:
        raise mnist.NotFound("MNIST", "is in none of the places searched", "fetch it with: tinyproof data --fetch")
    if paths is None:
        paths = mnist.fetch(say=say, progress=progress)
    train_images, train_labels, test_images, test_labels = mnist.read(paths)
    return Dataset(
        "mnist", train_images.copy(), train_labels.astype(np.int64), test_images.copy(), test_labels.astype(np.int64),
        0.1307, 0.3081, tuple("0123456789"), TARGETS["mnist"], str(paths[0].parent),
    )  # fmt: skip


def load_digits() -> Dataset:
    """The 1,797 scans of 8x8 pixels that ship with scikit-learn, enlarged to 28x28; a fifth of each class tests."""
    try:
        from sklearn import datasets
    except ImportError as error:
        raise MissingDependency("scikit-learn", "the digits data set", "train") from error
    bunch = datasets.load_digits()
    images = enlarge(bunch.images * (255.0 / 16.0))
    labels = bunch.target.astype(np.int64)
    test = stratified(labels, round(len(labels) * _DIGITS_TEST_SHARE), _DIGITS_SEED)
    train = np.setdiff1d(np.arange(len(labels)), test)
    pixels = images[train] / 255.0
    return Dataset(
        "digits", images[train], labels[train], images[test], labels[test], float(round(pixels.mean(), 4)),
        float(round(pixels.std(), 4)), tuple("0123456789"), TARGETS["digits"], "scikit-learn, load_digits",
    )  # fmt: skip


def enlarge(images: NDArray[np.float64], size: int = 28) -> NDArray[np.uint8]:
    """Square images [N, n, n] with values 0 to 255, enlarged bilinearly (pixel centres aligned, edges repeated)."""
    small = images.shape[1]
    centres = np.clip((np.arange(size) + 0.5) * small / size - 0.5, 0, small - 1)
    low = np.minimum(centres.astype(int), small - 2)
    weights = np.zeros((size, small))
    weights[np.arange(size), low] = 1 - (centres - low)
    weights[np.arange(size), low + 1] = centres - low
    return np.round(weights @ images @ weights.T).astype(np.uint8)


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
