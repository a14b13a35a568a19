"""A photograph of paper without its light: which is the ink, how bright the paper is everywhere, how dark the ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.data import brightness
from tinyproof.data.brightness import Floats, Mask, median, ndimage, square_side

Grey = NDArray[np.uint8]

# Where luma shows less contrast than this, the colours are asked.
_POOR = 0.25


@dataclass(frozen=True, eq=False)
class Paper:
    """A picture against its paper. `contrast`: the share of the paper's light that is missing, 0 (paper) to 1 (black),
    [H, W]. `ground`: the paper's brightness at each place, [H, W], from 1 to 255. `inverted`: light ink on a dark
    ground became dark. `sheet`: where the paper is, when it lies on a desk. `colour`: the channel taken.
    """

    contrast: Floats
    ground: Floats
    inverted: bool
    sheet: Mask | None = None
    colour: str = ""


def plain(papers: Sequence[Paper]) -> tuple[Floats, Floats]:
    """Of papers of one size the contrast of what is plain, [N, 1, 1]; and its noise, a standard deviation, [N, H, W].

    Plain is the median of what is no ink, even where ink covers most of a picture. Noise has one strength everywhere,
    which is more contrast in the shade.
    """
    contrast, ground = np.stack([one.contrast for one in papers]), np.stack([one.ground for one in papers])
    there = _no_ink(contrast)
    usual = _medians(contrast, there)
    for mask, one in zip(there, papers, strict=True):
        if one.sheet is not None:
            mask &= one.sheet
    strength = 1.48 * _medians(np.abs(contrast - usual) * ground, there).astype(np.float64)
    return usual, strength.astype(np.float32) / ground


def _medians(values: Floats, there: Mask) -> Floats:
    """Of each picture [N, H, W] the median of what is there, [N, 1, 1]."""
    found = [median(one[mask]) for one, mask in zip(values, there, strict=True)]
    return np.array(found, np.float32)[:, None, None]


def _no_ink(contrast: Floats) -> Mask:
    """Where a picture [..., H, W] shows no ink."""
    most, least = (found((-2, -1), keepdims=True) for found in (contrast.max, contrast.min))
    there: Mask = contrast <= np.maximum(np.maximum(most / 2, least), np.float32(0.01))
    return there


def of(pictures: Grey) -> list[Paper]:
    """The papers of small pictures of one size, [N, H, W] or [N, H, W, 3]; each in the colour that shows the ink best
    where luma is poor.
    """
    if pictures.ndim == 3:
        return _of(pictures)
    found = _of(_luma(pictures))
    poor = [number for number, one in enumerate(found) if _strength(one) < _POOR]
    if poor:
        channels = (_of(pictures[poor, ..., at]) for at in range(len(COLOURS)))
        for number, *others in zip(poor, *channels, strict=True):
            strengths = list(map(_strength, others))
            best = strengths.index(max(strengths))
            if strengths[best] > 1.5 * _strength(found[number]):
                found[number] = replace(others[best], colour=COLOURS[best])
    return found


def channel(pixels: Grey, colour: str) -> Grey:
    """The grey picture that `Paper.colour` names."""
    if pixels.ndim == 2:
        return pixels
    return pixels[..., COLOURS.index(colour)] if colour else _luma(pixels)


COLOURS = ("red", "green", "blue")


def _luma(pixels: Grey) -> Grey:
    return np.rint(pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)


def _strength(paper: Paper) -> float:
    """The contrast of the darkest ink inside the picture; its border may be a desk."""
    inner = paper.contrast[tuple(slice(side // 8, side - side // 8) for side in paper.contrast.shape)]
    return float(inner.max())


def _of(grey: Grey) -> list[Paper]:
    """The papers of grey pictures [N, H, W]: what needs no count of parts is done for all of them together."""
    size = square_side(grey.shape[1:])
    smooth = grey.astype(np.float32)
    if min(grey.shape[1:]) > 60:
        smooth = ndimage().gaussian_filter(smooth, (0, 0.7, 0.7))
    found = brightness.heaps(smooth, size)
    dark = brightness.ink_is_dark(smooth, size, found)
    np.subtract(255, smooth, out=smooth, where=~dark[:, None, None])
    ground = _ground(smooth, size)
    contrast = 1 - smooth / ground
    sheets = [_sheet(filled) if there else None for there, filled in zip(found.sheet & dark, found.filled, strict=True)]
    for one, sheet in zip(contrast, sheets, strict=True):
        if sheet is not None:
            inner = one[sheet]
            one[~sheet] = median(inner[_no_ink(inner[None])[0]])
    return list(map(Paper, contrast, ground, map(bool, ~dark), sheets))


def _sheet(filled: Mask) -> Mask | None:
    """The paper without its edge; of a picture of a few pixels nothing is left."""
    found: Mask = ndimage().binary_erosion(filled, iterations=3)
    return found if found.any() else None


def _ground(smooth: Floats, size: int) -> Floats:
    """Grey closing: what is dark and narrower than a square of that size is filled; a ramp of light and the edge of a
    shadow stay as they are.
    """
    image = ndimage()
    filled = spread(smooth, size)
    for axis in (-2, -1):
        filled = image.minimum_filter1d(filled, size, axis)
    found: Floats = np.maximum(filled, 1.0)
    return found


def spread(values: NDArray[Any], size: int) -> NDArray[Any]:
    """The largest of the values in a square of odd size around each place, [..., H, W]."""
    for axis in (-2, -1):
        values = ndimage().maximum_filter1d(values, size, axis)
    return values
