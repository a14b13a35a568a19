"""Losses that a sheet shows and does not descend: is each one that belongs to its output and target?

A cell that reads an output and the target of that output, and squares or takes a logarithm, is a loss. Its slope by
each output is a multiple of the error, or of the error over the slope of a sigmoid, or of target over output, or has
the error's sign; anything else is in doubt.
So is a sum that leaves out the last of a row of losses which nobody else reads.
"""

from __future__ import annotations

from itertools import pairwise

from tinyproof.backprop.tape import Array, forward
from tinyproof.backprop.tape_back import backward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.cell_net import Form
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

SATURATED = 1e-6  # slope of a sigmoid
CURVED = ("pow", "ln", "mul")
MOVED = 0.01  # of an output
MOST_OUTPUTS = 12  # of one loss that are looked at


def doubtful_losses(found: Study, training: int) -> list[int]:
    """The losses in doubt, and the sums that leave one out."""
    pairs, slope = _pairs(found, training), objective_slope(found, training)
    doubt: list[int] = []
    read = set(found.net.src.tolist())
    used = found.order.cone(found.successor)
    for form in found.net.forms:
        own = [i for i, c in enumerate(form.cells.tolist()) if found.depends[c] and found.label[c] == training]
        if not own or used[form.cells].any() or found.order.cut[form.cells].any():
            continue
        curved = any(step[0] in CURVED for step in form.tape.steps)
        if curved and form.tape.slots < 40:
            doubt += _of_form(found, form, own, pairs, slope)
        if all(step[0] in ("add", "var", "div", "num") for step in form.tape.steps) and form.tape.slots > 1:
            doubt += [int(form.cells[i]) for i in own if _leaves_out(found, form, i, read)]
    return doubt


def _pairs(found: Study, training: int) -> dict[int, set[int]]:
    """Outputs and their targets, where both are cells."""
    pairs: dict[int, set[int]] = {}
    for atom in found.chosen[training]:
        for residual, rows in atom.pieces:
            for output, target in zip(residual.output_cell[rows], residual.target_cell[rows], strict=True):
                if output >= 0 and target >= 0:
                    pairs.setdefault(int(output), set()).add(int(target))
    return pairs


def _of_form(found: Study, form: Form, own: list[int], pairs: dict[int, set[int]], objective: Array) -> list[int]:
    doubt, targets = [], set().union(*pairs.values())
    for i in own:
        cell, reads = int(form.cells[i]), form.reads[i].tolist()
        if found.forward is None or found.forward[cell] or not targets & set(reads):
            continue
        made = [c for c in dict.fromkeys(reads) if _is_made(found, c)]
        bent = [(slot, c) for c in made[:MOST_OUTPUTS] if _bends(found, form, i, slot := reads.index(c))]
        for slot, one in bent:
            if one in pairs:
                fits = bool(pairs[one] & set(reads)) and _grows(found, form, i, slot, pairs[one])
            else:  # what an output is made of, or a cell that does not belong here
                fits = _one_way(_slope(found, form, i, slot) * objective[one])
            if not fits:
                doubt.append(cell)
                break
    return doubt


def _is_made(found: Study, cell: int) -> bool:
    """Whether a formula of the forward pass makes a cell, and no update."""
    return bool(found.forward is not None and found.forward[cell] and found.net.form_of[cell] >= 0) and not bool(
        found.order.cut[cell]
    )


def objective_slope(found: Study, training: int) -> Array:
    """The derivative of what a training descends by every cell."""
    return found.order.adjoints(found.values, seeds_of(found, found.chosen[training], found.kinds[training]))


def _one_way(products: Array) -> bool:
    signs = np.sign(products[np.isfinite(products)])
    return len(signs) > 0 and bool(np.all(signs == signs[0]))


def _grows(found: Study, form: Form, row: int, slot: int, targets: set[int]) -> bool:
    """Whether a loss has, by an output, the slope that belongs to one of its targets."""
    slope, output = _slope(found, form, row, slot), found.values[form.reads[row, slot]]
    for target in targets:
        error = output - found.values[target]
        if _is_loss(slope, output, found.values[target]) or _one_way(slope * error):
            return True
    return False


def _bends(found: Study, form: Form, row: int, slot: int) -> bool:
    """Whether the slope by an output changes with the output."""
    inputs = found.values[form.reads[row]].copy()
    before = _slope(found, form, row, slot)
    inputs[slot] += MOVED * np.where(inputs[slot] > 0.5, -1, 1)
    return bool(np.any(np.abs(_slope_of(form, inputs, slot) - before) > 1e-9 * np.abs(before).max()))


def _slope(found: Study, form: Form, row: int, slot: int) -> Array:
    return _slope_of(form, found.values[form.reads[row]], slot)


def _slope_of(form: Form, numbers: Array, slot: int) -> Array:
    inputs = numbers[:, None, :]
    values = forward(form.tape, inputs)
    back = backward(form.tape, values, {form.tape.top: np.ones(inputs.shape[1:])}, inputs)
    return np.asarray(np.nan_to_num(back[slot, 0]))


def _is_loss(slope: Array, output: Array, target: Array) -> bool:
    """Whether a slope by the output is that of a squared error, a cross-entropy or an absolute error."""
    error = output - target
    with np.errstate(all="ignore"):
        shapes = np.stack([
            error, error / (output * (1 - output)), target / output, (1 - target) / (1 - output), np.sign(error)
        ])  # fmt: skip
    clear = np.abs(output * (1 - output)) > SATURATED  # elsewhere no digits are left of a sigmoid
    both = np.stack([slope, np.where(clear, slope, np.nan)])
    return any(match(np.broadcast_to(own, shapes.shape), np.nan_to_num(shapes)).ok.any() for own in both)


def _leaves_out(found: Study, form: Form, row: int, read: set[int]) -> bool:
    """Whether a sum of neighbours stops before one that says the same and that nothing reads."""
    graph, net = found.net.graph, found.net
    places = sorted(graph.places[c] for c in form.reads[row] if found.depends[c])
    if len(places) < 2:
        return False
    step = places[1].row - places[0].row, places[1].col - places[0].col
    kind = net.form_of[graph.number[places[-1]]]
    apart = {(b.row - a.row, b.col - a.col) for a, b in pairwise(places)}
    if len(apart) > 1 or any(net.form_of[graph.number[place]] != kind for place in places):
        return False  # no row of losses: a whole column, with whatever stands in it
    for place, sign in ((places[-1], 1), (places[0], -1)):
        there = Place(place.sheet, place.row + sign * step[0], place.col + sign * step[1])
        cell = graph.number.get(there)
        if cell is not None and cell < net.size and cell not in read and net.form_of[cell] == kind >= 0:
            if found.depends[cell] and not found.order.cut[cell]:
                return True
    return False
