"""Pictures of a training run as PNG bytes: samples, curves, confusion, what was misread. Plain data in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tinyproof.cnn.run import EpochLog, Predictions

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


def curves(logs: Sequence[EpochLog], target_percent: float | None = None) -> bytes:
    """Loss and accuracy of every epoch, training and test, side by side."""
    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    epochs = [log.epoch for log in logs]
    tested = [log for log in logs if log.test_percent is not None]
    at = [log.epoch for log in tested]
    loss.plot(epochs, [log.train_loss for log in logs], "o--", color=TRAIN, ms=4, label="training (changed images)")
    loss.plot(at, [log.test_loss for log in tested], "o-", color=TEST, ms=4, label="test")
    accuracy.plot(epochs, [log.train_percent for log in logs], "o--", color=TRAIN, ms=4, label="training")
    accuracy.plot(at, [log.test_percent for log in tested], "o-", color=TEST, ms=4, label="test")
    if target_percent is not None:
        accuracy.axhline(target_percent, color=TARGET, lw=1, ls=":", label=f"target {target_percent:g} %")
    loss.set_yscale("log")
    _labels(loss, "loss (log scale)", epochs)
    _labels(accuracy, "accuracy in %", epochs)
    # The interesting part is near the top: the first epoch may lie below it, and is then named at the edge.
    shown = [p for p in (x.test_percent for x in tested) if p is not None] + [x.train_percent for x in logs]
    low = float(np.percentile(shown, 25)) if len(shown) > 4 else min(shown)
    accuracy.set_ylim(max(0.0, low - 0.35 * (100 - low) - 0.1), 100.0 + 0.03 * (100.0 - low) + 0.02)
    return png(figure)


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
    images: NDArray[np.uint8], predictions: Predictions, classes: Sequence[str], limit: int = 40
) -> tuple[bytes, int, int] | None:
    """The wrongly read test images, the surest mistakes first: PNG, how many are shown, of how many; None: no mistake.

    `images`: all test images, in the order of the predictions.
    """
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    if not len(wrong):
        return None
    order = wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:limit]
    columns = min(10, len(order))
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
