"""A picture of digits as inputs like MNIST's: ink found on its paper, cut out, scaled into a box, centred by mass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.data import ink_parts, paper, picture_reader
from tinyproof.data.as_prepared import prepared
from tinyproof.data.brightness import Floats, Mask
from tinyproof.data.ink_parts import Ink, Part
from tinyproof.data.load import INK
from tinyproof.data.paper import Grey, Paper
from tinyproof.data.reading import Reading, size_words

# The longest side of the picture in which the digits are looked for, and of that which they are cut out of.
_LOOKED_AT, _CUT_FROM = 256, 1024
# Shares of the ink's darkness between which a stroke's edge lies: less is paper with noise or blur, more is ink.
_PAPER, _INK = 0.25, 0.75
# The width of strokes as a share of the digit's length: a tenth of MNIST's training digits have thinner ones than the
# first, a quarter thinner ones than the second.
_THIN, _USUAL = 0.1, 0.115
# So many pixels around a digit's ink belong to it.
_MARGIN = 2
# Pictures of no more values are worth reading many at once: what is done to each takes longer to begin than to do.
SMALL = 128 * 128
SHOWS_NOTHING = "shows nothing: no ink stands out from the paper"


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
    (found,) = digits_of_each(pixels[None], reading, [steps])
    if found is None:
        raise DataError(where, SHOWS_NOTHING)
    return found


def digits_of_each(pictures: Grey, reading: Reading, steps: Sequence[Sequence[str]]) -> list[Digits | None]:
    """`digits_of` for each of some pictures of one size, [N, H, W] or [N, H, W, 3]; None where one shows nothing.

    What a picture gives does not hang on the others; of small ones many at once take less time.
    """
    given = 255 - pictures if reading.inverted else pictures
    ready = prepared(given, reading) if pictures.ndim == 3 else np.zeros(len(pictures), bool)
    ground = "dark on light" if reading.inverted else "light on dark"
    as_it_is = f"{size_words(reading.height, reading.width)}, {ground}: taken as it is"
    found: list[Digits | None] = [Digits((one,), (*told, as_it_is)) for one, told in zip(given, steps, strict=True)]
    rest = np.flatnonzero(~ready)
    if len(rest):
        for number, read in zip(rest.tolist(), _found(pictures[rest], reading), strict=True):
            found[number] = read and Digits(read.inputs, (*steps[number], *read.steps))
    return found


def _found(pictures: Grey, reading: Reading) -> list[Digits | None]:
    """What stands on the paper of each picture."""
    fine = _reduced(pictures, _CUT_FROM)
    sheets = paper.of(_reduced(fine, _LOOKED_AT))
    inks = ink_parts.find(sheets)
    greys = [paper.channel(one, sheet.colour) for one, sheet in zip(fine, sheets, strict=True)]
    seen = zip(greys, sheets, inks, strict=True)
    digits = [_Digit(grey, sheet, ink, part) for grey, sheet, ink in seen if ink for part in ink.digits]
    batches = [digits] if fine[0].size <= SMALL else [[one] for one in digits]
    made = iter([_centred(cut, reading) for batch in batches if batch for cut in _cuts(batch)])
    first = ["made grey"] if pictures.ndim == 4 else []
    return [
        _told(sheet, ink, first, [next(made) for _ in ink.digits]) if ink else None
        for sheet, ink in zip(sheets, inks, strict=True)
    ]


def _told(sheet: Paper, ink: Ink, first: list[str], made: Sequence[tuple[Grey, str]]) -> Digits:
    """The inputs of a picture's digits, and how it was read."""
    inputs, said = zip(*made, strict=True)
    steps = [*first, *([f"by its {sheet.colour} part, which shows the ink best"] if sheet.colour else [])]
    steps += ["inverted (dark ink on a light ground)"] if not sheet.inverted else []
    return Digits(inputs, (*steps, *said, *(f"warning: {doubt}" for doubt in ink.doubts)))


def _reduced(pictures: Grey, longest: int) -> Grey:
    factor = -(-max(pictures.shape[1:3]) // longest)
    if factor == 1:
        return pictures
    return np.stack([np.asarray(picture_reader.pillow().fromarray(one).reduce(factor)) for one in pictures])


@dataclass(frozen=True, eq=False)
class _Digit:
    """A digit that was found: the finer picture that it is cut out of, and where it was looked for."""

    grey: Grey
    sheet: Paper
    ink: Ink
    part: Part

    @property
    def place(self) -> tuple[slice, slice]:
        """Around it, in the picture in which it was looked for."""
        part, margin = self.part, _MARGIN
        top, left = max(0, part.top - margin), max(0, part.left - margin)
        return slice(top, part.bottom + margin), slice(left, part.right + margin)

    def cut(self, scale: int) -> Grey:
        """That place in the finer picture, the ink dark."""
        there = self.grey[tuple(slice(one.start * scale, one.stop * scale) for one in self.place)]
        return 255 - there if self.sheet.inverted else there


def _cuts(digits: Sequence[_Digit]) -> list[Floats]:
    """The ink of each digit, 0 to 1, out of the finer picture; the paper's light and other parts taken away.

    The pictures are of one size: the places, of different ones, are filled up to the largest of them.
    """
    scale = max(1, round(max(digits[0].grey.shape) / max(digits[0].ink.labels.shape)))
    own = [one.ink.of(one.part, one.place) for one in digits]
    there = paper.spread(_filled_up(own, 0).view(np.uint8), 2 * _MARGIN + 1) > 0
    cuts = _filled_up([one.cut(scale) for one in digits], 255).astype(np.float32)
    ground = _filled_up([one.sheet.ground[one.place] for one in digits], 255)
    mask, ground = (_enlarged(one, scale, cuts.shape) for one in (there, ground))
    white = _column(one.ink.paper for one in digits)
    depth = _column(max(_darkness(one, ink) - one.ink.paper, 0.01) for one, ink in zip(digits, own, strict=True))
    dark = (1 - cuts / ground - white) / depth
    dark = np.where(mask, ((dark - _PAPER) / (_INK - _PAPER)).clip(0, 1), 0).astype(np.float32)
    return [_widened(ink, wide) for ink, wide in zip(_boxed(dark), _widths(dark), strict=True)]


def _column(values: Iterable[float]) -> Floats:
    """A number for each picture, [N, 1, 1]."""
    return np.array(list(values), np.float32)[:, None, None]


def _filled_up(arrays: Sequence[NDArray[Any]], value: int) -> NDArray[Any]:
    """Arrays of different sizes as one, [N, H, W]: below and on the right of each stands the value."""
    sides = (max(one.shape[axis] for one in arrays) for axis in (0, 1))
    found = np.full((len(arrays), *sides), value, arrays[0].dtype)
    for place, one in zip(found, arrays, strict=True):
        place[: one.shape[0], : one.shape[1]] = one
    return found


def _boxed(dark: Floats) -> list[Floats]:
    """Of each picture [N, H, W] the box of what is not 0."""
    there: Mask = dark > 0
    ends = []
    for axis in (2, 1):
        line = np.any(there, axis)
        ends += [line.argmax(1), line.shape[1] - line[:, ::-1].argmax(1)]
    boxes = zip(*(one.tolist() for one in ends), strict=True)
    return [one[top:bottom, left:right] for one, (top, bottom, left, right) in zip(dark, boxes, strict=True)]


def _widths(ink: Floats) -> list[float]:
    """How wide the strokes are, of each picture [N, H, W]: twice their area by the length of their edge."""
    dark: Mask = ink > 0.5
    inner = dark[:, 1:-1, 1:-1] & dark[:, :-2, 1:-1] & dark[:, 2:, 1:-1] & dark[:, 1:-1, :-2] & dark[:, 1:-1, 2:]
    areas, inner_areas = (one.sum((1, 2)) for one in (dark, inner))
    found: list[float] = (2 * areas / np.maximum(areas - inner_areas, 1)).tolist()
    return found


def _widened(ink: Floats, wide: float) -> Floats:
    """The strokes of a fine pen as wide as those of a felt pen: scaled down they would hardly be there."""
    more = round((_USUAL * max(ink.shape) - wide) / 2)
    if wide >= _THIN * max(ink.shape) or more < 1:
        return ink
    return paper.spread(np.pad(ink, more), 2 * more + 1)


def _darkness(digit: _Digit, own: Mask) -> float:
    """The contrast of the middle of a digit's strokes."""
    values = digit.sheet.contrast[digit.place][own]
    fifth = len(values) // 5
    return float(np.partition(values, -fifth - 1)[-fifth - 1])


def _enlarged(values: NDArray[Any], scale: int, shape: tuple[int, ...]) -> NDArray[Any]:
    if scale == 1:
        return values
    return np.repeat(np.repeat(values, scale, 1), scale, 2)[:, : shape[1], : shape[2]]


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
