"""Means that are divided by the COUNT of other cells than they add, put right on a copy that is judged again."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.workbook.graph.edits import with_meanings
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.odd_cells import part_of, wrong_after
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.core.arrays import np

COUNTED = "counted"


def by_own_count(found: Study, suspects: Suspects) -> tuple[list[Mend], Suspects]:
    """Such means as mends, those that say the same together, where the copy is no worse; what is in question then."""
    graph = found.net.graph
    new = {cell: held for cell, held in graph.means.items() if held is not None and _is_used(found, cell)}
    wrong = set(suspects.wrong)
    after = wrong_after(found, new, wrong, suspects) if new else None
    if after is None:
        return [], suspects
    groups: dict[object, dict[int, Meaning]] = {}
    for cell, held in new.items():
        groups.setdefault((graph.places[cell].sheet, held.key), {})[cell] = held
    mends = [Mend(list(own), own, COUNTED, updates=_updates(found, own, wrong - after)) for own in groups.values()]
    again = judged(with_meanings(graph, new))
    settled = [] if again is not None and not again[1].uneven else suspects.uneven
    return mends, replace(suspects, uneven=settled)


def uncounted(found: Study, mends: list[Mend]) -> list[int]:
    """Such means that were not put right."""
    return [c for c in found.net.graph.means if _is_used(found, c) and not any(c in mend.cells for mend in mends)]


def _is_used(found: Study, cell: int) -> bool:
    return cell < found.net.size and bool(found.depends[found.net.canon[cell]])


def _updates(found: Study, cells: dict[int, Meaning], healed: set[int]) -> list[int]:
    """The updates that some means are on the way of, else one of their training."""
    reached = found.order.reach(list(cells))[found.successor]
    own = [int(u) for u in np.flatnonzero(reached)]
    first = np.flatnonzero(found.training == part_of(found, next(iter(cells)))).tolist()[:1]
    return sorted({*own, *healed}) if own else first
