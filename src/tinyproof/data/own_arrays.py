"""Images and labels of your own as arrays: .npz, IDX files, CSV. Bounded, no pickle; every refusal names the file."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.files import read_bounded
from tinyproof.data import idx
from tinyproof.data.arrays import load_arrays
from tinyproof.data.own_pictures import MAX_IMAGES

MAX_BYTES = 1_000_000_000
MAX_SIDE = 4096
TRAIN_NAMES, TEST_NAMES = ("train", "training"), ("test", "testing", "t10k", "val", "validation")
# How images and labels are called in an .npz file, before or after the name of their part.
_NPZ = (("x", "images", "image", "data"), ("y", "labels", "label", "targets", "target"))
_CLASS_NAMES = ("classes", "class_names", "label_names")
_LABEL_COLUMNS = ("label", "class", "target", "y")

Pixels = NDArray[Any]
Pair = tuple[Pixels, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Raw:
    """Training and test images, [N, H, W] or [N, H, W, 3] in bytes, and labels as they were found; class names where
    the file gives them. The test part is None where there is none.
    """

    train: Pair
    test: Pair | None
    names: tuple[str, ...] = ()


def from_npz(path: Path, size: tuple[int, int] | None = None) -> Raw:
    """`x_train`, `y_train`, and `x_test`, `y_test` where they are there, under the names that people give them, in any
    case; or one pair (`images`, `labels`), or two to four arrays without names. `size`: of rows that are not square.
    """
    arrays = {name.lower(): array for name, array in load_arrays(path, MAX_BYTES).items()}
    arrays = _without_names(arrays)
    train = _npz_pair(path, arrays, "train", size) or _npz_pair(path, arrays, "", size)
    if train is None:
        found = ", ".join(arrays) or "nothing"
        raise DataError(str(path), f"holds {found} where x_train and y_train are expected (x_test and y_test too)")
    test = _npz_pair(path, arrays, "test", size)
    named = next((arrays[name] for name in _CLASS_NAMES if name in arrays), np.zeros(0))
    return Raw(train, test, tuple(map(str, named.ravel())) if named.dtype.kind == "U" else ())


def _without_names(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """`arr_0`, `arr_1`, ... as numpy writes arrays without a name: what has more pixels than labels is images; the
    images in their order, and the labels in theirs, are those of training and test."""
    if not arrays or set(arrays) != {f"arr_{place}" for place in range(len(arrays))}:
        return arrays
    images = [array for array in arrays.values() if array.ndim > 2 or (array.ndim == 2 and not _one_hot(array))]
    labels = [array for array in arrays.values() if not any(array is one for one in images)]
    if len(images) != len(labels) or len(images) > 2:
        return arrays
    names = [f"{kind}_{part}" for kind in "xy" for part in ("train", "test")[: len(images)]]
    return dict(zip(names, [*images, *labels], strict=True))


def _npz_pair(path: Path, arrays: dict[str, NDArray[Any]], part: str, size: tuple[int, int] | None) -> Pair | None:
    """The images and labels of a part, "" where they are not called after one."""
    called = [[name.strip("_") for kind in kinds for name in (f"{kind}_{part}", f"{part}_{kind}")] for kinds in _NPZ]
    x, y = (next((arrays[name] for name in names if name in arrays), None) for names in called)
    if x is None and y is None:
        return None
    if x is None or y is None:
        found = ", ".join(arrays)
        raise DataError(str(path), f"holds {found} where {called[0][0]} and {called[1][0]} are expected together")
    return checked(_unrolled(x, size), y, str(path))


def _unrolled(images: NDArray[Any], size: tuple[int, int] | None) -> NDArray[Any]:
    """Pictures that lie in rows [N, pixels]: square, of the size that is asked for, or in three channels one by one."""
    if images.ndim != 2:
        return images
    many = images.shape[1]
    if size and size[0] * size[1] == many:
        return images.reshape(-1, *size)
    side, colour = math.isqrt(many), math.isqrt(many // 3)
    if side > 1 and side * side == many:
        return images.reshape(-1, side, side)
    return images.reshape(-1, 3, colour, colour) if colour > 1 and 3 * colour * colour == many else images


def from_idx(path: Path) -> Raw:
    """The four IDX files in a folder; those of the test part may be missing."""
    files = sorted(file for file in path.iterdir() if file.is_file() and "idx" in file.name.lower())
    train = _idx_pair(path, files, TRAIN_NAMES)
    if train is None:
        raise DataError(str(path), "holds no training images and labels", "name them train-images-idx3-ubyte, ...")
    return Raw(train, _idx_pair(path, files, TEST_NAMES))


def _idx_pair(path: Path, files: list[Path], names: Sequence[str]) -> Pair | None:
    mine = [file for file in files if file.name.lower().startswith(tuple(names))]
    images = next((file for file in mine if "image" in file.name.lower()), None)
    labels = next((file for file in mine if "label" in file.name.lower()), None)
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there, lacking = (labels, "images") if images is None else (images, "labels")
        raise DataError(str(there), f"is there without the {lacking} that belong to it")
    read = idx.parse(idx.read_bytes(images, MAX_BYTES), str(images), 3)
    return checked(read, idx.parse(idx.read_bytes(labels, MAX_BYTES), str(labels), 1), str(path))


def from_csv(path: Path, size: tuple[int, int] | None) -> Raw:
    """A file, or a folder with train.csv and test.csv: a row a picture, a column of labels, then the grey values.

    `size`: height and width of the pictures where they are not square. A test file without labels is left aside.
    """
    if path.is_file():
        return Raw(_csv_pair(path, size, labelled=True), None)
    there = {file.stem.lower(): file for file in path.iterdir() if file.suffix.lower() == ".csv"}
    train, test = called(there, TRAIN_NAMES), called(there, TEST_NAMES)
    if train is None:
        raise DataError(str(path), f"holds {', '.join(sorted(there))} where train.csv is expected")
    pair = _csv_pair(train, size, labelled=True)
    assert pair is not None
    return Raw(pair, _csv_pair(test, size, labelled=False) if test is not None else None)


def called(there: Mapping[str, Path], names: Sequence[str]) -> Path | None:
    """The file that is called by one of the names, or ends in one: `train`, `mnist_train`, `fashion-mnist_train`."""
    ends = tuple(f"{line}{name}" for name in names for line in "_-")
    exact = next((there[name] for name in names if name in there), None)
    return exact or next((file for stem, file in sorted(there.items()) if stem.endswith(ends)), None)


def _csv_pair(path: Path, size: tuple[int, int] | None, labelled: bool) -> Any:
    """Images and labels of one CSV file; None for a file of pictures alone, where labels need not be there."""
    text = read_bounded(path, MAX_BYTES).decode("utf-8-sig", errors="replace")
    first = [cell.strip().strip('"').lower() for cell in text.partition("\n")[0].split(",")]
    header = not all(_is_number(cell) for cell in first[1:])
    column = next((first.index(name) for name in _LABEL_COLUMNS if name in first), None)
    if header and column is None and not labelled:
        return None
    column = column or 0
    pixels = [place for place in range(len(first)) if place != column]
    try:
        values = np.loadtxt(io.StringIO(text), np.float32, delimiter=",", skiprows=int(header), usecols=pixels, ndmin=2)
        labels = np.loadtxt(
            io.StringIO(text), str, delimiter=",", skiprows=int(header), usecols=[column], ndmin=1, quotechar='"'
        )
    except (ValueError, IndexError) as error:
        raise DataError(str(path), "is no table of labels and grey values, as many in each row") from error
    height, width = size if size and size[0] * size[1] == len(pixels) else (int(len(pixels) ** 0.5),) * 2
    if height * width != len(pixels) or not len(pixels):
        problem = f"has {len(pixels):,} grey values in a row, which is no square picture"
        raise DataError(str(path), problem, "give height and width, for example --size 24x32")
    numbers = labels.astype(np.int64) if all(label.lstrip("-").isdigit() for label in labels) else labels
    return checked(values.reshape(-1, height, width), numbers, str(path))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def checked(images: NDArray[Any], labels: NDArray[Any], where: str) -> Pair:
    """Bytes [N, H, W] or [N, H, W, 3], and one label an image: a whole number from 0, or a word. Raises DataError."""
    if images.dtype.kind not in "iuf":
        raise DataError(where, f"has pixels of type {images.dtype}; allowed: numbers")
    if images.ndim == 4 and images.shape[3] not in (1, 3) and images.shape[1] in (1, 3):
        images = np.moveaxis(images, 1, 3)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    fits = images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)
    if not fits or not len(images) or len(images) > MAX_IMAGES or min(images.shape[1:3]) < 2:
        expected = "[N, height, width], [N, height, width, 3] or [N, 3, height, width]"
        raise DataError(where, f"has images of shape {list(images.shape)} where {expected} is expected")
    if max(images.shape[1:3]) > MAX_SIDE:
        raise DataError(where, f"has images of shape {list(images.shape)}; at most {MAX_SIDE} pixels a side are read")
    labels = _one_each(labels)
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iuU":
        shape = f"labels {labels.dtype} {list(labels.shape)} for {len(images):,} images"
        raise DataError(where, f"has {shape}; whole numbers, one each")
    if labels.dtype.kind != "U" and labels.min() < 0:
        raise DataError(where, f"has labels from {labels.min()} to {labels.max()}; they begin at 0")
    return _as_bytes(images, where), labels


def _one_each(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels [N] from a column, from one-hot rows [N, classes], from whole numbers that are written as fractions."""
    if labels.ndim == 2 and _one_hot(labels):
        return np.asarray(labels.argmax(1))
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if labels.dtype.kind == "f" and labels.ndim == 1 and np.isfinite(labels).all() and (labels % 1 == 0).all():
        return labels.astype(np.int64)
    return labels


def _one_hot(labels: NDArray[Any]) -> bool:
    """Whether each row has a single one among noughts, in two columns or more."""
    if labels.ndim != 2 or labels.shape[1] < 2 or labels.dtype.kind not in "iufb":
        return False
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(1, dtype=np.float64) == 1).all())


def _as_bytes(images: NDArray[Any], where: str) -> Pixels:
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if not np.isfinite(images).all():
        raise DataError(where, "has pixels that are not finite numbers")
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 255:
        raise DataError(where, f"has pixels from {low:g} to {high:g}; allowed: 0 to 255, or fractions from 0 to 1")
    scaled = images * 255.0 if images.dtype.kind == "f" and high <= 1 else images
    return np.ascontiguousarray(np.rint(scaled), dtype=np.uint8)
