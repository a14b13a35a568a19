"""A CNN as people draw it: each block's output as a box, with its kernel, size and parameters; branches as lines above.

A box is as high and as deep as the image there and as wide as it has channels, all by their square roots; values
without a place are a bar. Rows are broken where no branch is open.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod, sqrt

from tinyproof.network.called_layer import Join, Layer
from tinyproof.show.drawing.cnn_blocks import Block, Edge, blocks, sizes
from tinyproof.show.drawing.shapes import Circle, Line, Picture, Point, Text, arrow

COLUMN, JOIN = 126.0, 44.0  # pixels from block to block; room for a join
AREA, LINE, LEVEL = 112.0, 15.0, 15.0  # height of the boxes, of a line of words, of a line above
MARGIN, GUTTER, LETTERS = 26.0, 26.0, 20  # at the sides, between rows, of a line of words
ROW = 8  # blocks in a row, at most, unless a branch is open
LEGEND = "boxes: height and depth of the image, width for the channels, by their square roots"
Shapes = Iterator[Line | Circle | Text]


@dataclass
class Row:
    """The items first..last in a row; `x`: the middle of each; `arcs`: (from, to, level) above it."""

    first: int
    last: int
    x: dict[int, float]
    arcs: list[tuple[int, int, int]]
    top: float = 0.0
    height: float = 0.0

    @property
    def axis(self) -> float:
        """Where the arrows run."""
        return self.top + LEVEL * (1 + max((level for *_, level in self.arcs), default=-1)) + AREA / 2


def cnn_picture(
    title: str, image: tuple[int, ...], layers: Sequence[Layer], joins: Sequence[Join], ends: Sequence[int]
) -> Picture:
    """The network whose layers were called in this order (see `network.walk`) for an image of this shape."""
    items, edges = blocks(image, layers, joins, ends)
    captions = [_caption(item) for item in items]
    rows = [_row(items, edges, first, last) for first, last in _rows(items, edges)]
    top = MARGIN / 2
    for row in rows:
        row.top = top
        row.height = row.axis - top + AREA / 2 + LINE * max(len(captions[k]) for k in row.x) + 6
        top += row.height + GUTTER
    legend = Text(0, 0, LEGEND, 11.0, "quiet")
    width = max(legend.width + MARGIN, max(max(row.x.values()) for row in rows) + COLUMN / 2 + MARGIN)
    scale = _Scale.of(items)
    shapes = [shape for row in rows for shape in _painted(row, items, edges, captions, scale)]
    for before, row in pairwise(rows):
        shapes += _carried(before, row, items, scale, width)
    shapes.append(replace(legend, x=width / 2, y=top - 8))
    return Picture(width, top + 8, title, _description(items, edges), tuple(shapes))


def _rows(items: Sequence[Block], edges: Sequence[Edge]) -> Iterator[tuple[int, int]]:
    """First and last item of each row: about as many blocks in each, broken where only the last item goes on."""
    count = sum(not item.is_join for item in items)
    each = -(-count // -(-count // ROW))
    first = inside = 0
    for item, block in enumerate(items):
        inside += not block.is_join
        open_before = any(a < item < b for a, b in edges)
        follows = item + 1 < len(items) and items[item + 1].is_join
        if item == len(items) - 1 or (inside >= each and not open_before and not follows):
            yield first, item
            first, inside = item + 1, 0


def _row(items: Sequence[Block], edges: Sequence[Edge], first: int, last: int) -> Row:
    x, here = dict[int, float](), MARGIN
    for item in range(first, last + 1):
        wide = JOIN if items[item].is_join else COLUMN
        x[item] = here + wide / 2
        here += wide
    arcs = list[tuple[int, int, int]]()
    # What comes from the row before stands at the left edge, as item first - 1.
    inside = sorted({(max(a, first - 1), b) for a, b in edges if first <= b <= last}, key=lambda e: e[1] - e[0])
    for a, b in inside:
        if b - a > 1:
            taken = {level for c, d, level in arcs if c < b and a < d}
            arcs.append((a, b, next(level for level in range(len(arcs) + 1) if level not in taken)))
    return Row(first, last, x, arcs)


@dataclass(frozen=True)
class _Scale:
    """The largest side, number of channels and length of a bar in the picture."""

    side: float
    channels: float
    bar: float

    @classmethod
    def of(cls, items: Sequence[Block]) -> _Scale:
        placed = [item.shape for item in items if len(item.shape) > 1]
        bars = [prod(item.shape) for item in items if len(item.shape) == 1]
        sides = [side for shape in placed for side in shape[1:][-2:]]
        return cls(max(sides, default=1), max((shape[0] for shape in placed), default=1), max(bars, default=1))

    def box(self, shape: tuple[int, ...]) -> tuple[float, float, float]:
        """Width, height and the step of the oblique side, in pixels."""
        if not shape:
            return 26.0, 0.0, 0.0
        if len(shape) < 2:
            return 10.0, 10 + 60 * sqrt(prod(shape) / self.bar), 0.0
        high, deep = (*shape[1:][-2:], 1)[:2]
        wide = 4 + 40 * sqrt(shape[0] / self.channels)
        return wide, 4 + 64 * sqrt(high / self.side), 4 + 22 * sqrt(deep / self.side)


def _painted(
    row: Row, items: Sequence[Block], edges: Sequence[Edge], captions: list[list[tuple[str, str]]], scale: _Scale
) -> Shapes:
    boxes = {k: scale.box(items[k].shape) for k in row.x if not items[k].is_join}
    for a, b in edges:
        if row.first <= b <= row.last and max(a, row.first - 1) == b - 1 and b > row.first:
            yield from arrow([(_right(row, a, boxes), row.axis), (_left(row, b, boxes), row.axis)])
    for a, b, level in row.arcs:
        yield from _arc(row, a, b, level, boxes)
    for item, x in row.x.items():
        block = items[item]
        if block.is_join:
            yield Circle(x, row.axis, 10.0, "paper")
            symbol = block.words if len(block.words) == 1 else ""
            yield Text(x, row.axis, symbol or "•", 14.0, bold=True)
            if not symbol:
                yield Text(x, row.axis + 20, block.words, 11.0, "quiet")
            continue
        yield from (
            _box(x, row.axis, boxes[item], block.kind) if block.shape else [Text(x, row.axis, "⋯", 26.0, "quiet")]
        )
        for number, (words, role) in enumerate(captions[item]):
            place = row.axis + AREA / 2 + LINE * (number + 0.5)
            yield Text(x, place, words, 11.0, "quiet" if role == "quiet" else "ink", bold=role == "bold")


Boxes = dict[int, tuple[float, float, float]]


def _right(row: Row, item: int, boxes: Boxes) -> float:
    return row.x[item] + (sum(boxes[item][::2]) / 2 + 5 if item in boxes else 11)


def _left(row: Row, item: int, boxes: Boxes) -> float:
    return row.x[item] - (sum(boxes[item][::2]) / 2 + 4 if item in boxes else 11)


def _arc(row: Row, a: int, b: int, level: int, boxes: Boxes) -> Shapes:
    """A line above the boxes, out of one item and into another."""
    high = row.top + LEVEL * (max(above for *_, above in row.arcs) - level) + 4
    if a < row.first:
        x, start = MARGIN / 2 + 6, row.axis
    elif a in boxes:
        x, start = row.x[a] + boxes[a][2] / 2 + 3, row.axis - sum(boxes[a][1:]) / 2 - 2
    else:
        x, start = row.x[a] + 16, row.axis
    end = row.axis - (sum(boxes[b][1:]) / 2 + 3 if b in boxes else 11)
    into = row.x[b] + (boxes[b][2] / 2 - 6 if b in boxes else 0)
    yield from arrow([(x, start), (x, high), (into, high), (into, end)])


def _box(x: float, axis: float, size: tuple[float, float, float], kind: str) -> Shapes:
    """A box in oblique projection around x, axis: its front, its top, its right side."""
    wide, high, deep = size
    left, top = x - (wide + deep) / 2, axis - (high - deep) / 2
    right, low = left + wide, top + high
    front: tuple[Point, ...] = ((left, top), (right, top), (right, low), (left, low))
    over: tuple[Point, ...] = ((left, top), (left + deep, top - deep), (right + deep, top - deep), (right, top))
    side: tuple[Point, ...] = ((right, top), (right + deep, top - deep), (right + deep, low - deep), (right, low))
    for face in (front, over, side) if deep else (front,):
        yield Line(face, "ink", 1.0, fill=kind)


def _carried(before: Row, row: Row, items: Sequence[Block], scale: _Scale, width: float) -> Shapes:
    """The line from the end of one row to the start of the next."""
    boxes = {k: scale.box(items[k].shape) for k in (before.last, row.first) if not items[k].is_join}
    between, edge = row.top - GUTTER / 2, MARGIN / 2 - 4
    out = [(_right(before, before.last, boxes), before.axis), (width - 10, before.axis), (width - 10, between)]
    yield from arrow([*out, (edge, between), (edge, row.axis), (_left(row, row.first, boxes), row.axis)])


def _caption(block: Block) -> list[tuple[str, str]]:
    """The lines below a box, each with its look: what it is, how it moves and what follows, size, parameters."""
    lines = [(words, "bold") for words in textwrap.wrap("" if block.is_join else block.words, LETTERS - 2)]
    lines += [(words, "quiet") for words in textwrap.wrap(", ".join(block.beside), LETTERS)]
    lines += [(sizes(block.shape), "ink")] if block.shape else []
    return lines + ([(f"{block.parameters:,} parameters", "quiet")] if block.parameters else [])


def _description(items: Sequence[Block], edges: Sequence[Edge]) -> str:
    told = [f"{number}: {item.said()}" for number, item in enumerate(items)]
    branches = [f"{a} to {b}" for a, b in edges if b - a > 1]
    return "; ".join(told) + "." + (f" Branches: {', '.join(branches)}." if branches else "")
