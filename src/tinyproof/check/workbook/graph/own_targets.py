"""Is every output held against its own target? Two targets for one output, or an input in a target's place.

Each change may follow the gradient of what the sheet subtracts; whether it subtracts the right number is seen only
where the sheet says it twice, or where another number is left over.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.understand.grid import Place

Wrong = dict[int, tuple[int, int]]  # a cell -> the target that it reads, and the one that it should


def doubtful_targets(found: Study, training: int) -> tuple[Wrong, list[int]]:
    """Cells that subtract the wrong number, where the sheet shows the right one; other cells in doubt."""
    wrong: Wrong = {}
    doubt: list[int] = []
    meetings = _meetings(found, training)
    held = Counter(target for cells_of in meetings.values() for target in cells_of)
    for cells_of in meetings.values():
        if len({found.values[target].tobytes() for target in cells_of}) > 1:
            good = _the_right_one(found, cells_of, held)
            for target, cells in cells_of.items():
                if good is None:
                    doubt += cells
                elif target != good:
                    wrong.update(dict.fromkeys(cells, (target, good)))
        else:
            target, cells = next(iter(cells_of.items()))
            if found.forward is not None and found.forward[target] and _left_over(found, target):
                doubt += cells
    return wrong, doubt


def _meetings(found: Study, training: int) -> dict[tuple[int, ...], dict[int, list[int]]]:
    """For each output (the cells that it is made of): the targets that it is held against, the cells that do so."""
    meet: dict[tuple[int, ...], dict[int, list[int]]] = {}
    for residual in found.residuals:
        form = found.net.forms[residual.form]
        slots = sorted(frozenset().union(*(form.tape.below[step] for _, step in residual.parts[0])))
        outputs = np.sort(form.reads[residual.rows][:, slots], axis=1).tolist()
        cells = form.cells[residual.rows].tolist()
        for cell, output, target in zip(cells, outputs, residual.target_cell.tolist(), strict=True):
            if target >= 0 and found.label[cell] == training:
                meet.setdefault(tuple(output), {}).setdefault(target, []).append(cell)
    return meet


def _the_right_one(found: Study, cells_of: dict[int, list[int]], held: Counter[int]) -> int | None:
    """Of several targets of one output the one that is no input, else the one that fewer other outputs have."""
    assert found.forward is not None
    plain = [target for target in cells_of if not found.forward[target]]
    if not plain:
        return None
    least = min(held[target] for target in plain)
    own = [target for target in plain if held[target] == least]
    return own[0] if len(own) == 1 else None


def _left_over(found: Study, target: int) -> bool:
    """Whether a typed number beside the numbers that are read is read by nothing: the real target, perhaps."""
    graph, net = found.net.graph, found.net
    place = graph.places[target]
    sides = ((0, 1), (0, -1), (0, 2), (0, -2), (1, 0), (-1, 0), (2, 0), (-2, 0))
    for down, across in sides:
        there = Place(place.sheet, place.row + down, place.col + across)
        held = graph.grid.cell(there)
        if held is None or held.formula is not None or not isinstance(held.value, float):
            continue
        number = graph.number.get(there)
        if number is None or not np.any(net.src == net.canon[number]):
            return True
    return False


def with_targets(found: Study, wrong: Wrong) -> dict[int, Meaning]:
    """What the cells should say."""
    new: dict[int, Meaning] = {}
    for cell, (target, right) in wrong.items():
        meaning = found.net.graph.meaning[cell]
        refs = {n: right if found.net.canon[r] == target else r for n, r in meaning.refs.items()}
        new[cell] = Meaning(meaning.expr, refs, ("mended", meaning.key), meaning.text_at)
    return new
