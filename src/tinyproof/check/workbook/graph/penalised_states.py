"""Weight decay of trainings with a memory: what goes into a state is the gradient plus a share of the parameter itself.

The share is the same for every parameter that has one, as the gradients are weighed alike; biases often have none.
"""

from __future__ import annotations

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Study, grouped
from tinyproof.check.workbook.graph.gradient_sources import parts_back
from tinyproof.check.workbook.graph.penalties import ALIKE, EXACT, LEAST, least_squares
from tinyproof.core.arrays import np

MOST_ASKED = 12  # updates of one parameter that are asked
FEW_SAMPLES = 5  # beside which a fit says nothing


def shares_of(found: Study, mine: np.ndarray) -> dict[int, float]:
    """Lineage -> how many times its own parameter its states take up beside the gradient; {} where the lineages that
    have a share do not agree on it."""
    shares: dict[int, float] = {}
    for lineage, own in grouped(found.lineage[mine]):
        whole = mine[own]
        open_ones = whole[found.match.seen[whole] & ~found.match.ok[whole]]
        if 2 * len(open_ones) <= len(whole):
            continue
        asked = open_ones[:: -(-len(open_ones) // MOST_ASKED)]
        options = [taken_up(found, int(update)) for update in asked]
        share = _in_all(options)
        if share is not None:
            shares[lineage] = share
    values = np.array(list(shares.values()))
    return shares if len(values) and bool((np.abs(values / values[0] - 1) < ALIKE).all()) else {}


def take_up(found: Study, shares: dict[int, float]) -> None:
    """The gradients of these parameters are from now on those of objective and penalty together."""
    whole = np.flatnonzero(np.isin(found.lineage, list(shares)))
    share = np.array([shares[int(lineage)] for lineage in found.lineage[whole]])
    found.gradient[whole] += share[:, None] * found.values[found.parameter[whole]]
    new = match(found.change[whole], found.gradient[whole])
    found.match.ok[whole], found.match.seen[whole], found.match.rate[whole] = new.ok, new.seen, new.rate
    found.decayed = [update for update in found.decayed if int(found.lineage[update]) not in shares]
    for update in whole.tolist():
        found.sources.pop(update, None)
    if found.taken.size:
        found.taken[whole] = 0.0


def _in_all(options: list[list[float]]) -> float | None:
    """The share that all of the updates of a parameter have among theirs."""
    for share in options[0] if options else []:
        if all(any(abs(one / share - 1) < ALIKE for one in other) for other in options[1:]):
            return share
    return None


def taken_up(found: Study, update: int) -> list[float]:
    """The positive shares s for which gradient + s * parameter, times anything, stands on the way of an update."""
    gradient, parameter = found.gradient[update], found.values[found.parameter[update]]
    rows = parts_back(found, update)
    good = np.isfinite(gradient) & np.isfinite(parameter)
    rows = rows[np.isfinite(rows[:, good]).all(axis=1)][:, good]
    table = np.stack([gradient[good], parameter[good]], axis=1)
    if good.sum() < FEW_SAMPLES or not len(rows):
        return []
    return _weights(table, rows)


def _weights(table: Array, rows: Array) -> list[float]:
    size = np.abs(table).max(axis=0)
    fits = [least_squares(table, row) for row in rows]
    if any(rank < table.shape[1] for _, rank in fits):
        return []
    fit = np.stack([own for own, _ in fits])
    with np.errstate(all="ignore"):
        off = np.abs(fit @ table.T - rows).max(axis=1)
        shares = fit[:, 1] / fit[:, 0]
        clear = (off <= EXACT * np.abs(rows).max(axis=1)) & (shares * size[1] > LEAST * size[0])
        clear &= np.abs(fit[:, 0]) * size[0] > LEAST * np.abs(rows).max(axis=1)
    return [float(share) for share in shares[clear]]
