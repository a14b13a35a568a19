"""At which rate each change follows its gradient, and where that rate comes from.

Every number that is not trained and that a change reads is multiplied by a factor of its own, all at once; the factor
by which a change has grown then says which of them its rate is.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.order import order
from tinyproof.core.arrays import np

NEAR = 1e-6
MOST_PAIRED = 150  # numbers of which products and quotients of two are recognised
TYPED, UNKNOWN = -1, -2  # in place of a cell: the rate is written in the formulas; it is made of several numbers


@dataclass(frozen=True)
class Rates:
    """For each update: the cell that its rate is (or TYPED, UNKNOWN), and the rate over what that cell holds."""

    cell: np.ndarray
    share: np.ndarray


def find_rates(found: Study) -> Rates:
    """Where the rates come from, for the updates that follow their gradient directly."""
    size = len(found.updates)
    known = found.match.ok & np.isfinite(found.match.rate)
    numbers = numbers_read(found)
    logs = np.random.default_rng(11).uniform(-0.6, 0.6, len(numbers))
    grown = _grown(found, numbers, np.exp(logs))
    where, share = np.full(size, UNKNOWN), np.full(size, np.nan)
    still = known & (np.abs(grown) < NEAR)
    where[still], share[still] = TYPED, found.match.rate[still]
    worth = found.values[numbers, 0]
    for cell, log, value in _sources(numbers, logs, worth):
        mine = known & (where == UNKNOWN) & (np.abs(grown - log) < NEAR)
        where[mine], share[mine] = cell, found.match.rate[mine] / value
    return Rates(where, share)


def numbers_read(found: Study) -> np.ndarray:
    """Numbers that changes read and that are neither trained, nor input, nor target."""
    net = found.net
    on_the_way = found.depends[net.dst] | found.order.cut[net.dst]
    free = ~found.depends & ~found.given
    cells = np.unique(net.src[on_the_way & free[net.src]])
    constant = np.ptp(found.values[cells], axis=1) == 0
    return np.asarray(cells[constant & (found.values[cells, 0] != 0)])


def _grown(found: Study, numbers: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The logarithm of the factor by which each change has grown; nan where it is no plain factor."""
    cut = found.order.cut.copy()
    cut[numbers] = True
    values = found.values.copy()
    values[numbers] *= factors[:, None]
    held = values.copy()
    again = order(found.net, cut)
    final = again.compute(values)
    values[cut] = held[cut]
    change = final[found.successor] - values[found.parameter]
    new = match(change, found.gradient)
    with np.errstate(all="ignore"):
        ratio = new.rate / found.match.rate
        return np.asarray(np.where(new.ok & (ratio > 0), np.log(np.where(ratio > 0, ratio, 1.0)), np.nan))


def _sources(numbers: np.ndarray, logs: np.ndarray, worth: np.ndarray) -> list[tuple[int, float, float]]:
    """A cell, the growth that it explains, and what it is worth: single numbers, then two of them."""
    single = [(int(c), float(t), float(v)) for c, t, v in zip(numbers, logs, worth, strict=True)]
    single += [(c, -t, 1 / v) for c, t, v in single]
    if len(numbers) > MOST_PAIRED // 10:
        return single
    pairs = [(a, s + t, v * w) for i, (a, s, v) in enumerate(single) for b, t, w in single[i + 1 :] if a != b]
    return single + pairs
