"""Pictures read as a record says that those of training were: from files, folders and arrays, many at a time."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import existing, read_bounded
from tinyproof.core.workers import run_bounded
from tinyproof.data import digit_reader, idx, own_arrays, picture_reader
from tinyproof.data.arrays import load_arrays
from tinyproof.data.own_pictures import MAX_IMAGES, PICTURES
from tinyproof.data.reading import Reading, colour_words, size_words

Bytes = NDArray[np.uint8]
# So many pictures go to a worker at once; fewer altogether are read here.
_CHUNK = 64
# And so many values of small pictures are read together: what is made of them has to fit into a processor's cache.
_TOGETHER = 2**18
_ARRAYS = (".npy", ".npz")
# In a folder these are named too: each is refused with its remedy, and none is passed over without a word.
_NAMED = PICTURES | {".heic", ".heif", ".svg", ".avif", ".jfif"}
_NAMES = ("x", "images", "x_test", "test_images", "x_train", "train_images", "arr_0")


@dataclass(frozen=True, eq=False)
class Read:
    """A picture by its `name` as inputs [n, channels, height, width] (several for digits in a row) and how it was read;
    or why it was not (`problem`). `number`: its place among all.
    """

    name: str
    inputs: Bytes | None
    steps: tuple[str, ...] = ()
    problem: str = ""
    number: int = 0


@dataclass(frozen=True, eq=False)
class _Item:
    name: str
    pixels: Bytes | None
    reading: Reading
    number: int = 0


def read_file(path: Path, reading: Reading) -> Read:
    """A picture file. Raises DataError."""
    pixels, steps = picture_reader.read(path)
    return _made(pixels, reading, str(path), steps)


def _made(pixels: Bytes, reading: Reading, name: str, steps: list[str]) -> Read:
    if reading.kind == "ink":
        return _of_digits(name, digit_reader.digits_of(pixels, reading, name, steps))
    if reading.channels not in (1, 3):
        raise DataError(name, f"is a picture, and the network takes {reading.channels} channels")
    if (pixels.ndim == 3) != (reading.channels == 3):
        steps.append(f"made {colour_words(reading.channels)}")
    size = (reading.height, reading.width)
    kept = pixels.shape[:2] == size
    steps.append(f"{size_words(*size)}: kept as it is" if kept else f"fitted into {size_words(*size)}")
    pixels = picture_reader.fitted(picture_reader.with_channels(pixels, reading.channels), *size)
    if reading.inverted:
        pixels = 255 - pixels
        steps.append("inverted, as those of training were")
    made = np.moveaxis(pixels[..., None] if pixels.ndim == 2 else pixels, 2, 0)
    return Read(name, np.ascontiguousarray(made)[None], tuple(steps))


def _of_digits(name: str, digits: digit_reader.Digits, number: int = 0) -> Read:
    return Read(name, np.stack(digits.inputs)[:, None], digits.steps, number=number)


def read_many(sources: Sequence[Path], reading: Reading, processes: int | None = None) -> Iterator[list[Read]]:
    """The pictures of files, folders (with all folders in them) and arrays, in parts, in any order.

    What cannot be read has a `problem`; raises InputError and DataError where nothing is there, or it is too much.
    """
    items = list(_items(sources, reading))
    if not items:
        names = ", ".join(map(str, sources))
        raise DataError(names, "holds no picture", f"pictures end in {', '.join(sorted(PICTURES))}")
    chunks = [items[at : at + _CHUNK] for at in range(0, len(items), _CHUNK)]
    if len(chunks) == 1:
        yield _chunk(chunks[0])
        return
    for outcome in run_bounded(_chunk, chunks, processes=processes or os.cpu_count(), seconds=600):
        failed = (Read(item.name, None, (), outcome.problem, item.number) for item in chunks[outcome.index])
        yield outcome.value or list(failed)


def _chunk(items: Sequence[_Item]) -> list[Read]:
    """Each of some pictures; small ones of one size, in which digits are looked for, are read together."""
    found: list[Read] = []
    together: dict[tuple[int, ...], list[tuple[_Item, Bytes, list[str]]]] = {}
    for item in items:
        try:
            pixels, steps = picture_reader.read(Path(item.name)) if item.pixels is None else (item.pixels, [])
            if item.reading.kind == "ink" and pixels.size <= digit_reader.SMALL:
                together.setdefault(pixels.shape, []).append((item, pixels, steps))
                continue
            read = replace(_made(pixels, item.reading, item.name, steps), number=item.number)
        except TinyproofError as error:
            read = Read(item.name, None, (), _told(error), item.number)
        found.append(read)
    for shape, some in together.items():
        most = _TOGETHER // math.prod(shape)
        for at in range(0, len(some), most):
            found += _small(*zip(*some[at : at + most], strict=True))
    return sorted(found, key=lambda read: read.number)


def _small(items: Sequence[_Item], pixels: Sequence[Bytes], steps: Sequence[list[str]]) -> list[Read]:
    """Digits in pictures of one size."""
    digits = digit_reader.digits_of_each(np.stack(pixels), items[0].reading, steps)
    return [
        _of_digits(item.name, found, item.number)
        if found
        else Read(item.name, None, (), digit_reader.SHOWS_NOTHING, item.number)
        for item, found in zip(items, digits, strict=True)
    ]


def _told(error: TinyproofError) -> str:
    """Why a picture was not read."""
    if not isinstance(error, DataError):
        return str(error)
    return f"{error.problem}; {error.remedy}" if error.remedy else error.problem


def _items(sources: Sequence[Path], reading: Reading) -> Iterator[_Item]:
    count = 0
    for source in sources:
        for item in _of(existing(source, "picture"), reading):
            count += 1
            if count > MAX_IMAGES:
                raise InputError(
                    "picture", str(source), f"at most {MAX_IMAGES:,} pictures at once", problem="is too much"
                )
            yield replace(item, number=count)


def _of(source: Path, reading: Reading) -> Iterable[_Item]:
    if source.is_dir():
        return [_Item(str(file), None, reading) for file in _below(source)]
    if is_array(source):
        images = _array(source)
        return [_Item(f"{source}[{number}]", image, reading) for number, image in enumerate(images)]
    return [_Item(str(source), None, reading)]


def _below(folder: Path) -> list[Path]:
    """The pictures in a folder and the folders in it; those whose names begin with a dot are left aside."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, n) for n in sorted(files) if Path(n).suffix.lower() in _NAMED and not n.startswith(".")]
    return found


def is_array(path: Path) -> bool:
    """Whether a file's name says that it holds an array of pictures: .npy, .npz, IDX (gzipped or not)."""
    return path.suffix.lower() in _ARRAYS or "idx3" in path.name.lower()


def _array(path: Path) -> Any:
    """Images in bytes, [N, H, W] or [N, H, W, 3]. Raises DataError."""
    if "idx3" in path.name.lower():
        return idx.parse(idx.read_bytes(path, own_arrays.MAX_BYTES), str(path), 3)
    if path.suffix.lower() == ".npz":
        arrays = load_arrays(path, own_arrays.MAX_BYTES)
        name = next((name for name in _NAMES if name in arrays), None)
        if name is None:
            raise DataError(str(path), f"holds {', '.join(arrays) or 'nothing'} where images are expected: {_NAMES[0]}")
        found = arrays[name]
    else:
        found = _npy(path)
    if found.ndim == 2 or (found.ndim == 3 and found.shape[2] == 3):
        found = found[None]  # a single picture
    return own_arrays.checked(found, np.zeros(len(found), np.int64), str(path))[0]


def _npy(path: Path) -> NDArray[Any]:
    content = read_bounded(path, own_arrays.MAX_BYTES)
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # damaged bytes make numpy's reader of headers raise nearly anything
        raise DataError(str(path), "is not a whole .npy file of a plain array") from error
    if not isinstance(found, np.ndarray):
        raise DataError(str(path), "is not a .npy file of one array")
    return found
