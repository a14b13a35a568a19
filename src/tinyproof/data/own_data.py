"""A data set of your own: a folder of pictures by class, an .npz file, IDX files or CSV; any size, grey or colour.

Everything is bounded and nothing is executed (no pickle); every refusal names the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import existing
from tinyproof.data import own_arrays, own_pictures
from tinyproof.data.as_prepared import as_ink
from tinyproof.data.dataset import NAMES, Dataset, channel_statistics, stratified
from tinyproof.data.own_arrays import TEST_NAMES, TRAIN_NAMES, Raw
from tinyproof.data.own_pictures import Bytes, Files, Labels
from tinyproof.data.picture_reader import fitted, shows_colour, with_channels
from tinyproof.data.reading import (
    AS_IT_IS,
    LEAST_SIDE,
    MOST_SIDE,
    UNASKED_SIDE,
    Asked,
    Reading,
    colour_words,
    size_words,
)

MAX_CLASSES = 1000
_TEST_SHARE, _SPLIT_SEED = 0.2, 20_260_101
_LUMA = np.array([0.299, 0.587, 0.114])
_KINDS = "a folder of pictures by class, an .npz file, a .csv file, or a folder of IDX or CSV files"


@dataclass(frozen=True, eq=False)
class _Parts:
    """Images [N, H, W, channels] and labels of both parts (test: None where they are still to be split off), class
    names, the sizes of the pictures before, and files that were left out.
    """

    train: tuple[Bytes, Labels]
    test: tuple[Bytes, Labels] | None
    classes: tuple[str, ...]
    sizes: set[tuple[int, int]]
    left_out: int = 0


def load(path: str | Path, asked: Asked = AS_IT_IS, target: float | None = None) -> Dataset:
    """Read your own images and labels; where no test part is given a fifth of each class becomes one, always the same.

    - a folder: `train/CLASS/*.png` and `test/CLASS/*.png`, or only `CLASS/*.png`; or IDX or CSV files in it;
    - an .npz file: `x_train`, `y_train`, `x_test`, `y_test` (or train_images, train_labels, ...; the test part may be
      left out): images [N, H, W], [N, H, W, 3], [N, 3, H, W] or in rows [N, pixels], whole numbers 0 to 255 or
      fractions 0 to 1; labels [N], or one-hot [N, classes].

    Pictures keep their size where all have one from 8 to 128 pixels a side, else they are fitted into the median size,
    of at most 64; they are colour where any of them shows colour. `asked` decides otherwise. Grey pictures whose border
    is bright are inverted: background is 0. Raises InputError, DataError, MissingDependency (Pillow).
    """
    path = existing(path, "data")
    parts = _read(path, asked)
    if len(parts.classes) < 2:
        raise DataError(str(path), f"has {len(parts.classes)} class(es) where at least two are needed")
    if not asked.as_before and parts.test is None:
        _two_of_each(path, parts)
    (images, labels), test = parts.train, parts.test
    if test is None:
        (images, labels), test = _split(path, images, labels)
    images, tests = (np.require(np.moveaxis(part, 3, 1), requirements=["C", "W"]) for part in (images, test[0]))
    inverted = images.shape[1] == 1 and _bright_border(images)
    if inverted:
        images, tests = 255 - images, 255 - tests
    mean, std = channel_statistics(images)
    reading = as_ink(_reading(parts, images, len(images) + len(tests), inverted, asked), images, tests)
    return Dataset(
        name=name_of(path),
        train_images=images,
        train_labels=labels,
        test_images=tests,
        test_labels=test[1],
        mean=mean,
        std=std,
        classes=parts.classes,
        target_percent=target,
        source=path.name,
        reading=reading,
    )


def name_of(path: str | Path) -> str:
    """What a data set of your own is called: as its file or folder, but never as one of ours.

    >>> name_of("images/leaves.npz"), name_of("images/mnist")
    ('leaves', 'mnist (own)')
    """
    name = Path(path).stem or "own"
    return f"{name} (own)" if name.lower() in NAMES else name


def _read(path: Path, asked: Asked) -> _Parts:
    if path.is_file():
        if path.suffix.lower() == ".csv":
            return _arrays(path, own_arrays.from_csv(path, asked.size), asked)
        if path.suffix.lower() == ".npz":
            return _arrays(path, own_arrays.from_npz(path, asked.size), asked)
        raise InputError("data", str(path), _KINDS)
    files = [file.name.lower() for file in path.iterdir() if file.is_file()]
    if any("idx" in name for name in files):
        return _arrays(path, own_arrays.from_idx(path), asked)
    tables = {name[:-4]: path / name for name in files if name.endswith(".csv")}
    if own_arrays.called(tables, TRAIN_NAMES):
        return _arrays(path, own_arrays.from_csv(path, asked.size), asked)
    return _folders(path, asked)


def _few_enough(where: Path, classes: int) -> None:
    if classes > MAX_CLASSES:
        raise DataError(str(where), f"has {classes:,} classes; at most {MAX_CLASSES:,} can be told apart here")


def _two_of_each(path: Path, parts: _Parts) -> None:
    """Refuse a class of a single image, where a part of each is to be set aside for testing."""
    alone = np.flatnonzero(np.bincount(parts.train[1]) == 1)
    if len(alone):
        problem = f"has one image of class {parts.classes[alone[0]]}, which cannot be trained on and tested too"
        raise DataError(str(path), problem, "add pictures of it, or give a test part")


def _split(path: Path, images: Bytes, labels: Labels) -> tuple[tuple[Bytes, Labels], tuple[Bytes, Labels]]:
    count = max(1, round(len(labels) * _TEST_SHARE))
    if count >= len(labels):
        raise DataError(str(path), f"has {len(labels)} image(s): too few to keep some for testing")
    rows = stratified(labels, count, _SPLIT_SEED)
    rest = np.setdiff1d(np.arange(len(labels)), rows)
    return (images[rest], labels[rest]), (images[rows], labels[rows])


def _bright_border(images: Bytes) -> bool:
    edges = (images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges]))) > 127


def _size(sizes: Sequence[tuple[int, int]], asked: Asked) -> tuple[int, int]:
    """Height and width that all pictures get: their own, or the median of them, of at most 64 where nobody asked."""
    if asked.size is not None:
        return asked.size
    if len(set(sizes)) == 1 and min(sizes[0]) >= LEAST_SIDE and max(sizes[0]) <= MOST_SIDE:
        return sizes[0]
    height, width = (float(np.median([size[side] for size in sizes])) for side in (0, 1))
    shrink = min(1.0, UNASKED_SIDE / max(height, width))
    return max(LEAST_SIDE, round(height * shrink)), max(LEAST_SIDE, round(width * shrink))


def _reading(parts: _Parts, images: Bytes, count: int, inverted: bool, asked: Asked) -> Reading:
    """What was done with the pictures, as data and in one line."""
    channels, height, width = images.shape[1:]
    said = f"{count:,} pictures, {size_words(height, width)} {colour_words(channels)}"
    if parts.sizes == {(height, width)}:
        done = ["kept as they are"] if not inverted and asked.channels is None else []
    else:
        sides = [f"{min(s)} to {max(s)}" if min(s) < max(s) else f"{min(s)}" for s in zip(*parts.sizes, strict=True)]
        done = [f"fitted from {sides[0]} pixels high and {sides[1]} wide, proportions kept"]
    done += [f"made {colour_words(channels)} as asked"] if asked.channels is not None else []
    done += ["inverted (their border is bright)"] if inverted else []
    done += [f"{parts.left_out:,} left out that cannot be read"] if parts.left_out else []
    return Reading(
        kind="pictures", channels=channels, height=height, width=width, inverted=inverted, left_out=parts.left_out,
        words=f"{said}, {', '.join(done)}",
    )  # fmt: skip


# ------------------------------------------------------------------ folders


def _folders(path: Path, asked: Asked) -> _Parts:
    folders = {folder.name.lower(): folder for folder in path.iterdir() if folder.is_dir()}
    train = next((folders[name] for name in TRAIN_NAMES if name in folders), None)
    test = next((folders[name] for name in TEST_NAMES if name in folders), None)
    place = train or path
    classes = own_pictures.classes_of(place)
    _few_enough(place, len(classes))
    files = [own_pictures.files_of(place, classes, asked.skip_bad)]
    if train is not None and test is not None:
        unknown = sorted(set(own_pictures.classes_of(test)) - set(classes))
        if unknown:
            raise DataError(str(test / unknown[0]), "is a class without training pictures", _near(unknown[0], classes))
        files.append(own_pictures.files_of(test, classes, asked.skip_bad, all_classes=False))
    images = _pictures(place, files, asked)
    labels = [np.array([label for _, label in part.found], np.int64) for part in files]
    pairs = list(zip(images, labels, strict=True))
    sizes = {(seen.height, seen.width) for part in files for seen in part.headers}
    return _Parts(
        pairs[0], pairs[1] if len(pairs) > 1 else None, classes, sizes, sum(len(part.left_out) for part in files)
    )


def _pictures(place: Path, files: Sequence[Files], asked: Asked) -> list[Bytes]:
    """The pictures of both parts in one size, and in colour where a picture of either shows some."""
    if asked.as_before:
        return [own_pictures.read_as_before(part) for part in files]
    size = _size([(seen.height, seen.width) for seen in files[0].headers], asked)
    read = [own_pictures.read_all(place, part, size, asked.channels, asked.skip_bad) for part in files]
    if asked.channels is not None:
        return read
    colour = any(part.shape[3] == 3 and shows_colour(part) for part in read)
    if not colour:
        return [np.ascontiguousarray(part[..., :1]) for part in read]
    return [part if part.shape[3] == 3 else np.repeat(part, 3, -1) for part in read]


def _near(name: str, classes: Sequence[str]) -> str:
    twin = next((one for one in classes if one.casefold() == name.casefold()), None)
    return f"the training folder is called {twin}" if twin else ""


# ------------------------------------------------------------------ arrays


def _arrays(path: Path, raw: Raw, asked: Asked) -> _Parts:
    pairs = [raw.train, *([raw.test] if raw.test is not None else [])]
    classes, labels = _labels(path, [pair[1] for pair in pairs], raw.names)
    _few_enough(path, len(classes))
    found = [pair[0] for pair in pairs]
    size = _size([found[0].shape[1:3]], asked)
    colour = any(images.ndim == 4 and shows_colour(images) for images in found)
    channels = asked.channels or (3 if colour else 1)
    images = [_fitted(_before(part) if asked.as_before else with_channels(part, channels), size) for part in found]
    done = list(zip(images, labels, strict=True))
    return _Parts(done[0], done[1] if len(done) > 1 else None, classes, {part.shape[1:3] for part in found})


def _before(images: Bytes) -> Bytes:
    """Grey as earlier versions made it of arrays."""
    return np.rint(images @ _LUMA).astype(np.uint8) if images.ndim == 4 else images


def _fitted(images: Bytes, size: tuple[int, int]) -> Bytes:
    """[N, H, W, channels] of that size; one that is too large or small is fitted image by image."""
    if images.shape[1:3] != size:
        images = np.stack([fitted(image, *size) for image in images])
    return images if images.ndim == 4 else images[..., None]


def _labels(path: Path, labels: Sequence[Labels], names: tuple[str, ...]) -> tuple[tuple[str, ...], list[Labels]]:
    """Class names, and labels as their numbers; words are numbered in their order."""
    if any(part.dtype.kind == "U" for part in labels):
        words = sorted({str(word) for part in labels for word in part})
        place = {word: number for number, word in enumerate(words)}
        return tuple(words), [np.array([place[str(word)] for word in part], np.int64) for part in labels]
    highest = max(int(part.max()) for part in labels)
    if names and len(names) <= highest:
        raise DataError(str(path), f"names {len(names)} classes and has labels up to {highest}")
    _few_enough(path, highest + 1)
    return names or tuple(map(str, range(highest + 1))), [part.astype(np.int64) for part in labels]
