"""Labels on lines that cross: each slides along its line to where it covers least.

Coordinate descent from the middle: a label's cost is what it covers of other labels and of boxes (as an area), how
many points of other lines it hides, and a little for leaving the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, top, right, bottom
_PLACES = np.arange(9, 42) / 50  # where along its line a label may stand, as a fraction
_POINTS = np.linspace(0.0, 1.0, 41)  # where a line is looked at
_SWEEPS = 8
_CROWDED = 120.0  # square units of another label that may be covered


def places(
    lines: Sequence[Box], labelled: Sequence[bool], boxes: Sequence[Box], size: tuple[float, float]
) -> dict[int, tuple[tuple[float, float], bool]]:
    """For each labelled line (from x1, y1 to x2, y2) the middle of its label, and whether it still covers another.

    `size`: width and height of every label. Lengths in one unit, whichever it is.

    >>> places([(0, 0, 100, 0)], [True], [], (20, 10))
    {0: ((50.0, 0.0), False)}
    """
    if not any(labelled):
        return {}
    ends = np.array(lines, dtype=np.float64)
    own = [k for k, wanted in enumerate(labelled) if wanted]
    middles = np.stack([_at(ends[k], _PLACES) for k in own])  # [labels, places, 2]
    fixed = np.stack([_fixed(k, middles[j], ends, boxes, size) for j, k in enumerate(own)])
    chosen = np.full(len(own), len(_PLACES) // 2)
    for _ in range(_SWEEPS):
        before = chosen.copy()
        for j in range(len(own)):
            others = np.delete(middles[np.arange(len(own)), chosen], j, axis=0)
            chosen[j] = int(np.argmin(np.round(fixed[j] + _covered(middles[j], others, size), 6)))
        if (before == chosen).all():
            break
    final = middles[np.arange(len(own)), chosen]
    crowded = [
        _covered(final[j : j + 1], np.delete(final, j, axis=0), size).max(initial=0.0) > _CROWDED
        for j in range(len(own))
    ]
    return {k: ((float(final[j, 0]), float(final[j, 1])), bool(crowded[j])) for j, k in enumerate(own)}


def _at(line: Floats, fractions: Floats) -> Floats:
    """Points of a line: float64 [fractions, 2]."""
    return line[:2] + fractions[:, None] * (line[2:] - line[:2])


def _fixed(line: int, middles: Floats, ends: Floats, boxes: Sequence[Box], size: tuple[float, float]) -> Floats:
    """The part of the cost that no other label changes, at each place: float64 [places]."""
    cost = 40.0 * np.abs(_PLACES - 0.5)
    if boxes:
        corners = np.array(boxes, dtype=np.float64)
        half = np.array(size) / 2
        low = np.maximum(middles[:, None, :] - half, corners[None, :, :2])
        high = np.minimum(middles[:, None, :] + half, corners[None, :, 2:])
        cost = cost + 2.0 * np.clip(high - low, 0.0, None).prod(axis=2).sum(axis=1)
    points = np.concatenate([_at(other, _POINTS) for k, other in enumerate(ends) if k != line] or [np.empty((0, 2))])
    away = np.abs(middles[:, None, :] - points[None, :, :])
    hidden: Any = (away < np.array(size) / 2).all(axis=2).sum(axis=1)
    return np.asarray(cost + 2.0 * hidden)


def _covered(middles: Floats, others: Floats, size: tuple[float, float]) -> Floats:
    """The area of other labels that a label at each of `middles` covers: float64 [places]."""
    apart = np.abs(middles[:, None, :] - others[None, :, :])
    return np.asarray(np.clip(np.array(size) - apart, 0.0, None).prod(axis=2).sum(axis=1))
