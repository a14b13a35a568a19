"""Pictures in folders named by class, made grey and fitted into a square: for own_data. Bounded, nothing executed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, MissingDependency
from tinyproof.core.files import read_bounded

MAX_IMAGES = 500_000
MAX_SIDE = 4096
_MAX_PICTURE_BYTES = 20_000_000
_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm"}

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]


def classes_of(folder: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, in order: each is a class."""
    return tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")))


def pictures(folder: Path, classes: Sequence[str], size: int, all_classes: bool = True) -> tuple[Bytes, Labels]:
    """All pictures of a folder's class folders, with their labels. `all_classes`: each class must have some.

    Raises DataError that names the folder or the file, MissingDependency (Pillow).
    """
    files = [(file, label) for label, name in enumerate(classes) for file in _files(folder / name)]
    kinds = f"pictures end in {', '.join(sorted(_PICTURES))}"
    if not files:
        raise DataError(str(folder), "holds no pictures in folders named by class", kinds)
    if len(files) > MAX_IMAGES:
        raise DataError(str(folder), f"holds more than {MAX_IMAGES:,} pictures")
    labels = np.array([label for _, label in files], np.int64)
    empty = sorted(set(range(len(classes))) - set(labels.tolist()))
    if all_classes and empty:
        raise DataError(str(folder / classes[empty[0]]), "is a class folder without a picture", kinds)
    return np.stack([_picture(file, size) for file, _ in files]), labels


def _files(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(file for file in found if file.suffix.lower() in _PICTURES)


def _picture(file: Path, size: int) -> Bytes:
    module = pillow()
    content = read_bounded(file, _MAX_PICTURE_BYTES)
    try:
        with module.open(io.BytesIO(content)) as picture:
            if max(picture.size) > MAX_SIDE:
                raise DataError(
                    str(file), f"has {picture.size[0]} x {picture.size[1]} pixels; at most {MAX_SIDE} a side"
                )
            return fitted(module, picture.convert("L"), size)
    except DataError:
        raise
    except Exception as error:  # Pillow raises whatever a damaged file makes it stumble over
        raise DataError(str(file), "is not a picture that can be read (damaged, or another format)") from error


def fitted(module: Any, grey: Any, size: int) -> Bytes:
    """Scaled to fit, proportions kept, centred on its own border's value."""
    if grey.size != (size, size):
        scale = size / max(grey.size)
        inner = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        edge = np.asarray(grey)
        border = int(np.median(np.concatenate([edge[0], edge[-1], edge[:, 0], edge[:, -1]])))
        canvas = module.new("L", (size, size), border)
        canvas.paste(grey.resize(inner, module.Resampling.BICUBIC), ((size - inner[0]) // 2, (size - inner[1]) // 2))
        grey = canvas
    return np.asarray(grey, dtype=np.uint8).copy()


def pillow() -> Any:
    """Pillow's Image module. Raises MissingDependency."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependency("pillow", "reading pictures", "train") from error
    return Image
