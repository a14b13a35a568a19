"""What several runs got wrong, together: confusion, accuracy by class, the hardest images, calibration. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]
Floats = NDArray[np.floating]


def confusion(predictions: Ints, labels: Ints, classes: int) -> NDArray[np.int64]:
    """Counts [true class, predicted class] over all runs; `predictions` [runs, N], `labels` [N].

    >>> confusion(np.array([[0, 1], [1, 1]]), np.array([0, 1]), 2).tolist()
    [[1, 1], [0, 2]]
    """
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (np.broadcast_to(labels, predictions.shape).ravel(), predictions.ravel()), 1)
    return counts


def by_class(counts: Ints) -> NDArray[np.float64]:
    """Accuracy of each true class, 0 to 1, from a confusion matrix; not a number for a class without images."""
    totals = counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.diag(counts) / np.where(totals == 0, np.nan, totals)


@dataclass(frozen=True)
class Hard:
    """An image that runs got wrong: its row, true class, how many of the runs erred, and what they said most often."""

    row: int
    truth: int
    wrong: int
    said: int


def hardest(predictions: Ints, labels: Ints, count: int, truth_probability: Floats | None = None) -> tuple[Hard, ...]:
    """At most `count` images that most runs got wrong, the hardest first; none that every run got right.

    `truth_probability` [runs, N] (the probability given to the true class) breaks ties.
    """
    wrong = (predictions != labels).sum(axis=0)
    tie = np.zeros(len(labels)) if truth_probability is None else truth_probability.mean(axis=0)
    order = np.lexsort((np.arange(len(labels)), tie, -wrong))[:count]
    found = []
    for row in order[wrong[order] > 0]:
        answers = predictions[:, row]
        values, times = np.unique(answers[answers != labels[row]], return_counts=True)
        found.append(Hard(int(row), int(labels[row]), int(wrong[row]), int(values[times.argmax()])))
    return tuple(found)


@dataclass(frozen=True)
class Calibration:
    """Is a network that says 90 % right nine times in ten? Per bin: mean confidence, share right, images.

    `error`: the expected calibration error, the mean distance of the two weighted by images. Source: Guo et al., arXiv
    1706.04599.
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    images: tuple[int, ...]
    error: float


def calibration(confidence: Floats, right: NDArray[np.bool_], bins: int = 10) -> Calibration:
    """Bins of equal width from 0 to 1; empty ones are left out. `confidence` (0 to 1) and `right` have one shape.

    >>> calibration(np.array([0.75, 0.75]), np.array([True, False])).error
    0.25
    """
    flat, hit = confidence.astype(np.float64).ravel(), right.ravel()
    place = np.clip((flat * bins).astype(int), 0, bins - 1)
    rows = []
    for index in range(bins):
        inside = place == index
        if inside.any():
            rows.append((float(flat[inside].mean()), float(hit[inside].mean()), int(inside.sum())))
    error = sum(n * abs(c - a) for c, a, n in rows) / max(1, flat.size)
    return Calibration(tuple(c for c, _, _ in rows), tuple(a for _, a, _ in rows), tuple(n for _, _, n in rows), error)
