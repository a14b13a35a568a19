"""What a picture is made of, in pixels (y grows downwards), and how it becomes SVG text or PNG bytes.

A colour is a role: `auto` follows the reader's preference where it is shown, the others are fixed. In `auto` the
light colours stand in the attributes and the dark ones in a style, so that programs without styles show the light ones.
"""

from __future__ import annotations

import html
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tinyproof.show.matplotlib_door import canvas

Theme = Literal["auto", "light", "dark"]
Point = tuple[float, float]

# Role -> its colour on white and on black.
COLOURS = {
    "ink": ("#1b1f24", "#e6e9ec"),
    "quiet": ("#57606a", "#9aa5b1"),
    "paper": ("#ffffff", "#14181d"),
    "wire": ("#9aa7b4", "#66747f"),
    "positive": ("#0b62c4", "#6cb2ff"),
    "negative": ("#c4261d", "#ff7b72"),
    "input": ("#eef2f6", "#2a323a"),
    "hidden": ("#dcebfb", "#1d3653"),
    "output": ("#dff3e5", "#17402a"),
    "pool": ("#fdf0d2", "#453613"),
    "other": ("#ece5f7", "#362a4d"),
}
FONT = "system-ui, DejaVu Sans, sans-serif"


@dataclass(frozen=True)
class Line:
    """A line through points, an area (`fill`, a role), or both; `stroke` is a role, `width` in pixels."""

    points: tuple[Point, ...]
    stroke: str = "ink"
    width: float = 1.2
    fill: str = ""
    opacity: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Circle:
    """A circle around x, y."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True)
class Text:
    """A label, centred on its point; `boxed`: on a ground of paper."""

    x: float
    y: float
    text: str
    size: float = 13.0
    colour: str = "ink"
    bold: bool = False
    boxed: bool = False

    @property
    def width(self) -> float:
        """Estimated from the number of characters."""
        return len(self.text) * self.size * 0.58 + 6


@dataclass(frozen=True)
class Picture:
    """Shapes in the order in which they are painted. `description`: the whole of it for a reader who cannot see it."""

    width: float
    height: float
    title: str
    description: str
    shapes: tuple[Line | Circle | Text, ...]

    @property
    def texts(self) -> list[Text]:
        return [shape for shape in self.shapes if isinstance(shape, Text)]

    @property
    def circles(self) -> list[Circle]:
        return [shape for shape in self.shapes if isinstance(shape, Circle)]


def arrow(points: Sequence[Point], colour: str = "quiet") -> tuple[Line, Line]:
    """A line with a head at its last point."""
    (x0, y0), (x, y) = points[-2:]
    long = max(1e-9, ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5)
    dx, dy = 6 * (x - x0) / long, 6 * (y - y0) / long
    head = ((x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2))
    return Line(tuple(points), colour), Line(head, colour, 0.6, fill=colour)


def svg(picture: Picture, theme: Theme = "auto") -> str:
    """The picture as an `<svg>` element that stands alone or in a page; its texts are texts."""
    w, h = f"{picture.width:g}", f"{picture.height:g}"
    mark = f"drawing-{zlib.crc32(repr(picture).encode()):08x}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tinyproof-drawing" viewBox="0 0 {w} {h}" width="{w}" '
        f'height="{h}" role="img" aria-labelledby="{mark}-title {mark}-desc" font-family="{FONT}" text-anchor="middle">'
    )
    words = [(name, html.escape(text)) for name, text in (("title", picture.title), ("desc", picture.description))]
    parts = [head, *(f'<{name} id="{mark}-{name}">{text}</{name}>' for name, text in words)]
    paint = _Paint(theme)
    body = [f'<rect width="{w}" height="{h}" {paint("fill", "paper")}/>']
    for shape in picture.shapes:
        body += _drawn(shape, paint)
    return "\n".join([*parts, *paint.style(), *body, "</svg>"]) + "\n"


class _Paint:
    """Gives attributes their colours, and remembers which of them the dark style must name."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._used = dict[tuple[str, str], str]()

    def __call__(self, *pairs: str) -> str:
        """`fill, role, stroke, role` as attributes."""
        both = list(zip(pairs[::2], pairs[1::2], strict=True))
        written = " ".join(f'{name}="{COLOURS[role][self.theme == "dark"] if role else "none"}"' for name, role in both)
        if self.theme != "auto":
            return written
        kinds = [f"{name[0]}-{role}" for name, role in both if role]
        self._used |= {(name, role): f"{name[0]}-{role}" for name, role in both if role}
        return f'class="{" ".join(kinds)}" {written}'

    def style(self) -> Iterator[str]:
        if self._used:
            rules = " ".join(
                f".tinyproof-drawing .{kind} {{ {name}: {COLOURS[role][1]} }}"
                for (name, role), kind in sorted(self._used.items())
            )
            yield f"<style>@media screen and (prefers-color-scheme: dark) {{ {rules} }}</style>"


def _drawn(shape: Line | Circle | Text, paint: _Paint) -> Iterator[str]:
    if isinstance(shape, Line):
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in shape.points)
        more = ' stroke-dasharray="5 3"' if shape.dashed else ""
        more += f' stroke-opacity="{shape.opacity:g}"' if shape.opacity < 1 else ""
        look = f'{paint("fill", shape.fill, "stroke", shape.stroke)} stroke-width="{shape.width:.2f}"{more}'
        yield f'<path d="M{way}{"Z" if shape.fill else ""}" {look} stroke-linejoin="round"/>'
    elif isinstance(shape, Circle):
        place = f'cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:g}"'
        yield f'<circle {place} {paint("fill", shape.fill, "stroke", "ink")} stroke-width="1.4"/>'
    else:
        if shape.boxed:
            wide, tall = shape.width, shape.size + 4
            box = f'x="{shape.x - wide / 2:.1f}" y="{shape.y - tall / 2:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
            yield f'<rect {box} rx="3" {paint("fill", "paper")} fill-opacity="0.88"/>'
        look = f'font-size="{shape.size:g}" {paint("fill", shape.colour)}' + (
            ' font-weight="600"' if shape.bold else ""
        )
        place = f'x="{shape.x:.1f}" y="{shape.y + shape.size * 0.35:.1f}"'
        yield f"<text {place} {look}>{html.escape(shape.text)}</text>"


def png(picture: Picture, theme: Theme = "light", scale: float = 2.0) -> bytes:
    """The picture as a PNG of `scale` times its size in pixels; `auto` is light.

    Raises MissingDependency without matplotlib.
    """

    def colour(role: str) -> str:
        return COLOURS[role][theme == "dark"] if role else "none"

    figure = canvas(picture.width / 100, picture.height / 100, dpi=100 * scale, facecolor=colour("paper"))
    from matplotlib.patches import Circle as Round
    from matplotlib.patches import Polygon

    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, picture.width), ylim=(picture.height, 0))
    axes.axis("off")
    for order, shape in enumerate(picture.shapes, 1):
        if isinstance(shape, Line):
            look = {"edgecolor": colour(shape.stroke), "facecolor": colour(shape.fill), "linewidth": shape.width * 0.72}
            more = {"alpha": shape.opacity, "linestyle": "--" if shape.dashed else "-", "joinstyle": "round"}
            axes.add_patch(Polygon(shape.points, closed=bool(shape.fill), zorder=order, **look, **more))
        elif isinstance(shape, Circle):
            look = {"facecolor": colour(shape.fill), "edgecolor": colour("ink"), "linewidth": 1.0}
            axes.add_patch(Round((shape.x, shape.y), shape.radius, zorder=order, **look))
        else:
            box = {"facecolor": colour("paper"), "edgecolor": "none", "alpha": 0.88, "pad": 1.5}
            axes.text(
                shape.x, shape.y, shape.text, fontsize=shape.size * 0.72, color=colour(shape.colour), ha="center",
                va="center", weight="bold" if shape.bold else "normal", bbox=box if shape.boxed else None,
                zorder=order, parse_math=False,
            )  # fmt: skip
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=colour("paper"))
    return out.getvalue()
