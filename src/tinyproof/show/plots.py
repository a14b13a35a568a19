"""What all pictures of training have in common: one figure, one palette, one drawing of each kind, one way to PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.show.matplotlib_door import canvas

# Told apart by people who do not see red and green, and on a grey printout (one of two lines is drawn dashed).
INK, QUIET, ACCENT, OTHER, GOOD, BAD = "#1b1f24", "#9aa5b1", "#0b62c4", "#c05a00", "#1a7f37", "#c4261d"
_DPI = 150
# More numbers than these in a square of classes could not be read.
_MOST_CLASSES_WITH_NUMBERS = 20
MOST_CLASSES_NAMED = 60
# Inches: no confusion is drawn larger, however many classes there are.
_LARGEST = 18.0


def figure(width: float, height: float, columns: int = 1, rows: int = 1) -> tuple[Any, list[Any]]:
    """An empty figure, size in inches, and its axes row by row. Raises MissingDependency without matplotlib."""
    drawn = canvas(width, height, layout="constrained")
    axes = drawn.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=9)
    return drawn, axes


def png(drawn: Any, dpi: int = _DPI) -> bytes:
    """The figure as PNG bytes, without a time stamp: the same values give the same file."""
    out = io.BytesIO()
    drawn.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()


@dataclass(frozen=True)
class Curve:
    """Values by epoch, the first at epoch `start`; None where nothing was measured."""

    values: Sequence[float | None]
    style: str = "o-"
    colour: str = ACCENT
    label: str = ""
    width: float = 1.5

    def drawn_on(self, axis: Any) -> None:
        """Draw the curve; dots only where they can be told apart."""
        seen = [(epoch, value) for epoch, value in enumerate(self.values, 1) if value is not None]
        epochs, values = [epoch for epoch, _ in seen], [value for _, value in seen]
        axis.plot(epochs, values, self.style, color=self.colour, ms=4, lw=self.width, label=self.label or None)


@dataclass(frozen=True)
class Panel:
    """Curves under one title. `log`: a logarithmic axis, where all values are positive; `marks`: level lines."""

    title: str
    curves: Sequence[Curve]
    log: bool = False
    marks: Sequence[tuple[float, str]] = ()
    limits: tuple[float, float] | None = None


def curves(panels: Sequence[Panel]) -> bytes:
    """Panels of curves by epoch, side by side."""
    drawn, axes = figure(4.75 * len(panels), 3.7, columns=len(panels))
    for axis, panel in zip(axes, panels, strict=True):
        for curve in panel.curves:
            curve.drawn_on(axis)
        for level, words in panel.marks:
            axis.axhline(level, color=INK, lw=1, ls=":", label=words)
        if panel.log and all(value > 0 for curve in panel.curves for value in curve.values if value is not None):
            axis.set_yscale("log")
        if panel.limits is not None:
            axis.set_ylim(*panel.limits)
        axis.set_title(panel.title, fontsize=11)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(color="#e3e7eb", lw=0.8)
        if any(curve.label for curve in panel.curves) or panel.marks:
            axis.legend(fontsize=8)
    return png(drawn)


def confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Counts [true, predicted]; the colour shows mistakes only, so that they are seen beside the many right answers."""
    size = min(max(4.2, 0.44 * len(classes) + 1.1), _LARGEST)
    drawn, (axis,) = figure(size, size)
    wrong = counts.astype(float)
    np.fill_diagonal(wrong, 0)
    # A single mistake is pale; what is no mistake stays white.
    top = max(1.4 * float(wrong.max()), 5.0)
    axis.imshow(np.where(wrong > 0, wrong, np.nan), cmap="Oranges", vmin=0, vmax=top)
    if len(classes) <= _MOST_CLASSES_WITH_NUMBERS:
        for true, predicted in zip(*np.nonzero(counts), strict=True):
            style = {"color": GOOD, "weight": "bold"} if true == predicted else {"color": "black"}
            words = _short(int(counts[true, predicted]))
            axis.text(predicted, true, words, ha="center", va="center", fontsize=8, **style)
    class_ticks(axis, classes)
    if len(classes) <= MOST_CLASSES_NAMED:
        axis.set_yticks(range(len(classes)), list(classes))
    axis.set(xlabel="predicted class", ylabel="true class")
    axis.tick_params(length=0)
    return png(drawn)


def class_ticks(axis: Any, classes: Sequence[str]) -> None:
    """The names of the classes below an axis, where they are few enough to be read; else their numbers."""
    if len(classes) <= MOST_CLASSES_NAMED:
        axis.set_xticks(range(len(classes)), list(classes), rotation=90 if max(map(len, classes)) > 2 else 0)


def gallery(images: Sequence[NDArray[np.uint8]], titles: Sequence[str]) -> bytes:
    """Images uint8 [channels, height, width], each under its title (at most two lines)."""
    columns = min(8, max(1, len(images)))
    rows = max(1, -(-len(images) // columns))
    drawn, axes = figure(max(1.2 * columns, 3.0), 1.5 * rows, columns=columns, rows=rows)
    for axis in axes[len(images) :]:
        axis.axis("off")
    for axis, image, title in zip(axes, images, titles, strict=False):
        picture(axis, image)
        axis.set_title(title, fontsize=7.5)
    return png(drawn)


def picture(axis: Any, image: NDArray[np.uint8]) -> None:
    """One image [channels, height, width] in a thin frame: grey is dark on light as it is written, colour as it is."""
    shown = np.moveaxis(image, 0, -1) if len(image) == 3 else image[0]
    axis.imshow(shown, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set_visible(True)
        side.set_color("#d5dbe1")


def _short(count: int) -> str:
    return str(count) if count < 100_000 else f"{count / 1000:.0f}k"
