"""Penalties on single parameters beside the objective: weight decay, and the slope of an absolute value (lasso)."""

from __future__ import annotations

from collections.abc import Callable

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Study, grouped
from tinyproof.check.workbook.graph.multiplied import ALONE, Factors
from tinyproof.core.arrays import np

EXACT = 1e-7  # of the largest change: a fit on random numbers leaves no rest
LEAST = 1e-7  # of the gradient: what a fit leaves by rounding is no penalty
ALIKE = 1e-5  # two weights of a penalty
MOST_UNEVEN = 100
PENALTIES = "some changes have another penalty on their parameter than the others"


def decayed(found: Study) -> None:
    """Weight decay: every change has the same share of its own parameter taken off as well."""
    for training in found.trainings():
        mine = np.flatnonzero((found.training == training) & ~found.match.ok & found.match.seen)
        fits = np.array([_fit(found, int(update), _line) for update in mine]).reshape(len(mine), 2)
        rates, shares = fits[:, 0], fits[:, 1]
        with np.errstate(all="ignore"):
            # a share of its own, whatever the rate, or a penalty times a rate that may fall
            by_share, by_rate = _common(shares), _common(shares / rates)
            even = all(np.ptp(r) <= ALIKE * np.abs(r).max() for r in _of_steps(found, mine[by_rate], rates[by_rate]))
            same = by_rate if even and by_rate.sum() > by_share.sum() else by_share
            fitting = same & (rates > 0) & (shares > 0) & (shares < 1)
        if same.sum() >= 2 and np.array_equal(same, fitting):
            found.match.ok[mine[same]] = True
            found.match.rate[mine[same]] = rates[same]
            found.decayed += [int(u) for u in mine[same]]
            own = found.values[found.parameter[mine[same]]]
            found.taken[mine[same]] = (shares[same] / rates[same])[:, None] * own


def _of_steps(found: Study, updates: np.ndarray, rates: Array) -> list[Array]:
    """The rates of each step."""
    return [rates[own] for _, own in grouped(found.step[updates])]


def _common(amounts: Array) -> np.ndarray:
    """Which of these are the usual one."""
    finite = np.isfinite(amounts)
    usual = np.nanmedian(amounts[finite]) if finite.any() else np.nan
    return np.asarray(finite & (np.abs(amounts / usual - 1) < ALIKE))


def uneven(found: Study) -> None:
    """Parameters that have another penalty in some of their steps than in others, more than once: one that comes late
    or changes, or several mistakes."""
    for training in found.trainings():
        mine = np.flatnonzero((found.training == training) & ~found.match.ok & found.match.seen)
        without = np.setdiff1d(np.flatnonzero((found.training == training) & found.match.ok), found.decayed)
        own = [u for u in found.decayed if found.training[u] == training]
        if own and beside_unlike(found, {int(found.lineage[u]) for u in own}, without):
            found.disputed.setdefault(training, PENALTIES)
        if np.isin(found.lineage[own], found.lineage[without]).any():
            found.disputed.setdefault(training, PENALTIES)
        partly = np.isin(found.lineage[mine], found.lineage[(found.training == training) & found.match.ok])
        if sum(_has_penalty(found, int(u)) for u in mine[partly][:MOST_UNEVEN]) > 1:
            found.disputed.setdefault(training, PENALTIES)


def beside_unlike(found: Study, penalised: set[int], without: np.ndarray) -> bool:
    """Whether a unit weighs one number with a weight that has a penalty, and another with one that has none. A bias
    often has none, and a layer may."""
    if found.forward is None or not len(without):
        return False
    first = {int(lineage): int(found.parameter[own[0]]) for lineage, own in grouped(found.lineage)}
    others = {int(one) for one in found.lineage[without]} - penalised
    if not others or len(first) > MOST_UNEVEN:
        return False
    forward = found.forward & ~found.order.cut
    for residual in found.residuals:  # an output may meet its target in the formula that makes it
        forward[found.net.forms[residual.form].cells[residual.rows]] = True
    factors = Factors(found.net, forward, found.depends)
    weighed = {one for one in others if (key := factors.of_leaf(first[one])) and ALONE not in key}
    units = {one: set(found.order.down.after(np.array([first[one]])).tolist()) for one in weighed | penalised}
    return any(units[one] & units[other] for one in weighed for other in penalised)


def _has_penalty(found: Study, update: int) -> bool:
    fits = (_fit(found, update, shapes) for shapes in (_line, _corner, _corner_and_line))
    return any(bool(np.isfinite(fit[0])) and fit[0] > 0 for fit in fits)


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
    good = np.isfinite(np.stack([c, g, *parts])).all(axis=0)
    if good.sum() >= 5 and np.any(g[good]):
        table = np.stack([part[good] for part in (g, *parts)], axis=1)
        fit, rank = least_squares(table, c[good])
        if rank == table.shape[1] and np.abs(table @ fit - c[good]).max() <= EXACT * np.abs(c[good]).max():
            return [-float(one) for one in fit]
    return [np.nan] * (1 + len(parts))


def least_squares(table: Array, wanted: Array) -> tuple[Array, int]:
    """How many times each column of a finite table [N, K] makes `wanted` [N], and its rank: nan and 0 where numbers too
    large for it leave nothing to solve."""
    try:
        fit, _, rank, _ = np.linalg.lstsq(table, wanted, rcond=None)
    except np.linalg.LinAlgError:
        return np.full(table.shape[1], np.nan), 0
    return fit, int(rank)
