"""Changes that are clipped: no larger than a number, whichever way they go.

On the samples where a change stands at its limit it says nothing about its gradient; where the rest follows, it must
stand there on the right side, and only where the gradient is large enough.
"""

from __future__ import annotations

from tinyproof.backprop.tape import Array
from tinyproof.core.arrays import np

LEAST_INSIDE = 4  # samples on which a change is not at its limit
MOST_LIMITS = 8  # different ones, that other changes are held against
SAME = 1e-9


def clipped_rates(change: Array, gradient: Array, close: float) -> tuple[Array, np.ndarray]:
    """The rate k of each change that is -k times its gradient, clipped (nan for all others), and which changes stand
    at a limit so often that nothing can be told. Both (updates, samples); no value may be nan."""
    limit = _at_limit(change)
    both = (limit & (change > 0)).any(axis=1) & (limit & (change < 0)).any(axis=1)
    rates = np.full(len(change), np.nan)
    for row in np.flatnonzero(both).tolist():
        rates[row] = _rate(change[row], gradient[row], limit[row], close)
    largest = np.abs(change).max(axis=1, initial=0.0)
    known = np.isfinite(rates)
    limits = np.unique(np.round(largest[known] / rates[known], 9))[:MOST_LIMITS]  # of the gradient
    for row in np.flatnonzero(~known).tolist():
        for size in limits.tolist():
            rate = largest[row] / size
            if np.abs(np.clip(-rate * gradient[row], -largest[row], largest[row]) - change[row]).max() <= close * rate:
                rates[row] = rate
    few = (~limit & (change != 0)).sum(axis=1) < LEAST_INSIDE
    return rates, few & (limit.sum(axis=1) > 1) & ~np.isfinite(rates) & bool(len(limits))


def _at_limit(change: Array) -> np.ndarray:
    """Where each change has its largest size."""
    size = np.abs(change)
    largest = size.max(axis=1, keepdims=True, initial=0.0)
    return np.asarray((size >= largest * (1 - SAME)) & (largest > 0))


def _rate(c: Array, g: Array, limit: np.ndarray, close: float) -> float:
    """The rate of one change that stands at its limit both ways, where the rest differ from each other; else nan."""
    inner = ~limit & (c != 0)
    different = len(np.unique(np.round(c[inner] / np.abs(c).max(), 9)))
    if different < max(LEAST_INSIDE, 0.8 * inner.sum()):
        return np.nan
    rate = -float((c[~limit] * g[~limit]).sum()) / max(float((g[~limit] ** 2).sum()), 1e-300)
    follows = rate > 0 and np.abs(c + rate * g)[~limit].max() <= close * np.abs(c).max()
    return rate if follows and (-rate * g * c >= c**2 * (1 - close))[limit].all() else np.nan
