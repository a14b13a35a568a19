"""Parameters that some steps hand on as they are: the next change is that of its own step alone.

What it starts from is then read by several steps, and a change of one of them is no multiple of the derivative of all:
that derivative is of a number that these steps share, and not what the step descends.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Atom, Study
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.graph.own_targets import outputs_of
from tinyproof.check.workbook.graph.rate_sources import NEAR
from tinyproof.core.arrays import np

MOST_ASKED = 4
MOST_ROWS = 2_000  # examples of all steps
MOST_SHARED = 60  # examples that read one start


def held_at_first(found: Study, wrong: list[int]) -> list[int]:
    """Those of the wrong updates that follow the gradient of their own step, from a start that earlier steps read: any
    at the beginning, more than one of them later, where a single one is a formula that was lost."""
    ends = {int(cell) for cell in found.successor}
    return [u for u in wrong[:MOST_ASKED] if _goes_along(found, u, 2 if int(found.parameter[u]) in ends else 1)]


def _goes_along(found: Study, update: int, least: int) -> bool:
    """Whether an update follows the gradient of its own step at the rate of others, after so many that hold it."""
    rates = found.match.rate[(found.training == found.training[update]) & found.match.ok]
    rates = rates[np.isfinite(rates)]
    own = rate_in_its_step(found, update, least)
    return own > 0 and bool((np.abs(own / rates - 1) < NEAR).any())


def rate_in_its_step(found: Study, update: int, least: int = 1) -> float:
    """How far an update goes down the gradient of its own step, from a start that other steps read too (beyond 1,
    `least` times as many examples as its own do); nan where it does not follow it."""
    training, parameter = int(found.training[update]), int(found.parameter[update])
    atoms = found.chosen[training]
    if not atoms or any(atom.cells is not None for atom in atoms) or _rows(atoms) > MOST_ROWS:
        return np.nan
    used = found.order.cone([int(found.successor[update])])
    below = found.order.reach([parameter])
    mine, own, others = list[Atom](), list[list[int]](), list[list[int]]()
    for atom in atoms:
        pieces = []
        for residual, rows in atom.pieces:
            kept = []
            for row in rows.tolist():
                outputs = outputs_of(found, residual, row)
                if below[outputs].any():
                    inside = bool(used[outputs].all())
                    (own if inside else others).append(outputs)
                    kept += [row] if inside else []
            pieces.append((residual, np.array(kept, dtype=int)))
        mine.append(replace(atom, pieces=pieces))
    few = least > 1 and len(others) < least * len(own)
    if few or not others or not own or len(own) + len(others) > MOST_SHARED:
        return np.nan
    read = _trained(found, [cell for outputs in own for cell in outputs])
    if any(_trained(found, outputs) <= read for outputs in others):
        return np.nan  # an example of this very step is left out
    slope = found.order.adjoints(found.values, seeds_of(found, mine, found.kinds[training]))[parameter]
    new = match(found.change[[update]], slope[None])
    return float(new.rate[0]) if new.ok[0] else np.nan


def _trained(found: Study, cells: list[int]) -> set[int]:
    """The parameters, as the steps cut them, that cells are made of."""
    return set(np.flatnonzero(found.order.reach(cells, upwards=True) & found.order.cut).tolist())


def _rows(atoms: list[Atom]) -> int:
    return sum(len(rows) for atom in atoms for _, rows in atom.pieces)
