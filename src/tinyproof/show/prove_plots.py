"""Pictures of many runs: curves of all seeds with their mean, strip of final accuracies, confusion, calibration.

Every function takes plain values and gives PNG bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.stats import Interval
from tinyproof.prove.analysis import Calibration, Hard
from tinyproof.prove.verdict import Verdict

_INK, _QUIET, _ACCENT, _GOOD, _BAD = "#1b1f24", "#9aa5b1", "#0b62c4", "#1a7f37", "#c4261d"


def curves(losses: Sequence[Sequence[float]], accuracies: Sequence[Sequence[float]]) -> bytes:
    """Training loss and accuracy (percent) by epoch: a thin line a seed, a thick one for their mean.

    A run that ended early has a shorter line; the mean stops where the first one does.
    """
    figure, axes = _figure(10, 3.6, columns=2)
    for axis, rows, name, log in (
        (axes[0], losses, "training loss", True),
        (axes[1], accuracies, "training accuracy, %", False),
    ):
        shortest = min((len(row) for row in rows), default=0)
        for row in rows:
            axis.plot(range(1, len(row) + 1), row, color=_QUIET, linewidth=0.8, alpha=0.8)
        if shortest:
            middle = np.mean([row[:shortest] for row in rows], axis=0)
            axis.plot(range(1, shortest + 1), middle, color=_ACCENT, linewidth=2.2, label=f"mean of {len(rows)}")
            axis.legend(frameon=False)
        if log and all(value > 0 for row in rows for value in row):
            axis.set_yscale("log")
        axis.set_xlabel("epoch")
        axis.set_title(name, loc="left", fontsize=11)
        axis.xaxis.get_major_locator().set_params(integer=True)
    return _png(figure)


def strip(verdict: Verdict) -> bytes:
    """Every last-epoch test accuracy as a dot, the mean with its 95 % interval, and the target."""
    colour = {"proved": _GOOD, "refuted": _BAD}.get(verdict.word, _INK)
    values = [score.percent for score in verdict.scores]
    return _strip(values, verdict.mean, verdict.interval, [(verdict.target, f"target {verdict.target:g} %", colour)])


def claim(values: Sequence[float], interval: Interval | None, published: Sequence[tuple[float, int]]) -> bytes:
    """The same for a published claim; `published`: its percents, each with its epoch."""
    lines = [(percent, f"published {percent:.2f} % (epoch {epoch})", _BAD) for percent, epoch in published]
    return _strip(values, float(np.mean(values)), interval, lines)


def _strip(
    values: Sequence[float], mean: float | None, interval: Interval | None, lines: Sequence[tuple[float, str, str]]
) -> bytes:
    figure, axes = _figure(8, 2.3)
    axis = axes[0]
    # Dots of equal accuracy stand above each other instead of hiding one another.
    seen: dict[float, int] = {}
    heights = []
    for value in values:
        heights.append(seen.get(value, 0))
        seen[value] = heights[-1] + 1
    axis.scatter(values, [0.16 * h for h in heights], s=52, color=_ACCENT, alpha=0.75, linewidths=0, zorder=3)
    if interval is not None and mean is not None:
        axis.plot([interval.low, interval.high], [-0.35, -0.35], color=_INK, linewidth=3, solid_capstyle="butt")
        axis.plot([mean], [-0.35], marker="D", color=_INK, markersize=7)
        note = "mean, 95 % interval"
        axis.annotate(note, (mean, -0.35), (0, -14), textcoords="offset points", ha="center", fontsize=9)
    top = max(0.5, 0.16 * max(heights, default=0) + 0.35) + 0.17 * (len(lines) - 1)
    for index, (value, text, colour) in enumerate(lines):
        axis.axvline(value, color=colour, linestyle="--", linewidth=1.5)
        place = (4, -10 - 11 * index)
        axis.annotate(text, (value, top), place, textcoords="offset points", color=colour, fontsize=9)
    axis.set_ylim(-0.75, top)
    axis.set_yticks([])
    axis.set_xlabel("test accuracy after the last epoch, %")
    axis.margins(x=0.15)
    return _png(figure)


def confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """A confusion matrix over all runs: rows true, columns predicted; colours show the errors, the diagonal is grey."""
    size = max(4.2, 0.46 * len(classes) + 1.2)
    figure, axes = _figure(size, size)
    axis = axes[0]
    errors = counts.astype(float)
    np.fill_diagonal(errors, np.nan)
    top = np.nanmax(errors) if np.isfinite(errors).any() else 0.0
    axis.imshow(errors, cmap="Reds", vmin=0, vmax=max(1.0, top))
    for row in range(len(classes)):
        for column in range(len(classes)):
            count = int(counts[row, column])
            if count and len(classes) <= 20:
                colour = _QUIET if row == column else ("white" if count > 0.6 * top else _INK)
                axis.text(column, row, _short(count), ha="center", va="center", fontsize=7.5, color=colour)
    axis.set_xticks(range(len(classes)), list(classes), rotation=90 if max(map(len, classes)) > 2 else 0)
    axis.set_yticks(range(len(classes)), list(classes))
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    return _png(figure)


def by_class(accuracy: NDArray[np.float64], classes: Sequence[str]) -> bytes:
    """Share of errors of each true class, in percent, over all runs."""
    figure, axes = _figure(8, 2.8)
    axis = axes[0]
    errors = 100 * (1 - np.nan_to_num(accuracy, nan=1.0))
    bars = axis.bar(range(len(classes)), errors, color=_ACCENT)
    axis.bar_label(bars, [f"{value:.2f}" for value in errors], fontsize=8, padding=2)
    axis.set_xticks(range(len(classes)), list(classes), rotation=90 if max(map(len, classes)) > 2 else 0)
    axis.set_ylabel("errors, %")
    axis.margins(y=0.15)
    return _png(figure)


def calibration(bins: Calibration) -> bytes:
    """Reliability diagram: share right against confidence; on the diagonal a network means what it says."""
    figure, axes = _figure(4.4, 4.2)
    axis = axes[0]
    axis.plot([0, 1], [0, 1], color=_QUIET, linestyle="--", linewidth=1)
    sizes = 20 + 140 * np.sqrt(np.array(bins.images) / max(1, *bins.images, 1))
    axis.plot(bins.confidence, bins.accuracy, color=_ACCENT, linewidth=1)
    axis.scatter(bins.confidence, bins.accuracy, s=sizes, color=_ACCENT, alpha=0.75, linewidths=0)
    axis.set_xlabel("confidence")
    axis.set_ylabel("share right")
    axis.set_xlim(0, 1.03)
    axis.set_ylim(0, 1.03)
    return _png(figure)


def gallery(images: NDArray[np.uint8], hard: Sequence[Hard], classes: Sequence[str], runs: int) -> bytes:
    """The hardest images, with what they are, what the runs said, and how many of the runs erred."""
    columns = min(8, max(1, len(hard)))
    rows = -(-len(hard) // columns)
    figure, axes = _figure(1.25 * columns, 1.6 * rows, columns=columns, rows=rows)
    for axis in axes:
        axis.axis("off")
    for axis, image in zip(axes, hard, strict=False):
        axis.imshow(images[image.row], cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(f"{classes[image.truth]} → {classes[image.said]}\n{image.wrong} of {runs}", fontsize=8)
    return _png(figure)


def rates(
    rate: Sequence[float],
    losses: Sequence[float],
    marks: Sequence[tuple[float, str]] = (),
    label: str = "training loss",
) -> bytes:
    """A learning-rate range test: loss against rate on a logarithmic axis, with marked rates."""
    figure, axes = _figure(8, 3.6)
    axis = axes[0]
    axis.plot(rate, losses, color=_ACCENT, linewidth=1.6)
    axis.set_xscale("log")
    for value, text in marks:
        axis.axvline(value, color=_BAD, linestyle="--", linewidth=1)
        axis.annotate(
            text,
            (value, 0.97),
            (4, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
    axis.set_xlabel("learning rate")
    axis.set_ylabel(label)
    return _png(figure)


def pairs(first: Sequence[float], second: Sequence[float], names: Sequence[str]) -> bytes:
    """A line a seed from its accuracy on the first side to that on the second; thick: the means."""
    figure, axes = _figure(6.5, 3.8)
    axis = axes[0]
    for one, other in zip(first, second, strict=True):
        axis.plot([0, 1], [one, other], color=_QUIET, linewidth=1, marker="o", markersize=4)
    axis.plot([0, 1], [np.mean(first), np.mean(second)], color=_ACCENT, linewidth=3, marker="D", markersize=7)
    axis.set_xticks([0, 1], [name if len(name) <= 40 else name[:39] + "…" for name in names])
    axis.set_xlim(-0.3, 1.3)
    axis.set_ylabel("test accuracy, %")
    return _png(figure)


def _short(count: int) -> str:
    return str(count) if count < 10_000 else f"{count / 1000:.0f}k"


def _figure(width: float, height: float, columns: int = 1, rows: int = 1) -> tuple[Any, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=9)
    return figure, axes


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    # No time stamp: the same runs give the same file.
    figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()
