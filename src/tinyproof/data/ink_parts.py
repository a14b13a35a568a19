"""Which dark parts of a picture are a digit, or digits in a row: connected parts, without frames, rules and specks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tinyproof.data.brightness import Mask, ndimage
from tinyproof.data.paper import Paper, plain, spread

Labels = NDArray[np.int32]

# Nothing fainter is ink; and noise is not: so many of its standard deviations.
_FAINTEST, _ABOVE_NOISE = 0.03, 5.0
# What is darker than these shares of the darkest ink is looked at, one after the other: the first share keeps strokes
# of uneven strength whole, the second leaves the rules of the paper out.
_SHARES = (0.3, 0.5)
# A digit is at least this share of the picture's longer side high, and so many pixels.
_LEAST_SHARE, _LEAST_PIXELS = 0.04, 5
# A part that covers so much of the picture's edge is a desk or a frame.
_FRAME = 0.2
_MOST_DIGITS = 12
# Pixels that touch at a corner belong together; those of two pictures never do.
_ALL_EIGHT = np.array([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))], bool)


@dataclass(frozen=True)
class Part:
    """Connected ink: its numbers in the labels, its box (top, bottom, left, right; the last ones outside), its area,
    and how much of it touches the picture's edge.
    """

    numbers: tuple[int, ...]
    top: int
    bottom: int
    left: int
    right: int
    area: int
    touching: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    def joined(self, other: Part) -> Part:
        """Both as one."""
        return Part(
            (*self.numbers, *other.numbers),
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
            self.area + other.area,
            self.touching + other.touching,
        )


@dataclass(frozen=True, eq=False)
class Ink:
    """The digits that were found, from left to right, in the numbers of `labels`; `paper` and `darkest`: the contrast
    that is paper and that of the darkest ink; `doubts`: what may be wrong, in words.
    """

    digits: tuple[Part, ...]
    labels: Labels
    paper: float
    darkest: float
    doubts: tuple[str, ...] = ()

    def of(self, part: Part, place: tuple[slice, slice]) -> Mask:
        """Where a digit's ink is in a place of the picture."""
        if len(part.numbers) == 1:
            only: Mask = self.labels[place] == part.numbers[0]
            return only
        wanted = np.zeros(self.labels.max() + 1, bool)
        wanted[list(part.numbers)] = True
        return wanted[self.labels[place]]


def find(sheets: Sequence[Paper]) -> list[Ink | None]:
    """The digits of pictures of one size, each by its contrast to the paper and the noise in it; None where it shows
    nothing.
    """
    paper, noise = plain(sheets)
    left = np.stack([sheet.contrast for sheet in sheets]) - paper
    left = np.where(left > _ABOVE_NOISE * noise, left, 0).astype(np.float32)
    found: list[Ink | None] = [None] * len(sheets)
    rest = np.arange(len(sheets))
    for _ in range(4):
        darkest = left.max((1, 2)).astype(np.float64)
        shows = darkest >= _FAINTEST
        rest, left, darkest = rest[shows], left[shows], darkest[shows]
        if not len(rest):
            break
        for share in _SHARES:
            labels, parts = _parts(left > (share * darkest).astype(np.float32)[:, None, None])
            unsure = np.ones(len(rest), bool)
            for at, number in enumerate(rest):
                ink = Ink((), labels[at], float(paper[number, 0, 0]), float(darkest[at]))
                read, sure = _look(parts[at], ink, share == _SHARES[-1])
                found[number] = read if sure else found[number] or read
                unsure[at] = not sure
            rest, left, darkest, labels = rest[unsure], left[unsure], darkest[unsure], labels[unsure]
            if not len(rest):
                return found
        left = np.where(spread(labels, 5) > 0, 0, left).astype(np.float32)
    return found


def _look(parts: Sequence[Part], ink: Ink, last: bool) -> tuple[Ink | None, bool]:
    """The digits among the parts, if any, and whether no others are looked for."""
    shape = ink.labels.shape
    inside, edge = _digit_like(parts, shape)
    found = _chosen(inside, edge)
    if found and (last or found is not edge):
        return _read(found, edge, ink), True
    return _read(parts, parts, ink) if last and _large(parts, shape) else None, False


def _parts(masks: Mask) -> tuple[Labels, list[list[Part]]]:
    """The parts of each picture [N, H, W] and their numbers: no two pictures share one."""
    labels, count = ndimage().label(masks, _ALL_EIGHT)
    ring = np.concatenate([labels[:, 0], labels[:, -1], labels[:, 1:-1, 0], labels[:, 1:-1, -1]], 1)
    areas, touching = (np.bincount(some.ravel(), minlength=count + 1).tolist() for some in (labels, ring))
    found: list[list[Part]] = [[] for _ in masks]
    for n, (at, y, x) in enumerate(ndimage().find_objects(labels), 1):
        found[at.start].append(Part((n,), y.start, y.stop, x.start, x.stop, areas[n], touching[n]))
    return labels, found


def _digit_like(parts: Sequence[Part], shape: tuple[int, ...]) -> tuple[list[Part], list[Part]]:
    """The parts inside the picture, and those that its edge cuts; of both those that are large enough for a digit.

    Small ones go with them where one is large enough: the bar of a 5 may stand alone.
    """
    ring = 2 * shape[1] + 2 * max(shape[0] - 2, 0)
    rest = [part for part in parts if part.touching <= _FRAME * ring and not _rule(part, shape)]
    inside, edge = ([part for part in rest if bool(part.touching) is cut] for cut in (False, True))
    return inside if _large(inside, shape) else [], edge if _large(edge, shape) else []


def _large(parts: Sequence[Part], shape: tuple[int, ...]) -> bool:
    """Whether one of them is large enough for a digit."""
    least = max(_LEAST_PIXELS, _LEAST_SHARE * max(shape))
    return any(part.height >= least for part in parts)


def _rule(part: Part, shape: tuple[int, ...]) -> bool:
    """A line from edge to edge of the picture, or nearly so."""
    height, width = shape
    flat = part.width > 0.9 * width and part.height < 0.2 * height
    upright = part.height > 0.9 * height and part.width < 0.05 * width
    return flat or upright


def _chosen(inside: list[Part], edge: list[Part]) -> list[Part]:
    """What lies inside; what the edge cuts only where it is far larger."""
    if not inside or not edge:
        return inside or edge
    return inside if 2 * max(p.height for p in inside) >= max(p.height for p in edge) else edge


def _read(parts: Sequence[Part], edge: Sequence[Part], ink: Ink) -> Ink:
    """The digits among the parts; those that touch the edge may be among them."""
    tallest = max(part.height for part in parts)
    doubts = ["the ink touches the edge: is the digit cut off?"] if parts is edge else []
    if not doubts and any(2 * part.height > tallest for part in edge):
        doubts.append("ink that touches the edge was left aside: is there more than one digit?")
    large = [part for part in parts if 2 * part.height >= tallest]
    digits = _with_small(_merged(large), [part for part in parts if part not in large], tallest)
    line, others = _line(digits)
    if others:
        doubts.append("there is more ink above or below, which was left aside: more than one digit?")
    if len(line) > _MOST_DIGITS:
        doubts.append(f"{len(line)} parts side by side, of which the largest was taken: is this a digit?")
        line = [max(line, key=lambda part: part.area)]
    if len(line) > 1:
        doubts.append(f"{len(line)} digits side by side, read from left to right")
    if any(part.width > 1.6 * part.height for part in line):
        doubts.append("the ink is much wider than high: is there more than one digit?")
    if sum(part.area for part in line) > 0.4 * ink.labels.size:
        doubts.append("the picture is nearly all ink: is there paper around the digit?")
    if ink.darkest < 2 * _FAINTEST:
        doubts.append(f"the ink is faint, {100 * ink.darkest:.0f} % darker than the paper")
    return Ink(tuple(line), ink.labels, ink.paper, ink.darkest, tuple(doubts))


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Pieces of one digit joined: one above the other with hardly a gap, or side by side and together no wider than a
    digit is.
    """
    parts = list(parts)
    while True:
        pair = next((pair for pair in combinations(parts, 2) if _one_digit(*pair)), None)
        if pair is None:
            return sorted(parts, key=lambda part: part.left)
        parts = [part for part in parts if part not in pair] + [pair[0].joined(pair[1])]


def _one_digit(a: Part, b: Part) -> bool:
    both = a.joined(b)
    across = min(a.right, b.right) - max(a.left, b.left)
    down = max(a.top, b.top) - min(a.bottom, b.bottom)
    if 2 * across > min(a.width, b.width):
        return down < 0.1 * both.height
    return _distance(a, b) < 0.05 * both.height and both.width < 0.9 * both.height


def _with_small(digits: list[Part], small: Sequence[Part], tallest: int) -> list[Part]:
    """Small pieces go to the digit that they are near to; specks and what lies elsewhere are left."""
    for part in sorted(small, key=lambda part: -part.area):
        distance, place = min((_distance(part, digit), n) for n, digit in enumerate(digits))
        if distance < 0.25 * tallest and max(part.height, part.width) > 0.1 * tallest:
            digits[place] = digits[place].joined(part)
    return digits


def _distance(a: Part, b: Part) -> float:
    across = max(0, max(a.left, b.left) - min(a.right, b.right))
    down = max(0, max(a.top, b.top) - min(a.bottom, b.bottom))
    return float(np.hypot(across, down))


def _line(digits: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """The line of digits with the most ink, from left to right, and what stands above and below it."""
    lines: list[list[Part]] = []
    for digit in sorted(digits, key=lambda part: -part.height):
        home = next((line for line in lines if _beside(line[0], digit)), None)
        if home is None:
            lines.append([digit])
        else:
            home.append(digit)
    lines.sort(key=lambda line: -sum(part.area for part in line))
    return sorted(lines[0], key=lambda part: part.left), [part for line in lines[1:] for part in line]


def _beside(a: Part, b: Part) -> bool:
    return 2 * (min(a.bottom, b.bottom) - max(a.top, b.top)) > min(a.height, b.height)
