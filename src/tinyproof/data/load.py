"""A data set by name or path: a published one, the digits that ship with scikit-learn, or your own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import InputError, MissingDependency
from tinyproof.core.fields import one_of
from tinyproof.core.files import existing
from tinyproof.core.listener import SILENT, Listener
from tinyproof.data import fetching, own_data, published
from tinyproof.data.catalogue import MNIST, SETS, PublishedSet
from tinyproof.data.dataset import NAMES, TARGETS, Dataset, channel_statistics, stratified
from tinyproof.data.reading import AS_IT_IS, Asked, Reading, size_words

# Of 1,797 digits a fifth are test images; the split is drawn once, from this seed, so that it is everybody's.
_DIGITS_SEED = 20_260_101
_DIGITS_TEST_SHARE = 0.2
_SIDE = 28

Pixels = NDArray[Any]
# MNIST: a digit fits a box of 20 pixels whose ink has its centre of mass in the middle. The digits fill their scan.
INK = {
    name: Reading(kind="ink", channels=1, height=_SIDE, width=_SIDE, box=box)
    for name, box in (("digits", 28), *((one.name, one.box) for one in SETS.values() if one.box))
}


def load(
    name: str = "mnist",
    data: str | Path | None = None,
    fetch: bool = True,
    listener: Listener = SILENT,
    asked: Asked = AS_IT_IS,
) -> Dataset:
    """A data set by name, or your own by its path (see own_data); a path that leads to the files of a published set,
    as torchvision lays them, is that set. `data`: the folder to look in; `fetch`: whether it may be downloaded;
    `asked`: the size and channels of your own.

    Raises InputError for an unknown name and a folder that is not there, DataError for broken files,
    `published.NotFound` where a set is not here.
    """
    if data is not None:
        existing(data, "data")
    if is_own(name):
        found = published.recognised(Path(name))
        if found is None:
            return own_data.load(name, asked)
        name, data = found[0].name, found[1]
    one_of("dataset", name, (*NAMES, "the path of your own"))
    refuse_asked(name, asked)
    return load_digits() if name == "digits" else load_published(SETS[name], data, fetch, listener)


def is_own(name: str) -> bool:
    """Whether a data set is named by its path."""
    return name not in NAMES and (Path(name).exists() or Path(name).name != name)


def refuse_asked(name: str, asked: Asked) -> None:
    """Raise InputError where another size or other channels are asked for than those of a data set of this package."""
    channels, *size = SETS[name].shape if name in SETS else (1, _SIDE, _SIDE)
    if asked.as_before or (asked.size in (None, tuple(size)) and asked.channels in (None, channels)):
        return
    shown = size_words(*asked.size) if asked.size else f"{asked.channels} channels"
    there = f"{channels} channel{'s' * (channels > 1)} of {size_words(*size)}"
    allowed = f"{there}, as {name} has it; another is for data of your own"
    raise InputError("size" if asked.size else "channels", shown, allowed)


def load_mnist(data: str | Path | None = None, fetch: bool = True, listener: Listener = SILENT) -> Dataset:
    """MNIST from where it lies, else fetched into the user's cache. Every file is checked against its digest."""
    return load_published(MNIST, data, fetch, listener)


def load_published(
    one: PublishedSet, data: str | Path | None = None, fetch: bool = True, listener: Listener = SILENT
) -> Dataset:
    """A published set from where it lies, else fetched into the user's cache; put right where it lies on its side or
    counts from 1. Every file is checked against the digest that is known of it.
    """
    paths = files_of(one, data, fetch, listener)
    arrays, known_by = published.read(one, paths)
    train, test = (_put_right(one, *arrays[at : at + 2]) for at in (0, 2))
    mean, std = one.normalised_by or channel_statistics(train[0])
    return Dataset(
        name=one.name,
        train_images=train[0],
        train_labels=train[1],
        test_images=test[0],
        test_labels=test[1],
        mean=mean,
        std=std,
        classes=one.classes,
        target_percent=one.target,
        source=str(paths[0].parent),
        reading=INK.get(one.name) or _as_pictures(one),
        known_by=known_by,
    )


def files_of(one: PublishedSet, data: str | Path | None, fetch: bool, listener: Listener) -> list[Path]:
    """Where the files of a set lie, fetched first where they are nowhere. Raises NotFound."""
    paths = published.find(one, data)
    if paths is None and data is not None:
        raise published.NotFound(str(data), published.lacking(one, data), "see: tinyproof data")
    if paths is None and not fetch:
        name = "" if one is MNIST else f"{one.name} "
        remedy = f"fetch it with: tinyproof data {name}--fetch"
        raise published.NotFound(one.title, "is in none of the places searched", remedy)
    return fetching.fetch(one, listener=listener) if paths is None else paths


def _as_pictures(one: PublishedSet) -> Reading:
    channels, height, width = one.shape
    return Reading(kind="pictures", channels=channels, height=height, width=width)


def _put_right(one: PublishedSet, images: Pixels, labels: Pixels) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [N, C, H, W] that stand upright, and labels from 0; of several numbers an image the first is its class."""
    upright = images.swapaxes(1, 2) if one.transposed else images
    first = labels[:, 0] if labels.ndim == 2 else labels
    whole = upright if upright.ndim == 4 else upright[:, None]
    return np.array(whole, np.uint8, order="C"), first.astype(np.int64) - one.first_label


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
    mean, std = channel_statistics(images[train][:, None])
    return Dataset(
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        mean=mean,
        std=std,
        classes=tuple("0123456789"),
        target_percent=TARGETS["digits"],
        source="scikit-learn, load_digits",
        reading=INK["digits"],
    )


def enlarge(images: NDArray[np.float64], size: int = _SIDE) -> NDArray[np.uint8]:
    """Square images [N, n, n] with values 0 to 255, enlarged bilinearly (pixel centres aligned, edges repeated)."""
    small = images.shape[1]
    centres = np.clip((np.arange(size) + 0.5) * small / size - 0.5, 0, small - 1)
    low = np.minimum(centres.astype(int), small - 2)
    weights = np.zeros((size, small))
    weights[np.arange(size), low] = 1 - (centres - low)
    weights[np.arange(size), low + 1] = centres - low
    return np.round(weights @ images @ weights.T).astype(np.uint8)
