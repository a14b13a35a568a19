"""Bright and dark pixels of pictures: which of the two is the paper, and whether it is a sheet on a desk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import MissingDependency

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Ink is narrower than this share of a picture's shorter side; whatever is as dark and wider is paper in the shade.
_STROKE = 0.25
# Two heaps of brightness as far apart as a sheet and a desk: the share of the variance that lies between them. Light
# that falls evenly off has three quarters.
_APART = 0.8
# No digit holds a square of this share of the picture's shorter side; a sheet with a digit on it does.
_SHEET = 0.4
# A sheet is nearly convex: its area is more than this share of its hull's.
_CONVEX = 0.92
# And a desk has less than this share of a sheet's brightness; paper in the shade has more.
_SHADE = 0.45
# A border with no more of the other brightness than this is one ground.
_CLEAN = 0.02
# Sums nearer to 0 than this share of what they sum are computed as they always were: their sign hangs on rounding.
_NEAR = np.float32(1e-4)
# Of pictures [N, H, W]: pixels that touch at a side belong together, those of two pictures never do.
_CROSS = np.array([np.zeros((3, 3)), [[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.zeros((3, 3))], bool)


@cache
def ndimage() -> Any:
    """scipy.ndimage. Raises MissingDependency."""
    try:
        from scipy import ndimage as found
    except ImportError as error:
        raise MissingDependency("scipy", "reading photographs", "train") from error
    return found


def median(values: Floats) -> float:
    """The median of values [N]: `np.median`, which takes five times as long over a small picture; nan of none.

    >>> median(np.array([3, 1, 2, 9], np.float32))
    2.5
    """
    if not values.size:
        return float("nan")
    half = values.size // 2
    low, high = np.partition(values, (max(half - 1, 0), half))[[max(half - 1, 0), half]]
    return float(high if values.size % 2 else (low + high) / 2)


def square_side(shape: tuple[int, ...]) -> int:
    """The side of a square that no stroke of ink fills, odd."""
    return max(3, int(_STROKE * min(shape)) | 1)


@dataclass(frozen=True, eq=False)
class Heaps:
    """The bright and the dark pixels of N pictures. `light`, `dark`: whether a large square fits into them, what they
    enclose filled. `border`: the share of the picture's border that is bright. `filled`: the bright ones, filled,
    [N, H, W]. `sheet`: whether they stand out from the rest as paper does from a desk, and not as from its own shade.
    """

    light: Mask
    dark: Mask
    border: NDArray[np.float64]
    filled: Mask
    sheet: Mask


def heaps(smooth: Floats, size: int) -> Heaps:
    """The two heaps of pictures [N, H, W], by squares of that side."""
    thresholds, apart = otsu(smooth.reshape(len(smooth), -1))
    limits = thresholds.astype(np.float32)
    bright = smooth > limits[:, None, None]
    edges = np.concatenate([smooth[:, 0], smooth[:, -1], smooth[:, :, 0], smooth[:, :, -1]], 1)
    border = (edges > limits[:, None]).mean(1)
    light = border >= 0.5
    light[light] = _square_fits(bright[light], size)  # the usual sheet: nothing else needs to be known
    found = Heaps(light, np.zeros_like(light), border, bright, np.zeros_like(light))
    rest = np.flatnonzero(~light)
    if not len(rest):
        return found
    some = bright[rest]
    filled = found.filled[rest] = _without_holes(some)
    light[rest] = _fits(some, filled, size)
    found.dark[rest] = _fits(~some, _without_holes(~some), size)
    may_be = np.flatnonzero((border[rest] < 0.5) & (apart[rest] > _APART))
    may_be = may_be[_fits(some[may_be], filled[may_be], int(_SHEET * min(smooth.shape[1:])))]
    for at in may_be:
        edge, picture = edges[rest[at]], smooth[rest[at]]
        desk = median(edge[edge <= limits[rest[at]]]) < _SHADE * median(picture[some[at]])
        found.sheet[rest[at]] = desk and _is_sheet(some[at], filled[at])
    return found


def _without_holes(masks: Mask) -> Mask:
    """`ndimage.binary_fill_holes` of each mask [N, H, W], in a third of its time: all but the outside."""
    labels, count = ndimage().label(~masks, _CROSS)
    outside = np.zeros(count + 1, bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        outside[edge] = True
    outside[0] = False  # the masks themselves
    found: Mask = ~outside[labels]
    return found


def _is_sheet(bright: Mask, filled: Mask) -> bool:
    """Whether the largest bright part, filled, is nearly convex and encloses something dark."""
    labels, _ = ndimage().label(filled)
    largest = labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())
    area = int(largest.sum())
    return int((largest & ~bright).sum()) > 0.005 * area and _is_convex(largest, area)


def _is_convex(mask: Mask, area: int) -> bool:
    """Whether a mask's pixels are nearly all of their hull, which holds each row from its first to its last one."""
    rows = np.flatnonzero(mask.any(1))
    first, last = mask[rows].argmax(1), mask.shape[1] - mask[rows][:, ::-1].argmax(1)
    if area < _CONVEX * int((last - first).sum()):  # no hull need be found
        return False
    from scipy.spatial import ConvexHull

    corners = [np.stack([rows + down, side], 1) for down in (0, 1) for side in (first, last)]
    return area > _CONVEX * float(ConvexHull(np.concatenate(corners)).volume)


def _fits(masks: Mask, filled: Mask, size: int) -> Mask:
    """Whether a square fits into a mask whose holes are filled, and three quarters of it are no hole; of each [N]."""
    image, square = ndimage(), (1, size, size)
    inside = image.minimum_filter(filled.view(np.uint8), square, mode="constant") > 0
    found: Mask = (inside & (image.uniform_filter(masks.astype(np.float32), square) > 0.75)).any((1, 2))
    return found


def _square_fits(masks: Mask, size: int) -> Mask:
    """Whether a square fits into a mask; of each [N]."""
    if size > min(masks.shape[1:]):
        return np.zeros(len(masks), bool)
    found: Mask = np.any([masks[:, down, across].all((1, 2)) for down, across in _corners(size)], 0)
    rest = masks[~found]  # paper has one in a corner, nearly always
    if len(rest):
        sums = np.pad(rest, ((0, 0), (1, 0), (1, 0))).cumsum(1, np.int32).cumsum(2)
        inside = sums[:, size:, size:] - sums[:, :-size, size:] - sums[:, size:, :-size] + sums[:, :-size, :-size]
        found[~found] = (inside == size * size).any((1, 2))
    return found


def _corners(size: int) -> list[tuple[slice, slice]]:
    first, last = slice(size), slice(-size, None)
    return [(first, first), (last, last), (first, last), (last, first)]


def ink_is_dark(smooth: Floats, size: int, found: Heaps) -> Mask:
    """Dark ink on light paper, or light ink on a dark ground: ink is where no large square fits; of each [N].

    Where squares of both fit, the border is paper, unless a sheet stands out from a desk. What is left may be a board
    or paper in the shade: there ink is what lies far from its surroundings, and rare.
    """
    bright = found.border >= 0.5
    dark: Mask = found.light & (bright | found.sheet)
    ground = ~found.light & (found.border < _CLEAN)
    neither = ~found.light & ~found.dark & ~ground
    dark[neither] = bright[neither]
    rest = ~(dark | ground | neither)
    dark[rest] = _rare_is_dark(smooth[rest], size)
    return dark


def _rare_is_dark(smooth: Floats, size: int) -> Mask:
    away = smooth - ndimage().gaussian_filter(smooth, (0, size / 2, size / 2))
    away = away.reshape(len(smooth), math.prod(smooth.shape[1:]))
    cubes = away * away * away
    skew, near = cubes.mean(1), np.abs(cubes).mean(1) * _NEAR
    close = np.abs(skew) < near
    skew[close] = (away[close] ** 3).mean(1)
    rare: Mask = skew < 0
    return rare


def otsu(values: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The threshold that parts values into two heaps (Otsu, 1979), and the share of the variance between them, 0 to 1;
    of each row of values [N, M].

    >>> (threshold,), (apart,) = otsu(np.array([[1, 2, 1, 9, 8, 9]], np.float32))
    >>> bool(2 <= threshold < 8), bool(apart > 0.9)
    (True, True)
    """
    low, high = (found(1, keepdims=True) for found in (values.min, values.max))
    step = np.maximum(high.astype(np.float64) - low, 1e-6) / 255
    places = ((values - low) / step.astype(np.float32) + 0.5).astype(np.intp)
    places += 256 * np.arange(len(values))[:, None]
    counts = np.bincount(places.ravel(), minlength=256 * len(values)).reshape(-1, 256)
    shares, centres = counts / values.shape[1], low + step * np.arange(256)
    below, mass = shares.cumsum(1), (shares * centres).cumsum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[:, -1:] * below - mass) ** 2 / (below * (1 - below))
    between = np.where((below > 1e-9) & (below < 1 - 1e-9), between, 0.0)
    total = (shares * (centres - mass[:, -1:]) ** 2).sum(1)
    best = np.arange(len(values)), between.argmax(1)
    apart = np.divide(between[best], total, out=np.zeros_like(total), where=total > 0)
    return centres[best] + step[:, 0] / 2, apart
