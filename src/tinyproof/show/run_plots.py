"""Pictures of one training run as PNG bytes: samples, curves, what was misread. Plain data in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinyproof.show import plots
from tinyproof.show.plots import Curve, Panel
from tinyproof.train.run_record import EpochLog, Predictions


def samples(rows: Sequence[tuple[str, NDArray[np.uint8]]], captions: Sequence[str]) -> bytes:
    """Rows of images under one caption a column: (words for the row, uint8 [columns, channels, height, width])."""
    columns = len(captions)
    figure, axes = plots.figure(0.8 * columns + 1.2, 0.8 * len(rows) + 0.5, columns=columns, rows=len(rows))
    for row, (words, images) in enumerate(rows):
        line = axes[row * columns : (row + 1) * columns]
        for axis, image, caption in zip(line, images, captions, strict=True):
            plots.picture(axis, image)
            if row == 0:
                axis.set_title(caption, fontsize=11 if max(map(len, captions)) <= 4 else 7)
        line[0].set_ylabel(words, rotation=0, ha="right", va="center", fontsize=9)
    return plots.png(figure)


def curves(
    logs: Sequence[EpochLog], target_percent: float | None = None, parts: Sequence[str] = ("loss", "accuracy")
) -> bytes:
    """Loss and accuracy of every epoch, training and test, side by side; or one of them alone (`parts`)."""
    return plots.curves([_loss(logs) if part == "loss" else _accuracy(logs, target_percent) for part in parts])


def _loss(logs: Sequence[EpochLog]) -> Panel:
    return Panel("loss (log scale)", _both([x.train_loss for x in logs], [x.test_loss for x in logs]), log=True)


def _accuracy(logs: Sequence[EpochLog], target_percent: float | None) -> Panel:
    train, test = [log.train_percent for log in logs], [log.test_percent for log in logs]
    marks = [] if target_percent is None else [(target_percent, f"target {target_percent:g} %")]
    # The interesting part is near the top: the first epochs of a long training may lie below it.
    shown = [*train, *(percent for percent in test if percent is not None)]
    low = float(np.percentile(shown, 25)) if len(shown) > 4 else min(shown)
    limits = (max(0.0, low - 0.35 * (100 - low) - 0.1), 100.0 + 0.03 * (100.0 - low) + 0.02)
    return Panel("accuracy in %", _both(train, test), marks=marks, limits=limits)


def _both(train: Sequence[float], test: Sequence[float | None]) -> list[Curve]:
    """Training dashed, test solid where the test images were looked at."""
    return [
        Curve(train, "o--", plots.OTHER, "training (changed images)"),
        Curve(test, "o-", plots.ACCENT, "test"),
    ]


def misread(
    images: NDArray[np.uint8], predictions: Predictions, classes: Sequence[str], limit: int = 32
) -> tuple[bytes, int, int] | None:
    """The wrongly read test images, the surest mistakes first: PNG, how many are shown, of how many; None: no mistake.

    `images`: all test images, in the order of the predictions.
    """
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    if not len(wrong):
        return None
    order = wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:limit]
    titles = [
        f"is {classes[predictions.labels[index]]}, read {classes[predictions.predicted[index]]}\n"
        f"{100 * predictions.confidence[index]:.0f} %"
        for index in order
    ]
    return plots.gallery(list(images[order]), titles), len(order), len(wrong)
