"""Is every output held against its own target? Two targets for one output, or an input in a target's place.

Each change may follow the gradient of what the sheet subtracts; whether it subtracts the right number is seen only
where the sheet says it twice, or where another number is left over.
"""

from __future__ import annotations

from collections import Counter

from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.residuals import Residual
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

LEAST_EXAMPLES, MOST_EXAMPLES = 3, 12  # whose targets are held against the rows of their inputs
Wrong = dict[int, tuple[int, int]]  # a cell -> the target that it reads, and the one that it should


def doubtful_targets(found: Study, training: int) -> tuple[Wrong, list[int]]:
    """Cells that subtract the wrong number, where the sheet shows the right one; other cells in doubt."""
    wrong: Wrong = {}
    doubt: list[int] = []
    meetings = _meetings(found, training)
    held = Counter(target for cells_of in meetings.values() for target in cells_of)
    single = [one for cells_of in meetings.values() if len(cells_of) == 1 for one in cells_of.items()]
    own = {(cell, target) for target, cells in single for cell in cells}
    for cells_of in meetings.values():
        if len({found.values[target].tobytes() for target in cells_of}) > 1:
            good = _the_right_one(found, cells_of, held)
            for target, cells in cells_of.items():
                if good is None:
                    doubt += cells
                elif target != good:  # a cell that also holds another output against it, rightly, is only in doubt
                    doubt += [cell for cell in cells if (cell, target) in own]
                    wrong.update({cell: (target, good) for cell in cells if (cell, target) not in own})
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
    place = found.net.graph.places[target]
    sides = ((0, 1), (0, -1), (0, 2), (0, -2), (1, 0), (-1, 0), (2, 0), (-2, 0))
    for down, across in sides:
        there = Place(place.sheet, place.row + down, place.col + across)
        if _unread_number(found, there):
            return True
    return False


def shifted_targets(found: Study, training: int) -> list[int]:
    """Where every output is held against the target of the row (or column) after its own inputs or before them, and the
    target beside the first or last inputs is read by nothing: one of the cells that do so, or none."""
    net, examples = found.net, list[tuple[Place, list[Place], int]]()
    pieces = [(r, int(row)) for atom in found.chosen[training] for r, rows in atom.pieces for row in rows]
    cells = [[*outputs_of(found, r, row)] for r, row in pieces[:MOST_EXAMPLES]]
    ups = [np.flatnonzero(found.order.reach(own, upwards=True) & _given(found)) for own in cells]
    usual = set.intersection(*(set(up.tolist()) for up in ups)) if ups else set()
    for (residual, row), up in zip(pieces, ups, strict=False):
        target = int(residual.target_cell[row])
        inputs = [net.graph.places[c] for c in up.tolist() if c not in usual]
        if target < 0 or not inputs:
            return []
        cell = int(net.forms[residual.form].cells[residual.rows[row]])
        examples.append((net.graph.places[target], inputs, cell))
    if len(examples) < LEAST_EXAMPLES:
        return []
    for across in (False, True):
        shifts = {_shift(target, inputs, across) for target, inputs, _ in examples}
        shift = shifts.pop()
        if shifts or shift not in (1, -1):
            continue
        ends = [target for target, _, _ in examples]
        edge = (min if shift > 0 else max)(ends, key=lambda p: p.col if across else p.row)
        beside = Place(edge.sheet, edge.row - (0 if across else shift), edge.col - (shift if across else 0))
        if _unread_number(found, beside):
            return [examples[0][2]]
    return []


def outputs_of(found: Study, residual: Residual, row: int) -> list[int]:
    """The cells that an output is made of where it meets its target."""
    form = found.net.forms[residual.form]
    slots = sorted(frozenset().union(*(form.tape.below[step] for _, step in residual.parts[0])))
    return [int(c) for c in form.reads[residual.rows[row], slots]]


def _given(found: Study) -> np.ndarray:
    """Typed numbers that are no parameters."""
    typed = ~np.isnan(np.array(found.net.graph.typed[: found.net.size]))
    return np.asarray((found.net.form_of < 0) & ~found.order.cut & typed)


def _shift(target: Place, inputs: list[Place], across: bool) -> int | None:
    """How many rows (or columns) a target stands after its inputs; None where these stand in several, or in its own
    column, as those of a series do."""
    if any(place.sheet != target.sheet for place in inputs):
        return None
    along = {place.col if across else place.row for place in inputs}
    beside = {place.row if across else place.col for place in inputs}
    own = target.row if across else target.col
    return (target.col if across else target.row) - along.pop() if len(along) == 1 and own not in beside else None


def _unread_number(found: Study, place: Place) -> bool:
    graph, net = found.net.graph, found.net
    held, number = graph.grid.cell(place), graph.number.get(place)
    if held is None or held.formula is not None or not isinstance(held.value, float):
        return False
    return number is None or number >= net.size or not np.any(net.src == net.canon[number])


def with_targets(found: Study, wrong: Wrong) -> dict[int, Meaning]:
    """What the cells should say."""
    new: dict[int, Meaning] = {}
    for cell, (target, right) in wrong.items():
        meaning = found.net.graph.meaning[cell]
        refs = {n: right if found.net.canon[r] == target else r for n, r in meaning.refs.items()}
        new[cell] = Meaning(meaning.expr, refs, ("mended", meaning.key), meaning.text_at)
    return new
