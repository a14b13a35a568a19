"""A network drawn with its weights: laid out once, then rendered as SVG text or as PNG bytes (matplotlib).

Line width is the size of a weight, colour its sign. Layers of more than MOST_UNITS units are drawn with a gap.
"""

from __future__ import annotations

import html
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tinyproof.backprop.net import Net
from tinyproof.show.sliding_labels import places as slide

RADIUS, ACROSS, DOWN, MARGIN = 30.0, 235.0, 118.0, 70.0  # pixels
MOST_UNITS, MOST_LABELS = 8, 40
LABEL = 11.5  # size of a weight's label
POSITIVE, NEGATIVE, INK, QUIET, PAPER = "#0b62c4", "#c4261d", "#1b1f24", "#57606a", "#ffffff"
FILLS = {"input": "#eef2f6", "hidden": "#e8f1fb", "output": "#e8f6ec"}


@dataclass(frozen=True)
class Line:
    """A connection; width in pixels."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    colour: str


@dataclass(frozen=True)
class Circle:
    """A unit."""

    x: float
    y: float
    kind: Literal["input", "hidden", "output"]


@dataclass(frozen=True)
class Text:
    """A label, centred on its point; `boxed`: on a white ground."""

    x: float
    y: float
    text: str
    size: float = 13.0
    colour: str = INK
    bold: bool = False
    boxed: bool = False


@dataclass(frozen=True)
class Drawing:
    """What is drawn, in pixels; y grows downwards."""

    width: float
    height: float
    title: str
    lines: tuple[Line, ...]
    circles: tuple[Circle, ...]
    texts: tuple[Text, ...]


def draw(net: Net, values: Mapping[str, float] | None = None) -> Drawing:
    """Lay the network out. `values`: weights, inputs and units of some iteration; without it the givens."""
    known = {**net.givens(), **(values or {})}
    tag = net.tags[0]
    rows = [_shown(units) for units in net.shape]
    height = 2 * MARGIN + DOWN * (max(map(len, rows)) - 1) + 24
    places = [_column(layer, row, height) for layer, row in enumerate(rows)]
    lines, labels = _connections(net, known, places)
    circles, names = _units(net, known, places, tag)
    width = 2 * MARGIN + ACROSS * (len(rows) - 1) + 60
    title = f"The network {net.name}: {'-'.join(map(str, net.shape))}"
    return Drawing(width, height, title, tuple(lines), tuple(circles), (*labels, *names))


def _shown(units: int) -> list[int | None]:
    """Which units are drawn, counted from 0; None stands for those left out."""
    if units <= MOST_UNITS:
        return list(range(units))
    return [*range(MOST_UNITS - 2), None, units - 1]


def _column(layer: int, row: list[int | None], height: float) -> dict[int | None, tuple[float, float]]:
    top = (height - 24) / 2 - DOWN * (len(row) - 1) / 2 + 14
    return {unit: (MARGIN + ACROSS * layer, top + DOWN * k) for k, unit in enumerate(row)}


Places = list[dict[int | None, tuple[float, float]]]


def _connections(net: Net, known: Mapping[str, float], places: Places) -> tuple[list[Line], list[Text]]:
    lines, named = list[Line](), list[str]()
    largest = max(abs(known[name]) for rows in net.weight_names for row in rows for name in row) or 1.0
    for layer, rows in enumerate(net.weight_names):
        labelled = sum(map(len, rows)) <= MOST_LABELS
        for unit, row in enumerate(rows):
            for source, name in enumerate(row):
                if unit not in places[layer + 1] or source not in places[layer]:
                    continue
                ends = (*places[layer][source], *places[layer + 1][unit])
                weight = known[name]
                lines.append(Line(*ends, 0.8 + 3.2 * abs(weight) / largest, NEGATIVE if weight < 0 else POSITIVE))
                named.append(f"{name} {weight:.3g}" if labelled else "")
    return lines, _labels(lines, named, places)


def _labels(lines: list[Line], named: list[str], places: Places) -> list[Text]:
    """The label of each line that has one, where it covers no other and no unit."""
    units = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for column in places for x, y in column.values()]
    ends = [(line.x1, line.y1, line.x2, line.y2) for line in lines]
    size = (2 * max(map(_half_width, named), default=0.0), LABEL + 16)
    where = slide(ends, [bool(text) for text in named], units, size)
    return [Text(*where[k][0], named[k], LABEL, lines[k].colour, boxed=True) for k in where]


def _half_width(text: str, size: float = LABEL) -> float:
    """Half the width of a label's box, estimated from its characters."""
    return len(text) * size * 0.29 + 3


def _units(net: Net, known: Mapping[str, float], places: Places, tag: str) -> tuple[list[Circle], list[Text]]:
    circles, texts = [], []
    for layer, column in enumerate(places):
        for unit, (x, y) in column.items():
            if unit is None:
                texts.append(Text(x, y, "⋮", 22.0, QUIET))
                continue
            kind: Literal["input", "hidden", "output"] = (
                "input" if layer == 0 else "output" if layer == len(places) - 1 else "hidden"
            )
            name = f"i{unit + 1}" if layer == 0 else net.unit(layer - 1, unit)
            circles.append(Circle(x, y, kind))
            value = known.get((name if layer == 0 else f"a_{name}") + tag)
            texts.append(Text(x, y if value is None else y - 7, name, 14.0, bold=True))
            if value is not None:
                texts.append(Text(x, y + 10, f"{value:.3g}", 11.5, QUIET))
            bias = net.bias_of(layer - 1, unit) if layer else None
            if bias:
                texts.append(Text(x, y + RADIUS + 12, f"+ {bias} {known[bias]:.3g}", 11.5, QUIET))
            if kind == "output":
                texts.append(Text(x + RADIUS + 42, y, f"t{unit + 1} {known[f't{unit + 1}{tag}']:.3g}", 12.5, QUIET))
    for layer, chosen in enumerate(net.layers, 1):
        texts.append(Text(MARGIN + ACROSS * layer, 16, chosen.activation, 12.0, QUIET))
    return circles, texts


def svg(drawing: Drawing) -> str:
    """The drawing as an `<svg>` element that stands alone or in a page."""
    w, h = drawing.width, drawing.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img" '
        f'font-family="system-ui, DejaVu Sans, sans-serif" text-anchor="middle">',
        f"<title>{html.escape(drawing.title)}</title>",
        f'<rect width="{w:g}" height="{h:g}" fill="{PAPER}"/>',
    ]
    for line in drawing.lines:
        ends = f'x1="{line.x1:.1f}" y1="{line.y1:.1f}" x2="{line.x2:.1f}" y2="{line.y2:.1f}"'
        parts.append(f'<line {ends} stroke="{line.colour}" stroke-width="{line.width:.2f}" stroke-opacity="0.55"/>')
    for circle in drawing.circles:
        fill = FILLS[circle.kind]
        place = f'cx="{circle.x:.1f}" cy="{circle.y:.1f}" r="{RADIUS:g}"'
        parts.append(f'<circle {place} fill="{fill}" stroke="{INK}" stroke-width="1.4"/>')
    for text in drawing.texts:
        if text.boxed:
            half, tall = _half_width(text.text, text.size), text.size + 4
            box = f'x="{text.x - half:.1f}" y="{text.y - tall / 2:.1f}" width="{2 * half:.1f}" height="{tall:.1f}"'
            parts.append(f'<rect {box} rx="3" fill="{PAPER}" fill-opacity="0.88"/>')
        look = f'font-size="{text.size:g}" fill="{text.colour}"' + (' font-weight="600"' if text.bold else "")
        shown = html.escape(text.text)
        parts.append(f'<text x="{text.x:.1f}" y="{text.y + text.size * 0.35:.1f}" {look}>{shown}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def png(drawing: Drawing, scale: float = 2.0) -> bytes:
    """The drawing as a PNG of `scale` times its size in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle as Round

    figure = Figure(figsize=(drawing.width / 100, drawing.height / 100), dpi=100 * scale, facecolor=PAPER)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
    axes.axis("off")
    for line in drawing.lines:
        ends = ([line.x1, line.x2], [line.y1, line.y2])
        axes.plot(*ends, color=line.colour, linewidth=line.width * 0.72, alpha=0.55, zorder=1)
    for circle in drawing.circles:
        place = (circle.x, circle.y)
        axes.add_patch(Round(place, RADIUS, facecolor=FILLS[circle.kind], edgecolor=INK, linewidth=1.0, zorder=3))
    for text in drawing.texts:
        box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.88, "pad": 1.5} if text.boxed else None
        axes.text(
            text.x, text.y, text.text, fontsize=text.size * 0.72, color=text.colour, ha="center", va="center",
            weight="bold" if text.bold else "normal", bbox=box, zorder=2 if text.boxed else 4, parse_math=False,
        )  # fmt: skip
    out = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(out, format="png", facecolor=PAPER)
    return out.getvalue()
