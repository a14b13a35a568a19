"""What numpy does by way of indices and the stand-in in one stroke: pieces one after the other, rows that are added."""

from __future__ import annotations

import numpy as np


def pieces(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Of each pair the elements from `first` to before `last`, one after the other; all arrays of one axis."""
    count = last - first
    total = int(count.sum())
    if total == 0:
        return values[:0]
    shift = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
    return np.asarray(values[np.arange(total) + shift])


def add_rows(out: np.ndarray, rows: np.ndarray, amounts: np.ndarray) -> None:
    """Add the rows of `amounts` to these rows of `out`, to one that occurs twice twice (quicker on flat arrays)."""
    width = out.shape[1]
    np.add.at(out.reshape(-1), (rows[:, None] * width + np.arange(width)).ravel(), amounts.ravel())
