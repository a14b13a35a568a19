"""Does a change follow a gradient? Decided on random values, one number k for each parameter."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.clipping import clipped_rates
from tinyproof.core.arrays import np

STEPPED = 40  # samples where formulas bend or jump
CLOSE = 1e-6  # a saturated unit costs digits; a wrong formula is off by far more on random numbers


@dataclass
class Match:
    """For each update: does it follow (`ok`), is there something to see (`seen`), and the rate k."""

    ok: np.ndarray
    seen: np.ndarray
    rate: np.ndarray


def follows(change: Array, gradient: Array) -> np.ndarray:
    """Which of the changes, row by row, follow one gradient: `match(..).ok`, and quicker where hardly any does.

    `change`: (updates, samples), `gradient`: (samples). A row that follows is k times the gradient on any two samples.
    """
    ok = np.zeros(len(change), dtype=bool)
    rows = np.arange(len(change))
    largest = int(np.argmax(np.where(np.isfinite(gradient), np.abs(gradient), 0.0))) if len(gradient) else 0
    if 1 < len(gradient) < STEPPED and np.isfinite(gradient).all() and gradient[largest]:
        # |c_i g_j - c_j g_i| is at most |c + k g| (|g_i| + |g_j|); a row with what is no number is looked at
        other = largest - 1 if largest else 1
        sure = np.isfinite(change).all(axis=1)
        apart = np.abs(change[:, other] * gradient[largest] - change[:, largest] * gradient[other])
        bound = 4 * CLOSE * np.abs(change).max(axis=1) * np.abs(gradient[largest])
        rows = np.flatnonzero(~(sure & (apart > bound)))
    if len(rows):
        ok[rows] = match(change[rows], np.broadcast_to(gradient, (len(rows), len(gradient)))).ok
    return ok


def match(change: Array, gradient: Array) -> Match:
    """`change = -k gradient` with one k, row by row. Both (updates, samples)."""
    good = np.isfinite(change) & np.isfinite(gradient)
    whole = bool(good.all())
    c, g = (change, gradient) if whole else (np.where(good, change, 0.0), np.where(good, gradient, 0.0))
    with np.errstate(all="ignore"):
        gg = (g * g).sum(axis=1)
        rate = np.where(gg > 0, -(c * g).sum(axis=1) / np.where(gg > 0, gg, 1), np.nan)
        known, tall, steep = np.nan_to_num(rate), np.abs(c).max(axis=1), np.abs(g)
        highest = steep.max(axis=1)
        size = np.maximum(tall, np.abs(known) * highest)
        off = np.abs(c + known[:, None] * g).max(axis=1)
        lively = (steep > 1e-9 * highest[:, None]).sum(axis=1)
        moves = tall > 0
    seen = (good.sum(axis=1) >= max(3, change.shape[1] // 2)) & ((lively >= 2) | (moves & (lively == 0)))
    ok = seen & (off <= CLOSE * size) & moves & (lively >= 2)
    if change.shape[1] >= STEPPED:  # only what bends is clipped
        left = np.flatnonzero(seen & ~ok & moves & good.all(axis=1))
        clipped, unknown = clipped_rates(c[left], g[left], CLOSE)
        ok[left], rate[left] = np.isfinite(clipped), np.where(np.isfinite(clipped), clipped, rate[left])
        seen[left[unknown]] = False
    return Match(ok, seen, rate)
