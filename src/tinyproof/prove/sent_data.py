"""A data set as it is sent to another machine: plain arrays and a line of JSON in an .npz file, without pickle."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core.errors import DataError
from tinyproof.core.plain_data import parse_json
from tinyproof.core.plain_records import from_plain, to_plain
from tinyproof.data.arrays import load_arrays
from tinyproof.data.dataset import Dataset
from tinyproof.data.reading import Reading

_ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
# Quick, and images become a fifth already.
_LEVEL = 1


def to_bytes(dataset: Dataset) -> bytes:
    """All of a data set; equal data sets give equal bytes."""
    told = {
        "name": dataset.name, "mean": dataset.mean, "std": dataset.std, "classes": dataset.classes,
        "target_percent": dataset.target_percent, "source": dataset.source, "held_out": dataset.held_out,
        "reading": to_plain(dataset.reading), "known_by": dataset.known_by,
    }  # fmt: skip
    text = np.frombuffer(json.dumps(told, sort_keys=True).encode(), np.uint8)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name, array in {"told": text, **{name: getattr(dataset, name) for name in _ARRAYS}}.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED, _LEVEL)
    return held.getvalue()


@functools.lru_cache(maxsize=2)
def read(path: str) -> Dataset:
    """The data set of a file that `to_bytes` gave; read once a process. Raises DataError."""
    arrays = load_arrays(Path(path))
    try:
        told = parse_json(arrays.pop("told").tobytes(), path)
        reading = None if told["reading"] is None else from_plain(Reading, told["reading"])
        for name in ("mean", "std", "classes"):
            told[name] = tuple(told[name]) if isinstance(told[name], list) else told[name]
        held: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        return Dataset(**{**told, **held, "reading": reading})
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(path, "is no data set that was sent") from error
