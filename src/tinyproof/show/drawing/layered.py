"""Where everything stands in the drawing of a small network: units, the lines between them, the labels on the lines.

Layers stand from left to right (`across`) or from top to bottom (`down`, for a phone); units are boxes with room for
their quantities, or circles. Lengths are in SVG user units, which are CSS pixels at the drawing's natural size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tinyproof.backprop.expr import Equation
from tinyproof.show.drawing.wiring import wires
from tinyproof.show.sliding_labels import places

Direction = Literal["across", "down"]

HALF = 92.0  # width of one quantity: a name above a number of nine characters
TALL, SHORT = 64.0, 46.0  # height of a quantity with, and without, a gradient below it
LABEL = (100.0, 40.0)  # width, height of a weight's label
PILL, PILL_STACKED = 26.0, 40.0  # what a bias adds to the height of its unit's box
MARGIN = 14.0


@dataclass(frozen=True)
class Box:
    """A rounded box of one or two quantities: `("i1",)`, `("h1", "a_h1")`; x, y is its upper left corner."""

    slots: tuple[str, ...]
    kind: str
    x: float = 0.0
    y: float = 0.0
    width: float = HALF
    height: float = TALL
    bias: str = ""  # a bias of this unit alone, written in its box
    stacked: bool = False
    curve: str = ""  # the activation's shape, as an SVG path around 0, 0

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def badge(self) -> tuple[float, float]:
        """Where the activation's sign stands: on the border between its two quantities."""
        return (self.x + self.width, self.place(1)[1]) if self.stacked else (self.x + self.width / 2, self.y)

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of one slot."""
        if self.stacked:
            return self.width, (self.height - self.extra) / len(self.slots)
        return self.width / len(self.slots), self.height - self.extra

    @property
    def extra(self) -> float:
        """The height that the bias takes: above the slots where they are stacked, below them otherwise."""
        if not self.bias:
            return 0.0
        return PILL if len(self.slots) > 1 and not self.stacked else PILL_STACKED

    def place(self, slot: int) -> tuple[float, float]:
        """The upper middle of a slot: the names stand below it."""
        wide, high = self.cell
        if self.stacked:
            return self.x + wide / 2, self.y + self.extra + slot * high
        return self.x + (slot + 0.5) * wide, self.y


@dataclass(frozen=True)
class Look:
    """How a network is drawn. `radius`: units are circles of this radius; 0: boxes. `label`: width and height of a
    weight's label; before a column of more than `most_labels` weights none is written. `bare`: the space before it.
    `stacked`: the two quantities of a box one below the other, also across, and less space: for deep networks."""

    direction: Direction
    label: tuple[float, float] = LABEL
    most_labels: int = 1000
    radius: float = 0.0
    bare: float = 56.0
    stacked: bool = False


@dataclass(frozen=True)
class Link:
    """A line along which `source` flows into `target`, multiplied by `weight` where there is one."""

    source: str
    target: str
    weight: str = ""
    start: tuple[float, float] = (0.0, 0.0)
    end: tuple[float, float] = (0.0, 0.0)
    label: tuple[float, float] = (0.0, 0.0)
    crowded: bool = False


@dataclass(frozen=True)
class Plate:
    """A parameter's label: on its line, or (`pill`) in the box of the unit whose bias it is; x, y is its middle."""

    name: str
    x: float
    y: float
    width: float = LABEL[0]
    height: float = LABEL[1]
    pill: bool = False
    one_line: bool = False
    crowded: bool = False


@dataclass(frozen=True)
class Drawing:
    """Everything in its place, in a picture `width` by `height`."""

    direction: Direction
    width: float
    height: float
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]

    @property
    def plates(self) -> tuple[Plate, ...]:
        """The labels of all parameters that have no box of their own, from the first layer to the last."""
        lines = [Plate(link.weight, *link.label, crowded=link.crowded) for link in self.links if link.weight]
        pills = []
        for box in self.boxes:
            if not box.bias:
                continue
            middle = box.y + (box.extra / 2 + 1 if box.stacked else box.height - box.extra / 2 - 1)
            one_line = box.extra == PILL
            size = (box.width - 10, 22.0) if one_line else (box.width - 6, 36.0)
            pills.append(Plate(box.bias, box.middle[0], middle, *size, pill=True, one_line=one_line))
        return (*lines, *pills)


def draw(
    columns: Sequence[Sequence[Box]], equations: Sequence[Equation], parameters: Sequence[str], look: Look
) -> Drawing:
    """The drawing of the boxes in `columns` (layer by layer), joined as the equations say.

    `parameters`: weights and biases. A bias that one unit uses is written on that unit's box; one that several use
    gets a box of its own in the column before them.
    """
    slots = [[slot for box in column for slot in box.slots] for column in columns]
    wired, direction = [Link(*wire) for wire in wires(slots, equations, parameters)], look.direction
    counts = [_weights(column, wired, look) for column in columns]
    columns = [[_sized(box, look) for box in column] for column in columns]
    across = direction == "across"
    largest = max(box.height if across else box.width for column in columns for box in column)
    gaps = [*(_gap(count, look) for count in counts[1:]), MARGIN]
    boxes: list[Box] = []
    here = MARGIN
    for column, gap in zip(columns, gaps, strict=True):
        depth = max(box.width if across else box.height for box in column)
        boxes += _stand(column, here, depth, largest, look)
        here += depth + gap
    low = min(box.y if across else box.x for box in boxes) - MARGIN
    boxes = [replace(box, y=box.y - low) if across else replace(box, x=box.x - low) for box in boxes]
    end = MARGIN + max(box.y + box.height if across else box.x + box.width for box in boxes)
    size = (here, end) if across else (end, here)
    lines = [_drawn(link, boxes, direction) for link in wired]
    some = [column for column, count in zip(columns, counts, strict=True) if count]
    written = {slot for column in some for box in column for slot in box.slots}
    return Drawing(direction, *size, tuple(boxes), _labelled(boxes, lines, written, look))


def _labelled(boxes: Sequence[Box], lines: Sequence[Link], written: set[str], look: Look) -> tuple[Link, ...]:
    """Give every weight's label its place on its line. Between two layers either (nearly) all are shown or none is:
    a few of many would mislead."""
    obstacles = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in boxes]
    ends = [(*line.start, *line.end) for line in lines]
    where = places(ends, [bool(line.weight) and line.target in written for line in lines], obstacles, look.label)
    layers: dict[float, list[int]] = {}
    for k in where:
        layers.setdefault(lines[k].end[0 if look.direction == "across" else 1], []).append(k)
    for members in layers.values():
        if sum(where[k][1] for k in members) > len(members) / 4:
            where |= {k: (where[k][0], True) for k in members}
    return tuple(
        replace(line, label=where[k][0], crowded=where[k][1]) if k in where else line for k, line in enumerate(lines)
    )


def _sized(box: Box, look: Look) -> Box:
    if look.radius:
        return replace(box, width=2 * look.radius, height=2 * look.radius)
    height = TALL if box.kind in ("unit", "bias") else SHORT
    if len(box.slots) > 1 and (look.direction == "down" or look.stacked):
        box = replace(box, stacked=True)
        return replace(box, width=HALF, height=len(box.slots) * (height - 4) + box.extra)
    return replace(box, width=HALF * len(box.slots), height=height + box.extra)


def _weights(column: Sequence[Box], wired: Sequence[Link], look: Look) -> int:
    """How many weights are written on the lines into a column."""
    slots = {slot for box in column for slot in box.slots}
    count = sum(1 for link in wired if link.target in slots and link.weight)
    return count if count <= look.most_labels else 0


def _gap(labelled: int, look: Look) -> float:
    """The space before a column: wide where weights must be written on the lines."""
    if not labelled:
        return look.bare if look.direction == "across" else 26.0
    if look.stacked:
        return min(150.0 + 10 * labelled, 240.0)
    return min(170.0 + 12 * labelled, 270.0) if look.direction == "across" else min(80.0 + 12 * labelled, 190.0)


def _stand(column: Sequence[Box], here: float, depth: float, largest: float, look: Look) -> list[Box]:
    """Put one column's boxes in a row across the flow, around 0; a bias that several units share stands after them.

    `largest`: of all boxes across the flow, so that layers with as many units stand in line.
    """
    across = look.direction == "across"
    units = sum(1 for box in column if box.kind not in ("bias", "constant"))
    room = max(28.0, 100.0 - 20 * units if look.stacked else 190.0 - 40 * units)
    pitch = largest + (room if across else 60.0 if units == len(column) < 3 else 14.0)
    nearer = pitch - largest - 30.0 if across else 0.0
    result = []
    for number, box in enumerate(column):
        middle = (number - (units - 1) / 2) * pitch - (nearer if number >= units else 0.0)
        if across:
            result.append(replace(box, x=here + (depth - box.width) / 2, y=middle - box.height / 2))
        else:
            result.append(replace(box, x=middle - box.width / 2, y=here + (depth - box.height) / 2))
    return result


def _drawn(link: Link, boxes: Sequence[Box], direction: Direction) -> Link:
    """The line from the edge of one box to the edge of the other."""
    a = next(box for box in boxes if link.source in box.slots)
    b = next(box for box in boxes if link.target in box.slots)
    (ax, ay), (bx, by) = a.middle, b.middle
    if direction == "across":
        if abs(ax - bx) < 1:  # one above the other
            return replace(
                link, start=(ax, a.y + a.height if ay < by else a.y), end=(bx, b.y if ay < by else b.y + b.height)
            )
        return replace(link, start=(a.x + a.width, ay), end=(b.x, by))
    if abs(ay - by) < 1:
        return replace(link, start=(a.x + a.width if ax < bx else a.x, ay), end=(b.x if ax < bx else b.x + b.width, by))
    return replace(link, start=(ax, a.y + a.height), end=(bx, b.y))
