"""Outputs held against targets that stand elsewhere than those of most, while their own are read by nothing.

Where the target of an output stands is seen from most of the cells that subtract one. Some that read another, which two
outputs then share, while a number is left over where theirs would be, were not meant.
"""

from __future__ import annotations

from collections import Counter

from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

TARGET = "target"  # what such a mend is
LEAST_ALIKE = 3  # cells whose target stands alike

Apart = tuple[int, int, int]


def unusual_targets(found: Study, training: int) -> dict[int, tuple[int, int]]:
    """A cell -> the target that it reads, and the one that it should; {} where all is usual, or none is left over."""
    graph, held = found.net.graph, _held(found, training)
    apart = Counter(_apart(graph.places[cell], graph.places[target]) for cell, target in held)
    if len(apart) < 2:
        return {}
    (usual, often), (_, next_often) = apart.most_common(2)
    odd = [(c, t) for c, t in held if _apart(graph.places[c], graph.places[t]) != usual]
    if often < LEAST_ALIKE or often <= next_often:
        return {}
    readers, wrong = Counter(target for _, target in held), dict[int, tuple[int, int]]()
    for cell, target in odd:
        place = _moved(graph.places[cell], usual)
        number = graph.number.get(place)
        if number is None and graph.grid.number(place) is not None:
            number = graph.cell(place)
        if number is None or number in graph.meaning or number in graph.copies or np.isnan(graph.typed[number]):
            return {}
        wrong[cell] = (target, number)
    left_over = any(not _is_read(found, right) for _, right in wrong.values())
    shared = any(readers[target] > 1 for target, _ in wrong.values())
    own = [right for _, right in wrong.values()] + [t for c, t in held if c not in wrong]
    return wrong if left_over and shared and len(set(own)) == len(own) else {}


def _held(found: Study, training: int) -> list[tuple[int, int]]:
    """The cells that hold an output against a target on the way back, and those that say the same after the last
    change, each with the target."""
    back, meaning = found.order.cone(found.successor), found.net.graph.meaning
    meet = dict[tuple[int, int], None]()
    for residual in found.residuals:
        cells = found.net.forms[residual.form].cells[residual.rows].tolist()
        used = {meaning[cell].key for cell in cells if back[cell]}
        for cell, target in zip(cells, residual.target_cell.tolist(), strict=True):
            if target >= 0 and found.label[cell] == training and meaning[cell].key in used:
                meet[cell, target] = None
    return list(meet)


def _is_read(found: Study, number: int) -> bool:
    return number < found.net.size and bool(np.any(found.net.src == found.net.canon[number]))


def _apart(here: Place, there: Place) -> Apart:
    return there.sheet - here.sheet, there.row - here.row, there.col - here.col


def _moved(place: Place, by: Apart) -> Place:
    return Place(place.sheet + by[0], place.row + by[1], place.col + by[2])
