"""A photograph of paper without its light: which is the ink, how bright the paper is everywhere, how dark the ink."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import MissingDependency

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]
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
# Where luma shows less contrast than this, the colours are asked.
_POOR = 0.25


@dataclass(frozen=True, eq=False)
class Paper:
    """A picture against its paper. `grey`: the picture, the paper bright, [H, W]. `ground`: the paper's brightness at
    each place, [H, W], from 1 to 255. `inverted`: light ink on a dark ground became dark. `colour`: the channel
    taken. `sheet`: where the paper is, when it lies on a desk.
    """

    grey: Floats
    ground: Floats
    inverted: bool
    colour: str = ""
    sheet: Mask | None = None

    @cached_property
    def contrast(self) -> Floats:
        """The share of the paper's light that is missing, 0 (paper) to 1 (black), [H, W]."""
        found = 1 - self.grey / self.ground
        return found if self.sheet is None else np.where(self.sheet, found, _plain(found[self.sheet]))

    @cached_property
    def plain(self) -> float:
        """The contrast of plain paper: the median of what is no ink, even where ink covers most of a picture."""
        return _plain(self.contrast)

    @cached_property
    def noise(self) -> Floats:
        """The standard deviation of the contrast of plain paper, [H, W]: noise has one strength everywhere, which is
        more contrast in the shade.
        """
        away = np.abs(self.contrast - self.plain) * self.ground
        paper = _no_ink(self.contrast)
        strength = 1.48 * median(away[paper if self.sheet is None else paper & self.sheet])
        found: Floats = (strength / self.ground).astype(np.float32)
        return found


def _plain(contrast: Floats) -> float:
    return median(contrast[_no_ink(contrast)])


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


def _no_ink(contrast: Floats) -> Mask:
    found: Mask = contrast <= max(float(contrast.max()) / 2, float(contrast.min()), 0.01)
    return found


@cache
def ndimage() -> Any:
    """scipy.ndimage. Raises MissingDependency."""
    try:
        from scipy import ndimage as found
    except ImportError as error:
        raise MissingDependency("scipy", "reading photographs", "train") from error
    return found


def of(pixels: Grey) -> Paper:
    """The paper of a small picture, [H, W] or [H, W, 3]; in the colour that shows the ink best where luma is poor."""
    luma = pixels if pixels.ndim == 2 else _luma(pixels)
    best = _of(luma)
    if pixels.ndim == 3 and _strength(best) < _POOR:
        found = [(_strength(paper), name, paper) for name, paper in _by_colour(pixels)]
        strength, name, paper = max(found, key=lambda one: one[0])
        if strength > 1.5 * _strength(best):
            return replace(paper, colour=name)
    return best


def channel(pixels: Grey, colour: str) -> Grey:
    """The grey picture that `Paper.colour` names."""
    if pixels.ndim == 2:
        return pixels
    return pixels[..., COLOURS.index(colour)] if colour else _luma(pixels)


COLOURS = ("red", "green", "blue")


def _by_colour(pixels: Grey) -> list[tuple[str, Paper]]:
    return [(name, _of(pixels[..., place])) for place, name in enumerate(COLOURS)]


def _luma(pixels: Grey) -> Grey:
    return np.rint(pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)


def _strength(paper: Paper) -> float:
    """The contrast of the darkest ink inside the picture; its border may be a desk."""
    inner = paper.contrast[tuple(slice(side // 8, side - side // 8) for side in paper.grey.shape)]
    return float(inner.max())


def _of(grey: Grey) -> Paper:
    size = _square(grey.shape)
    smooth = grey.astype(np.float32)
    if min(grey.shape) > 60:
        smooth = ndimage().gaussian_filter(smooth, 0.7)
    heaps = _heaps(smooth, size)
    inverted = not _ink_is_dark(smooth, size, heaps)
    if inverted:
        smooth = 255 - smooth
    sheet = None if inverted or not heaps.sheet else ndimage().binary_erosion(heaps.filled, iterations=3)
    return Paper(smooth, _ground(smooth, size), inverted, sheet=sheet)


def _square(shape: tuple[int, ...]) -> int:
    return max(3, int(_STROKE * min(shape)) | 1)


def _ground(smooth: Floats, size: int) -> Floats:
    """Grey closing: what is dark and narrower than a square of that size is filled; a ramp of light and the edge of a
    shadow stay as they are.
    """
    image = ndimage()
    filled = spread(smooth, size)
    for axis in (0, 1):
        filled = image.minimum_filter1d(filled, size, axis)
    found: Floats = np.maximum(filled, 1.0)
    return found


def spread(values: NDArray[Any], size: int) -> NDArray[Any]:
    """The largest of the values in a square of odd size around each place, [H, W]."""
    for axis in (0, 1):
        values = ndimage().maximum_filter1d(values, size, axis)
    return values


@dataclass(frozen=True, eq=False)
class _Heaps:
    """The bright and the dark pixels of a picture. `light`, `dark`: whether a large square fits into them, what they
    enclose filled. `border`: the share of the picture's border that is bright. `filled`: the bright ones, filled.
    `sheet`: whether they stand out from the rest as paper does from a desk, and not as from its own shade.
    """

    light: bool
    dark: bool
    border: float
    filled: Mask
    sheet: bool


def _heaps(smooth: Floats, size: int) -> _Heaps:
    threshold, apart = otsu(smooth)
    bright = smooth > threshold
    edge = np.concatenate([smooth[0], smooth[-1], smooth[:, 0], smooth[:, -1]])
    border = float((edge > threshold).mean())
    if border >= 0.5 and _fits(bright, bright, size):  # the usual sheet: nothing else needs to be known
        return _Heaps(True, False, border, bright, False)
    filled = ndimage().binary_fill_holes(bright)
    light = _fits(bright, filled, size)
    dark = _fits(~bright, ndimage().binary_fill_holes(~bright), size)
    sheet = border < 0.5 and apart > _APART and _fits(bright, filled, int(_SHEET * min(smooth.shape)))
    sheet = sheet and float(np.median(edge[edge <= threshold])) < _SHADE * float(np.median(smooth[bright]))
    return _Heaps(light, dark, border, filled, sheet and _is_sheet(bright, filled))


def _is_sheet(bright: Mask, filled: Mask) -> bool:
    """Whether the largest bright part, filled, is nearly convex and encloses something dark."""
    labels, _ = ndimage().label(filled)
    largest = labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())
    area = int(largest.sum())
    return area > _CONVEX * _hull(largest) and int((largest & ~bright).sum()) > 0.005 * area


def _hull(mask: Mask) -> float:
    """The area of the convex hull of a mask's pixels."""
    from scipy.spatial import ConvexHull

    rows = np.flatnonzero(mask.any(1))
    first, last = mask[rows].argmax(1), mask.shape[1] - mask[rows][:, ::-1].argmax(1)
    corners = [np.stack([rows + down, side], 1) for down in (0, 1) for side in (first, last)]
    return float(ConvexHull(np.concatenate(corners)).volume)


def _fits(mask: Mask, filled: Mask, size: int) -> bool:
    """Whether a square fits into a mask whose holes are filled, and three quarters of it are no hole."""
    if filled is mask:  # no holes
        return _square_fits(mask, size)
    image = ndimage()
    inside = image.minimum_filter(filled.astype(np.uint8), size, mode="constant") > 0
    return bool((image.uniform_filter(mask.astype(np.float32), size)[inside] > 0.75).any())


def _square_fits(mask: Mask, size: int) -> bool:
    if size > min(mask.shape):
        return False
    if any(mask[there].all() for there in _corners(size)):  # paper has one, nearly always
        return True
    sums = np.pad(mask, ((1, 0), (1, 0))).cumsum(0, np.int32).cumsum(1)
    inside = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return bool((inside == size * size).any())


def _corners(size: int) -> list[tuple[slice, slice]]:
    first, last = slice(size), slice(-size, None)
    return [(first, first), (last, last), (first, last), (last, first)]


def _ink_is_dark(smooth: Floats, size: int, heaps: _Heaps) -> bool:
    """Dark ink on light paper, or light ink on a dark ground: ink is where no large square fits.

    Where squares of both fit, the border is paper, unless a sheet stands out from a desk. What is left may be a board
    or paper in the shade: there ink is what lies far from its surroundings, and rare.
    """
    if heaps.light and (heaps.border >= 0.5 or heaps.sheet):
        return True
    if not heaps.light and heaps.border < _CLEAN:
        return False
    if not heaps.light and not heaps.dark:
        return heaps.border >= 0.5
    return _rare_is_dark(smooth, size)


def _rare_is_dark(smooth: Floats, size: int) -> bool:
    away = smooth - ndimage().gaussian_filter(smooth, size / 2)
    return float((away**3).mean()) < 0


def otsu(values: Floats) -> tuple[float, float]:
    """The threshold that parts values into two heaps (Otsu, 1979), and the share of the variance between them, 0 to 1.

    >>> threshold, apart = otsu(np.array([1, 2, 1, 9, 8, 9], np.float32))
    >>> 2 <= threshold < 8, apart > 0.9
    (True, True)
    """
    low, high = float(values.min()), float(values.max())
    step = max(high - low, 1e-6) / 255
    counts = np.bincount(((values - low) / step + 0.5).astype(np.intp).ravel(), minlength=256)[:256]
    shares, centres = counts / values.size, low + step * np.arange(256)
    below, mass = shares.cumsum(), (shares * centres).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below - mass) ** 2 / (below * (1 - below))
    between = np.where((below > 1e-9) & (below < 1 - 1e-9), between, 0.0)
    total = float((shares * (centres - mass[-1]) ** 2).sum())
    best = int(between.argmax())
    return float(centres[best] + step / 2), float(between[best]) / total if total > 0 else 0.0
