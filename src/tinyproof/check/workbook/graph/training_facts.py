"""What a training that was found in a graph of cells holds: where it begins, for how long it goes on, at which rate."""

from __future__ import annotations

from tinyproof.check.facts import CellNumber, Numbers, Training
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph
from tinyproof.check.workbook.graph.wording import heading
from tinyproof.check.workbook.understand.grid import address
from tinyproof.core.arrays import np
from tinyproof.core.errors import one_line

_ALIKE = 1e-6  # rates that differ by no more are one


def training_found(graph: SheetGraph, found: Study, mine: np.ndarray) -> Training:
    """`mine`: its updates. Which of its parameters are weights, and what is input or target, is not known here."""
    first = graph.places[found.successor[mine[0]]]
    parameters = {int(found.lineage[u]) for u in mine}
    return Training(
        sheet=one_line(graph.grid.sheet(first.sheet).name, 80),
        cells=address(first.row, first.col),
        rows=len(mine) // max(1, len(parameters)) + 1,
        rate=_rate(found, mine),
        weights=_starts(graph, found, mine),
    )


def _rate(found: Study, mine: np.ndarray) -> float | None:
    """The rate at which the changes follow their gradient, where it is one."""
    rates = found.match.rate[mine[found.match.ok[mine]]]
    rates = rates[np.isfinite(rates)]
    if not len(rates) or np.ptp(rates) > _ALIKE * abs(rates).max():
        return None
    return float(f"{float(rates[0]):.6g}")


def _starts(graph: SheetGraph, found: Study, mine: np.ndarray) -> Numbers | None:
    """The parameters before their first change; None where one is no number."""
    starts = np.setdiff1d(found.parameter[mine], found.successor[mine])
    held = []
    for cell in starts:
        place = graph.places[cell]
        value = graph.grid.number(place)
        if value is None:
            return None
        held.append(CellNumber(one_line(heading(graph, int(cell)), 20), value, address(place.row, place.col)))
    return tuple(held) or None
