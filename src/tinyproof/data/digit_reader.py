"""A picture of digits as inputs like MNIST's: ink found on its paper, cut out, scaled into a box, centred by mass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.data import ink_parts, paper, picture_reader
from tinyproof.data.as_prepared import prepared
from tinyproof.data.ink_parts import Ink, Part
from tinyproof.data.load import INK
from tinyproof.data.paper import Floats, Grey, Paper
from tinyproof.data.reading import Reading, size_words

# The longest side of the picture in which the digits are looked for, and of that which they are cut out of.
_LOOKED_AT, _CUT_FROM = 256, 1024
# Shares of the ink's darkness between which a stroke's edge lies: less is paper with noise or blur, more is ink.
_PAPER, _INK = 0.25, 0.75
# The width of strokes as a share of the digit's length: a tenth of MNIST's training digits have thinner ones than the
# first, a quarter thinner ones than the second.
_THIN, _USUAL = 0.1, 0.115


@dataclass(frozen=True, eq=False)
class Digits:
    """What a picture shows: inputs of the network [H, W] each, from left to right; how it was read, doubts included."""

    inputs: tuple[Grey, ...]
    steps: tuple[str, ...]


def read_picture(path: Path, reading: Reading = INK["mnist"]) -> tuple[Grey, list[str]]:
    """The first digit of a picture as an input, uint8 [28, 28], light ink on background 0; and what was done, in words.

    Raises DataError when the file is no picture, too large, or shows nothing.
    """
    digits = read_digits(path, reading)
    return digits.inputs[0], list(digits.steps)


def read_digits(path: Path, reading: Reading = INK["mnist"]) -> Digits:
    """The digits of a picture file, any size, ink dark or light, the light uneven. Raises DataError."""
    pixels, steps = picture_reader.read(path)
    return digits_of(pixels, reading, str(path), steps)


def digits_of(pixels: Grey, reading: Reading, where: str, steps: Sequence[str]) -> Digits:
    """The digits of a picture [H, W] or [H, W, 3]. Raises DataError, with `where`, when it shows nothing.

    A picture that is already as the data set's own are (size, empty ground, box) is taken as it is.
    """
    given = 255 - pixels if reading.inverted else pixels
    if pixels.ndim == 2 and prepared(given[None], reading)[0]:
        size = size_words(reading.height, reading.width)
        ground = "dark on light" if reading.inverted else "light on dark"
        return Digits((given,), (*steps, f"{size}, {ground}: taken as it is"))
    steps = [*steps, *(["made grey"] if pixels.ndim == 3 else [])]
    fine = _reduced(pixels, _CUT_FROM)
    small = _reduced(fine, _LOOKED_AT)
    sheet = paper.of(small)
    ink = ink_parts.find(sheet)
    if ink is None:
        raise DataError(where, "shows nothing: no ink stands out from the paper")
    steps += [f"by its {sheet.colour} part, which shows the ink best"] if sheet.colour else []
    steps += ["inverted (dark ink on a light ground)"] if not sheet.inverted else []
    grey = paper.channel(fine, sheet.colour).astype(np.float32)
    cuts = [_cut(255 - grey if sheet.inverted else grey, sheet, ink, part) for part in ink.digits]
    inputs, said = zip(*(_centred(cut, reading) for cut in cuts), strict=True)
    return Digits(inputs, (*steps, *said, *(f"warning: {doubt}" for doubt in ink.doubts)))


def _reduced(pixels: Grey, longest: int) -> Grey:
    factor = -(-max(pixels.shape[:2]) // longest)
    return pixels if factor == 1 else np.asarray(picture_reader.pillow().fromarray(pixels).reduce(factor))


def _cut(grey: Floats, sheet: Paper, ink: Ink, part: Part) -> Floats:
    """The ink of one digit, 0 to 1, out of the finer picture; the paper's light and other parts taken away."""
    scale = max(1, round(max(grey.shape) / max(ink.labels.shape)))
    margin = 2
    top, left = max(0, part.top - margin), max(0, part.left - margin)
    place = slice(top, part.bottom + margin), slice(left, part.right + margin)
    there = paper.spread(ink.of(part, place).astype(np.uint8), 2 * margin + 1) > 0
    cut = grey[tuple(slice(one.start * scale, one.stop * scale) for one in place)]
    mask, ground = (_enlarged(one, scale, cut.shape) for one in (there, sheet.ground[place]))
    dark = (1 - cut / ground - ink.paper) / max(_darkness(sheet, ink, part) - ink.paper, 0.01)
    dark = np.where(mask, ((dark - _PAPER) / (_INK - _PAPER)).clip(0, 1), 0)
    rows, columns = (np.flatnonzero((dark > 0).any(axis)) for axis in (1, 0))
    return _widened(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32))


def _widened(ink: Floats) -> Floats:
    """The strokes of a fine pen as wide as those of a felt pen: scaled down they would hardly be there."""
    dark = ink > 0.5
    inner = dark[1:-1, 1:-1] & dark[:-2, 1:-1] & dark[2:, 1:-1] & dark[1:-1, :-2] & dark[1:-1, 2:]
    wide = 2 * dark.sum() / max(dark.sum() - inner.sum(), 1)
    more = round((_USUAL * max(ink.shape) - wide) / 2)
    if wide >= _THIN * max(ink.shape) or more < 1:
        return ink
    return paper.spread(np.pad(ink, more), 2 * more + 1)


def _darkness(sheet: Paper, ink: Ink, part: Part) -> float:
    """The contrast of the middle of a digit's strokes."""
    place = slice(part.top, part.bottom), slice(part.left, part.right)
    values = sheet.contrast[place][ink.of(part, place)]
    fifth = len(values) // 5
    return float(np.partition(values, -fifth - 1)[-fifth - 1])


def _enlarged(values: NDArray[Any], scale: int, shape: tuple[int, ...]) -> NDArray[Any]:
    if scale == 1:
        return values
    return np.repeat(np.repeat(values, scale, 0), scale, 1)[: shape[0], : shape[1]]


def _centred(ink: Floats, reading: Reading) -> tuple[Grey, str]:
    """The ink scaled into the box and put with its centre of mass in the middle."""
    module = picture_reader.pillow()
    height, width = ink.shape
    scale = reading.box / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(module.fromarray(ink).resize(size, module.Resampling.LANCZOS))
    small = (small * (255.0 / max(float(small.max()), 1e-3))).clip(0, 255)
    sides = reading.height, reading.width
    down, right = (_offset(small.sum(1 - axis), small.shape[axis], sides[axis]) for axis in (0, 1))
    out = np.zeros(sides, np.uint8)
    out[down : down + small.shape[0], right : right + small.shape[1]] = np.round(small)
    fitted = f"scaled to {size[0]} x {size[1]} and centred by its mass in {sides[1]} x {sides[0]}"
    return out, f"ink of {width} x {height} {fitted}"


def _offset(mass: Floats, length: int, side: int) -> int:
    centre = float((mass * np.arange(length)).sum() / mass.sum())
    return max(0, min(round((side - 1) / 2 - centre), side - length))
