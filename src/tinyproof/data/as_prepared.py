"""Pictures that are already prepared as MNIST's: they are taken as they are, whoever reads them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinyproof.data.reading import Reading

Grey = NDArray[np.uint8]
# Of the side of MNIST's pictures.
_BOX = 20 / 28


def prepared(pictures: Grey, reading: Reading) -> NDArray[np.bool_]:
    """Which of the pictures [N, H, W] are as MNIST's are: of that size, light ink on an empty ground, the ink as large
    as the box and, where the box is smaller than the picture, with its centre of mass in the middle.
    """
    if pictures.shape[1:] != (reading.height, reading.width):
        return np.zeros(len(pictures), bool)
    empty: NDArray[np.bool_] = (pictures == 0).mean((1, 2)) > 0.1
    if not empty.any():
        return empty
    edges = [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]]
    empty &= np.median(np.concatenate(edges, 1), 1) < 64
    longest = np.maximum(*(_length(pictures.max(axis) > 0) for axis in (1, 2)))
    found = empty & (longest <= reading.box) & (longest >= 0.95 * reading.box)
    if reading.box < min(reading.height, reading.width):
        found &= _in_the_middle(pictures)
    return found


def _length(there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """From the first to the last of those that are there, of each row."""
    found: NDArray[np.int64] = there.shape[1] - there.argmax(1) - there[:, ::-1].argmax(1)
    return np.where(there.any(1), found, 0)


def _in_the_middle(pictures: Grey) -> NDArray[np.bool_]:
    near = np.ones(len(pictures), bool)
    for axis in (1, 2):
        mass = pictures.sum(axis, dtype=np.float64)
        centre = mass @ np.arange(mass.shape[1]) / np.maximum(mass.sum(1), 1)
        near &= np.abs(centre - (mass.shape[1] - 1) / 2) <= 1
    return near


def as_ink(reading: Reading, *parts: Grey) -> Reading:
    """Pictures that are all prepared as MNIST's digits are read as those are: a photograph becomes one of them."""
    box = round(_BOX * min(reading.height, reading.width))
    ink = replace(reading, kind="ink", box=box, words=f"{reading.words}; digits prepared as MNIST's are")
    rows = (part[at : at + 1000, 0] for part in parts for at in range(0, len(part), 1000))
    return ink if reading.channels == 1 and all(prepared(some, ink).all() for some in rows) else reading
