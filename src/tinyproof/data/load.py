"""A data set by name or path: MNIST, the digits that ship with scikit-learn, or your own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import MissingDependency
from tinyproof.core.fields import one_of
from tinyproof.core.listener import SILENT, Listener
from tinyproof.data import mnist, own_data
from tinyproof.data.dataset import NAMES, TARGETS, Dataset, stratified

# Of 1,797 digits a fifth are test images; the split is drawn once, from this seed, so that it is everybody's.
_DIGITS_SEED = 20_260_101
_DIGITS_TEST_SHARE = 0.2


def load(
    name: str = "mnist", data: str | Path | None = None, fetch: bool = True, listener: Listener = SILENT
) -> Dataset:
    """A data set by name, or your own by its path (see own_data). `data`: the folder to look in for MNIST; `fetch`:
    whether MNIST may be downloaded.

    Raises InputError for an unknown name, DataError for broken files, `mnist.NotFound` when there is no MNIST.
    """
    if name not in NAMES and (Path(name).exists() or Path(name).name != name):
        return own_data.load(name)
    one_of("dataset", name, (*NAMES, "the path of your own"))
    return load_digits() if name == "digits" else load_mnist(data, fetch, listener)


def load_mnist(data: str | Path | None = None, fetch: bool = True, listener: Listener = SILENT) -> Dataset:
    """MNIST from where it lies, else fetched into the user's cache. Every file is checked against its digest."""
    paths = mnist.find(data)
    if paths is None and data is not None:
        raise mnist.NotFound(str(data), f"{mnist.lacking(data)} (gzipped or not)", "see: tinyproof data")
    if paths is None and not fetch:
        raise mnist.NotFound("MNIST", "is in none of the places searched", "fetch it with: tinyproof data --fetch")
    if paths is None:
        paths = mnist.fetch(listener=listener)
    train_images, train_labels, test_images, test_labels = mnist.read(paths)
    return Dataset(
        name="mnist",
        train_images=train_images.copy(),
        train_labels=train_labels.astype(np.int64),
        test_images=test_images.copy(),
        test_labels=test_labels.astype(np.int64),
        mean=0.1307,
        std=0.3081,
        classes=tuple("0123456789"),
        target_percent=TARGETS["mnist"],
        source=str(paths[0].parent),
    )


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
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        mean=float(round(pixels.mean(), 4)),
        std=float(round(pixels.std(), 4)),
        classes=tuple("0123456789"),
        target_percent=TARGETS["digits"],
        source="scikit-learn, load_digits",
    )


def enlarge(images: NDArray[np.float64], size: int = 28) -> NDArray[np.uint8]:
    """Square images [N, n, n] with values 0 to 255, enlarged bilinearly (pixel centres aligned, edges repeated)."""
    small = images.shape[1]
    centres = np.clip((np.arange(size) + 0.5) * small / size - 0.5, 0, small - 1)
    low = np.minimum(centres.astype(int), small - 2)
    weights = np.zeros((size, small))
    weights[np.arange(size), low] = 1 - (centres - low)
    weights[np.arange(size), low + 1] = centres - low
    return np.round(weights @ images @ weights.T).astype(np.uint8)
