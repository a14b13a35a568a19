"""A data set of your own: a folder of pictures by class, an .npz file, or IDX files. Grey, 28x28, background 0.

Everything is bounded and nothing is executed (no pickle); every refusal names the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import existing
from tinyproof.data import idx
from tinyproof.data.arrays import load_arrays
from tinyproof.data.dataset import NAMES, Dataset, stratified
from tinyproof.data.own_pictures import MAX_IMAGES, MAX_SIDE, Bytes, Labels, classes_of, fitted, pictures, pillow

MAX_BYTES = 1_000_000_000
# An answer is stored in one byte.
MAX_CLASSES = 256
_TRAIN_NAMES, _TEST_NAMES = ("train", "training"), ("test", "testing", "t10k", "val", "validation")
_TEST_SHARE, _SPLIT_SEED = 0.2, 20_260_101


@dataclass(frozen=True)
class _Parts:
    """Training and test images and labels (test: None where they are still to be split off), class names."""

    train: tuple[Bytes, Labels]
    test: tuple[Bytes, Labels] | None
    classes: tuple[str, ...]


def load(path: str | Path, size: int = 28, target: float | None = None) -> Dataset:
    """Read your own images and labels; where no test part is given a fifth of each class becomes one, always the same.

    - a folder: `train/CLASS/*.png` and `test/CLASS/*.png`, or only `CLASS/*.png`; or four IDX files in it;
    - an .npz file: `x_train`, `y_train`, `x_test`, `y_test` (or train_images, train_labels, ...; the test part may be
      left out): images [N, H, W] or [N, H, W, 3], whole numbers 0 to 255 or fractions 0 to 1; labels [N].

    Pictures are made grey, fitted into `size` x `size` and, where their border is bright, inverted: background is 0.
    Raises InputError, DataError, MissingDependency (Pillow).
    """
    path = existing(path, "data")
    parts = _npz(path, size) if path.suffix == ".npz" else _folder(path, size)
    if len(parts.classes) < 2:
        raise DataError(str(path), f"has {len(parts.classes)} class(es) where at least two are needed")
    (images, labels), test = parts.train, parts.test
    if test is None:
        count = max(1, round(len(labels) * _TEST_SHARE))
        if count >= len(labels):
            raise DataError(str(path), f"has {len(labels)} image(s): too few to keep some for testing")
        rows = stratified(labels, count, _SPLIT_SEED)
        rest = np.setdiff1d(np.arange(len(labels)), rows)
        test, images, labels = (images[rows], labels[rows]), images[rest], labels[rest]
    note = ""
    if _bright_border(images):
        images, test, note = 255 - images, (255 - test[0], test[1]), ", inverted (its border is bright)"
    pixels = images / 255.0
    return Dataset(
        name=name_of(path),
        train_images=images,
        train_labels=labels,
        test_images=test[0],
        test_labels=test[1],
        mean=float(round(pixels.mean(), 4)),
        std=max(float(round(pixels.std(), 4)), 1e-4),
        classes=parts.classes,
        target_percent=target,
        source=path.name + note,
    )


def name_of(path: str | Path) -> str:
    """What a data set of your own is called: as its file or folder, but never as one of ours.

    >>> name_of("images/leaves.npz"), name_of("images/mnist")
    ('leaves', 'mnist (own)')
    """
    name = Path(path).stem or "own"
    return f"{name} (own)" if name.lower() in NAMES else name


def _bright_border(images: Bytes) -> bool:
    edges = (images[:, 0, :], images[:, -1, :], images[:, :, 0], images[:, :, -1])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges]))) > 127


# ------------------------------------------------------------------ folders


def _folder(path: Path, size: int) -> _Parts:
    if not path.is_dir():
        raise InputError("data", str(path), "a folder of pictures by class, an .npz file, or a folder of IDX files")
    if any("idx" in file.name.lower() for file in path.iterdir() if file.is_file()):
        return _idx_folder(path, size)
    folders = {folder.name.lower(): folder for folder in path.iterdir() if folder.is_dir()}
    train = next((folders[name] for name in _TRAIN_NAMES if name in folders), None)
    test = next((folders[name] for name in _TEST_NAMES if name in folders), None)
    classes = classes_of(train or path)
    _few_enough(train or path, len(classes))
    read_train = pictures(train or path, classes, size)
    if train is None or test is None:
        return _Parts(read_train, None, classes)
    unknown = sorted(set(classes_of(test)) - set(classes))
    if unknown:
        raise DataError(str(test / unknown[0]), "is a class without training pictures")
    return _Parts(read_train, pictures(test, classes, size, all_classes=False), classes)


def _few_enough(where: str | Path, classes: int) -> None:
    if classes > MAX_CLASSES:
        raise DataError(str(where), f"has {classes:,} classes; at most {MAX_CLASSES} can be told apart here")


# ------------------------------------------------------------------ arrays


def _idx_folder(path: Path, size: int) -> _Parts:
    files = sorted(file for file in path.iterdir() if file.is_file() and "idx" in file.name.lower())
    train = _idx_pair(path, files, _TRAIN_NAMES, size)
    if train is None:
        raise DataError(str(path), "holds no training images and labels", "name them train-images-idx3-ubyte, ...")
    test = _idx_pair(path, files, _TEST_NAMES, size)
    highest = max(int(part[1].max()) for part in (train, test) if part is not None)
    return _Parts(train, test, tuple(map(str, range(highest + 1))))


def _idx_pair(path: Path, files: list[Path], names: Sequence[str], size: int) -> tuple[Bytes, Labels] | None:
    mine = [file for file in files if file.name.lower().startswith(tuple(names))]
    images = next((file for file in mine if "image" in file.name.lower()), None)
    labels = next((file for file in mine if "label" in file.name.lower()), None)
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there, lacking = (labels, "images") if images is None else (images, "labels")
        raise DataError(str(there), f"is there without the {lacking} that belong to it")
    read = idx.parse(idx.read_bytes(images, MAX_BYTES), str(images), 3)
    return _checked(read, idx.parse(idx.read_bytes(labels, MAX_BYTES), str(labels), 1), str(path), size)


def _npz(path: Path, size: int) -> _Parts:
    arrays = load_arrays(path, MAX_BYTES)
    train = _npz_pair(path, arrays, ("x_train", "train_images"), ("y_train", "train_labels"), size)
    if train is None:
        found = ", ".join(arrays) or "nothing"
        raise DataError(str(path), f"holds {found} where x_train and y_train are expected (x_test and y_test too)")
    test = _npz_pair(path, arrays, ("x_test", "test_images"), ("y_test", "test_labels"), size)
    highest = max(int(part[1].max()) for part in (train, test) if part is not None)
    return _Parts(train, test, tuple(map(str, range(highest + 1))))


def _npz_pair(
    path: Path, arrays: dict[str, NDArray[Any]], images: Sequence[str], labels: Sequence[str], size: int
) -> tuple[Bytes, Labels] | None:
    x = next((arrays[name] for name in images if name in arrays), None)
    y = next((arrays[name] for name in labels if name in arrays), None)
    if x is None and y is None:
        return None
    if x is None or y is None:
        found = ", ".join(arrays)
        raise DataError(str(path), f"holds {found} where {images[0]} and {labels[0]} are expected together")
    return _checked(x, y, str(path), size)


def _checked(images: NDArray[Any], labels: NDArray[Any], where: str, size: int) -> tuple[Bytes, Labels]:
    if images.dtype.kind not in "iuf":
        raise DataError(where, f"has pixels of type {images.dtype}; allowed: numbers")
    if images.ndim == 4 and images.shape[3] in (1, 3):
        # ITU-R BT.601 luma, what Pillow's "L" is too.
        images = images @ np.array([0.299, 0.587, 0.114]) if images.shape[3] == 3 else images[:, :, :, 0]
    if images.ndim != 3 or not len(images) or len(images) > MAX_IMAGES or max(images.shape[1:]) > MAX_SIDE:
        raise DataError(where, f"has images of shape {list(images.shape)} where [N, height, width] is expected")
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise DataError(
            where, f"has labels {labels.dtype} {list(labels.shape)} for {len(images):,} images; whole numbers, one each"
        )
    if labels.min() < 0:
        raise DataError(where, f"has labels from {labels.min()} to {labels.max()}; they begin at 0")
    _few_enough(where, int(labels.max()) + 1)
    grey = _as_bytes(images, where)
    if grey.shape[1:] != (size, size):
        module = pillow()
        grey = np.stack([fitted(module, module.fromarray(image), size) for image in grey])
    return grey, labels.astype(np.int64)


def _as_bytes(images: NDArray[Any], where: str) -> Bytes:
    if images.dtype == np.uint8:
        return images.copy()
    if not np.isfinite(images).all():
        raise DataError(where, "has pixels that are not finite numbers")
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 255:
        raise DataError(where, f"has pixels from {low:g} to {high:g}; allowed: 0 to 255, or fractions from 0 to 1")
    scaled = images * 255.0 if images.dtype.kind == "f" and high <= 1 else images
    return np.asarray(np.rint(scaled), dtype=np.uint8)
