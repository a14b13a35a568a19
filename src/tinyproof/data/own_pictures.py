"""Pictures in folders named by class: which files there are, of what sizes, and all of them as one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, MissingDependency
from tinyproof.data import picture_reader
from tinyproof.data.picture_reader import Header, fitted, with_channels

MAX_IMAGES = 500_000
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
# So many bytes of pixels are kept at most.
_MOST_BYTES = 8_000_000_000

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass
class Files:
    """The pictures below some class folders with their labels and headers; what was left out, by file, and why."""

    found: list[tuple[Path, int]] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    left_out: dict[Path, str] = field(default_factory=dict)


def classes_of(folder: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, in order: each is a class. Raises DataError for two that differ in case."""
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            problem = f"has the classes {twin} and {name}, which differ only in case: many systems see one folder"
            raise DataError(str(folder), problem, "name one of them otherwise")
    return tuple(names)


def files_of(folder: Path, classes: Sequence[str], skip_bad: bool, all_classes: bool = True) -> Files:
    """The pictures of a folder's class folders. `all_classes`: each class must have some.

    Raises DataError that names the folder or the first file that cannot be read, and counts the others.
    """
    listed = [(file, label) for label, name in enumerate(classes) for file in _listed(folder / name)]
    kinds = f"pictures end in {', '.join(sorted(PICTURES))}"
    if not listed:
        raise DataError(str(folder), "holds no pictures in folders named by class", kinds)
    if len(listed) > MAX_IMAGES:
        raise DataError(str(folder), f"holds more than {MAX_IMAGES:,} pictures")
    files = Files()
    for file, label in listed:
        try:
            seen = picture_reader.header(file)
        except MissingDependency:
            raise
        except DataError as error:
            files.left_out[file] = error.problem
            continue
        files.found.append((file, label))
        files.headers.append(seen)
    refuse_bad(folder, files.left_out, skip_bad)
    empty = sorted(set(range(len(classes))) - {label for _, label in files.found})
    if all_classes and empty:
        raise DataError(str(folder / classes[empty[0]]), "is a class folder without a picture", kinds)
    return files


def refuse_bad(folder: Path, bad: dict[Path, str], skip_bad: bool) -> None:
    """Raise DataError that names the first file that cannot be read and counts all, unless they may be left out."""
    if bad and not skip_bad:
        first = next(iter(bad))
        others = f" (and {len(bad) - 1:,} more in {folder} cannot be read)" if len(bad) > 1 else ""
        raise DataError(str(first), bad[first] + others, "mend or remove them, or go on without them: --skip-bad")


def read_all(folder: Path, files: Files, shape: tuple[int, int], channels: int | None, skip_bad: bool) -> Bytes:
    """All pictures of the files fitted into `shape`, [N, H, W, channels]; in colour where any of them shows some.

    Files whose pixels turn out to be damaged are refused, or taken out of `files`.
    """
    deep = channels or (3 if any(seen.coloured for seen in files.headers) else 1)
    if len(files.found) * shape[0] * shape[1] * deep > _MOST_BYTES:
        raise DataError(
            str(folder), f"would need more than {_MOST_BYTES:,} bytes in memory", "ask for a smaller --size"
        )
    out = np.empty((len(files.found), *shape, deep), np.uint8)
    good = []
    for row, (file, _) in enumerate(files.found):
        try:
            pixels = with_channels(picture_reader.read(file)[0], deep)
        except DataError as error:
            files.left_out[file] = error.problem
            continue
        out[row] = fitted(pixels, *shape).reshape(out.shape[1:])
        good.append(row)
    refuse_bad(folder, files.left_out, skip_bad)
    if len(good) < len(files.found):
        out, files.found, files.headers = out[good], [files.found[r] for r in good], [files.headers[r] for r in good]
    return out


def read_as_before(files: Files) -> Bytes:
    """All pictures as earlier versions read them: [N, 28, 28, 1]."""
    pictures = [fitted(picture_reader.read_as_before(file), 28, 28) for file, _ in files.found]
    return np.stack(pictures)[..., None]


def _listed(folder: Path) -> list[Path]:
    found: Any = folder.iterdir() if folder.is_dir() else ()
    return sorted(file for file in found if file.suffix.lower() in PICTURES)
