"""Penalties on single parameters beside the objective: weight decay, and the slope of an absolute value (lasso)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Study, grouped

EXACT = 1e-7  # of the largest change: a fit on random numbers leaves no rest
LEAST = 1e-7  # of the gradient: what a fit leaves by rounding is no penalty
ALIKE = 1e-5  # two weights of a penalty


def decayed(found: Study) -> None:
    """Weight decay: every change has the same share of its own parameter taken off as well."""
    for training in found.trainings():
        mine = np.flatnonzero((found.training == training) & ~found.match.ok & found.match.seen)
        fits = np.array([_fit(found, int(update), _line) for update in mine]).reshape(len(mine), 2)
        rates, shares = fits[:, 0], fits[:, 1]
        with np.errstate(all="ignore"):
            common = np.nanmedian(shares) if np.isfinite(shares).any() else np.nan
            same = np.isfinite(shares) & (np.abs(shares / common - 1) < ALIKE)
        if 0 < common < 1 and same.sum() >= 2 and (rates[same] > 0).all():
            found.match.ok[mine[same]] = True
            found.match.rate[mine[same]] = rates[same]
            found.decayed += [int(u) for u in mine[same]]


def cornered(found: Study) -> None:
    """The sum of absolute values (lasso, elastic net): a parameter most of whose changes have the same number times its
    sign in them is penalised; its gradient is then that of objective and penalty together."""
    for training in found.trainings():
        mine = np.flatnonzero((found.training == training) & ~found.match.ok & found.match.seen)
        for shapes in (_corner, _corner_and_line):
            fits = np.array([_fit(found, int(update), shapes) for update in mine])
            if len(fits) and np.isfinite(fits).any() and _penalised(found, mine, fits, shapes):
                break


def _penalised(found: Study, mine: np.ndarray, fits: Array, shapes: _Shapes) -> bool:
    """Take the penalty that most fits agree on into the gradient of the parameters that have it."""
    with np.errstate(all="ignore"):
        weights = fits[:, 1:] / fits[:, :1]
        if not np.isfinite(weights).all(axis=1).any():
            return False
        common = np.nanmedian(weights, axis=0)
        same = (np.abs(weights / common - 1) < ALIKE).all(axis=1) & (fits[:, 0] > 0)
    if not (common > LEAST).all() or same.sum() < 2:
        return False
    held = np.isin(np.arange(len(mine)), np.flatnonzero(same))
    for lineage, own in grouped(found.lineage[mine]):
        whole = np.flatnonzero(found.lineage == lineage)
        if 2 * held[own].sum() > len(whole):
            penalty = sum(
                w * shape for w, shape in zip(common, shapes(found.values[found.parameter[whole]]), strict=True)
            )
            found.gradient[whole] += penalty
            new = match(found.change[whole], found.gradient[whole])
            found.match.ok[whole], found.match.seen[whole], found.match.rate[whole] = new.ok, new.seen, new.rate
    return True


def _line(parameter: Array) -> list[Array]:
    return [parameter]


def _corner(parameter: Array) -> list[Array]:
    return [np.sign(parameter)]


def _corner_and_line(parameter: Array) -> list[Array]:
    return [np.sign(parameter), parameter]


_Shapes = Callable[[Array], list[Array]]


def _fit(found: Study, update: int, shapes: _Shapes) -> list[float]:
    """The rate, and how many times each shape of the parameter is taken off; nan where the change is no such sum."""
    c, g = found.change[update], found.gradient[update]
    parts = shapes(found.values[found.parameter[update]])
    good = np.isfinite(c) & np.isfinite(g)
    if good.sum() >= 5 and np.any(g[good]):
        table = np.stack([part[good] for part in (g, *parts)], axis=1)
        fit, _, rank, _ = np.linalg.lstsq(table, c[good], rcond=None)
        if rank == table.shape[1] and np.abs(table @ fit - c[good]).max() <= EXACT * np.abs(c[good]).max():
            return [-float(one) for one in fit]
    return [np.nan] * (1 + len(parts))
