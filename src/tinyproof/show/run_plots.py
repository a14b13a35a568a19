"""Pictures of a training run as PNG bytes: samples, curves, confusion, what was misread. Plain data in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tinyproof.train.run_record import EpochLog, Predictions

# Told apart by people who do not see red and green, and on a grey printout (one is drawn dashed).
TRAIN, TEST, TARGET = "#c05a00", "#0b62c4", "#57606a"
_DPI = 150


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": None})
    return out.getvalue()


def samples(rows: Sequence[tuple[str, NDArray[np.uint8]]], captions: Sequence[str]) -> bytes:
    """Rows of images under one caption a column: (words for the row, uint8 [columns, height, width])."""
    columns = len(captions)
    figure = Figure(figsize=(0.8 * columns + 1.2, 0.8 * len(rows) + 0.5), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for row, (words, images) in enumerate(rows):
        for column in range(columns):
            _picture(grid[row, column], images[column])
            if row == 0:
                grid[row, column].set_title(captions[column], fontsize=11)
        grid[row, 0].set_ylabel(words, rotation=0, ha="right", va="center", fontsize=9)
    return png(figure)


def curves(
    logs: Sequence[EpochLog], target_percent: float | None = None, parts: Sequence[str] = ("loss", "accuracy")
) -> bytes:
    """Loss and accuracy of every epoch, training and test, side by side; or one of them alone (`parts`)."""
    figure = Figure(figsize=(4.75 * len(parts), 3.8), layout="constrained")
    for part, axes in zip(parts, figure.subplots(1, len(parts), squeeze=False)[0], strict=True):
        if part == "loss":
            _both(axes, logs, [x.train_loss for x in logs], [x.test_loss for x in logs])
            axes.set_yscale("log")
            _labels(axes, "loss (log scale)", [log.epoch for log in logs])
        else:
            _accuracy(axes, logs, target_percent)
    return png(figure)


def _accuracy(axes: Any, logs: Sequence[EpochLog], target_percent: float | None) -> None:
    train, test = [log.train_percent for log in logs], [log.test_percent for log in logs]
    _both(axes, logs, train, test)
    if target_percent is not None:
        axes.axhline(target_percent, color=TARGET, lw=1, ls=":", label=f"target {target_percent:g} %")
    # The interesting part is near the top: the first epochs of a long training may lie below it.
    shown = [*train, *(percent for percent in test if percent is not None)]
    low = float(np.percentile(shown, 25)) if len(shown) > 4 else min(shown)
    axes.set_ylim(max(0.0, low - 0.35 * (100 - low) - 0.1), 100.0 + 0.03 * (100.0 - low) + 0.02)
    _labels(axes, "accuracy in %", [log.epoch for log in logs])


def _both(axes: Any, logs: Sequence[EpochLog], train: Sequence[float], test: Sequence[float | None]) -> None:
    """Training dashed, test solid where the test images were looked at."""
    seen = [(log.epoch, value) for log, value in zip(logs, test, strict=True) if value is not None]
    axes.plot([log.epoch for log in logs], train, "o--", color=TRAIN, ms=4, label="training (changed images)")
    axes.plot([epoch for epoch, _ in seen], [value for _, value in seen], "o-", color=TEST, ms=4, label="test")


def confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Counts [true, predicted]; the colour shows mistakes only, so that they are seen beside the many right answers."""
    size = max(4.2, 0.42 * len(classes) + 1)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    wrong = counts.astype(float)
    np.fill_diagonal(wrong, 0)
    # A single mistake is pale; what is no mistake stays white.
    top = max(1.4 * float(wrong.max()), 5.0)
    axes.imshow(np.where(wrong > 0, wrong, np.nan), cmap="Oranges", vmin=0, vmax=top)
    for true, predicted in np.ndindex(counts.shape):
        value = int(counts[true, predicted])
        if value:
            right = true == predicted
            style: dict[str, Any] = {"color": "#1a7f37", "weight": "bold"} if right else {"color": "black"}
            axes.text(predicted, true, f"{value}", ha="center", va="center", fontsize=8, **style)
    ticks = np.arange(len(classes))
    axes.set_xticks(ticks, list(classes))
    axes.set_yticks(ticks, list(classes))
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.tick_params(length=0)
    return png(figure)


def misread(
    images: NDArray[np.uint8], predictions: Predictions, classes: Sequence[str], limit: int = 30
) -> tuple[bytes, int, int] | None:
    """The wrongly read test images, the surest mistakes first: PNG, how many are shown, of how many; None: no mistake.

    `images`: all test images, in the order of the predictions.
    """
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    if not len(wrong):
        return None
    order = wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:limit]
    columns = min(6, len(order))
    rows = -(-len(order) // columns)
    figure = Figure(figsize=(max(0.95 * columns, 3.0), 1.35 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, index in zip(grid, order, strict=False):
        _picture(axes, images[index])
        true, said = classes[predictions.labels[index]], classes[predictions.predicted[index]]
        axes.set_title(f"is {true}, read {said}\n{100 * predictions.confidence[index]:.0f} %", fontsize=7.5)
    return png(figure), len(order), len(wrong)


def _picture(axes: Any, image: NDArray[np.uint8]) -> None:
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_color("#d5dbe1")


def _labels(axes: Any, words: str, epochs: Sequence[int]) -> None:
    axes.set(xlabel="epoch", title=words)
    step = max(1, -(-len(epochs) // 15))
    axes.set_xticks(list(epochs)[::step])
    axes.grid(color="#e3e7eb", lw=0.8)
    axes.legend(fontsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
