"""Pictures of many runs: curves of all seeds with their mean, strip of final accuracies, calibration, hardest images.

Every function takes plain values and gives PNG bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.stats import Interval
from tinyproof.prove.analysis import Calibration, Hard
from tinyproof.prove.verdict import Verdict
from tinyproof.show import plots
from tinyproof.show.plots import ACCENT, BAD, GOOD, INK, QUIET, Curve, Panel


def curves(losses: Sequence[Sequence[float]], accuracies: Sequence[Sequence[float]]) -> bytes:
    """Training loss and accuracy (percent) by epoch: a thin line a seed, a thick one for their mean.

    A run that ended early has a shorter line; the mean stops where the first one does.
    """
    return plots.curves(
        [Panel("training loss", _seeds(losses), log=True), Panel("training accuracy, %", _seeds(accuracies))]
    )


def _seeds(rows: Sequence[Sequence[float]]) -> list[Curve]:
    shortest = min((len(row) for row in rows), default=0)
    mean = [float(value) for value in np.mean([row[:shortest] for row in rows], axis=0)] if shortest else []
    return [
        *(Curve(row, "-", QUIET, width=0.8) for row in rows),
        Curve(mean, "-", ACCENT, f"mean of {len(rows)}", 2.2),
    ]


def strip(verdict: Verdict) -> bytes:
    """Every last-epoch test accuracy as a dot, the mean with its 95 % interval, and the target."""
    colour = {"proved": GOOD, "refuted": BAD}.get(verdict.word, INK)
    values = [score.percent for score in verdict.scores]
    return _strip(values, verdict.mean, verdict.interval, [(verdict.target, f"target {verdict.target:g} %", colour)])


def claim(values: Sequence[float], interval: Interval | None, published: Sequence[tuple[float, int]]) -> bytes:
    """The same for a published claim; `published`: its percents, each with its epoch."""
    lines = [(percent, f"published {percent:.2f} % (epoch {epoch})", BAD) for percent, epoch in published]
    return _strip(values, float(np.mean(values)), interval, lines)


def _strip(
    values: Sequence[float], mean: float | None, interval: Interval | None, lines: Sequence[tuple[float, str, str]]
) -> bytes:
    figure, axes = plots.figure(8, 2.3)
    axis = axes[0]
    # Dots of equal accuracy stand above each other instead of hiding one another.
    seen: dict[float, int] = {}
    heights = []
    for value in values:
        heights.append(seen.get(value, 0))
        seen[value] = heights[-1] + 1
    axis.scatter(values, [0.16 * h for h in heights], s=52, color=ACCENT, alpha=0.75, linewidths=0, zorder=3)
    if interval is not None and mean is not None:
        axis.plot([interval.low, interval.high], [-0.35, -0.35], color=INK, linewidth=3, solid_capstyle="butt")
        axis.plot([mean], [-0.35], marker="D", color=INK, markersize=7)
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
    return plots.png(figure)


def by_class(accuracy: NDArray[np.float64], classes: Sequence[str]) -> bytes:
    """Share of errors of each true class, in percent, over all runs."""
    figure, axes = plots.figure(8, 2.8)
    axis = axes[0]
    errors = 100 * (1 - np.nan_to_num(accuracy, nan=1.0))
    bars = axis.bar(range(len(classes)), errors, color=ACCENT)
    if len(classes) <= plots.MOST_CLASSES_NAMED:
        axis.bar_label(bars, [f"{value:.2f}" for value in errors], fontsize=8, padding=2)
    plots.class_ticks(axis, classes)
    axis.set_ylabel("errors, %")
    axis.margins(y=0.15)
    return plots.png(figure)


def calibration(bins: Calibration) -> bytes:
    """Reliability diagram: share right against confidence; on the diagonal a network means what it says."""
    figure, axes = plots.figure(4.4, 4.2)
    axis = axes[0]
    axis.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=1)
    sizes = 20 + 140 * np.sqrt(np.array(bins.images) / max(1, *bins.images, 1))
    axis.plot(bins.confidence, bins.accuracy, color=ACCENT, linewidth=1)
    axis.scatter(bins.confidence, bins.accuracy, s=sizes, color=ACCENT, alpha=0.75, linewidths=0)
    axis.set_xlabel("confidence")
    axis.set_ylabel("share right")
    axis.set_xlim(0, 1.03)
    axis.set_ylim(0, 1.03)
    return plots.png(figure)


def hardest(images: NDArray[np.uint8], hard: Sequence[Hard], classes: Sequence[str], runs: int) -> bytes:
    """The hardest images, with what they are, what the runs said, and how many of the runs erred."""
    titles = [f"{classes[one.truth]} → {classes[one.said]}\n{one.wrong} of {runs}" for one in hard]
    return plots.gallery([images[one.row] for one in hard], titles)


def rates(
    rate: Sequence[float],
    losses: Sequence[float],
    marks: Sequence[tuple[float, str]] = (),
    label: str = "training loss",
) -> bytes:
    """A learning-rate range test: loss against rate on a logarithmic axis, with marked rates."""
    figure, axes = plots.figure(8, 3.6)
    axis = axes[0]
    axis.plot(rate, losses, color=ACCENT, linewidth=1.6)
    axis.set_xscale("log")
    for value, text in marks:
        axis.axvline(value, color=BAD, linestyle="--", linewidth=1)
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
    return plots.png(figure)


def pairs(first: Sequence[float], second: Sequence[float], names: Sequence[str]) -> bytes:
    """A line a seed from its accuracy on the first side to that on the second; thick: the means."""
    figure, axes = plots.figure(6.5, 3.8)
    axis = axes[0]
    for one, other in zip(first, second, strict=True):
        axis.plot([0, 1], [one, other], color=QUIET, linewidth=1, marker="o", markersize=4)
    axis.plot([0, 1], [np.mean(first), np.mean(second)], color=ACCENT, linewidth=3, marker="D", markersize=7)
    axis.set_xticks([0, 1], [name if len(name) <= 40 else name[:39] + "…" for name in names])
    axis.set_xlim(-0.3, 1.3)
    axis.set_ylabel("test accuracy, %")
    return plots.png(figure)
