"""Losses that a sheet shows and does not descend: is each one that belongs to its output and target?

A cell that reads an output and the target of that output, and squares or takes a logarithm, is a loss. Its slope is a
multiple of the error, or of the error over the slope of a sigmoid, or of target over output; anything else is in doubt.
So is a sum that leaves out the last of a row of losses which nobody else reads.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tinyproof.backprop.tape import Array, forward
from tinyproof.backprop.tape_back import backward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.cell_net import Form
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.understand.grid import Place

SATURATED = 1e-6  # slope of a sigmoid
CURVED = ("pow", "ln")


def doubtful_losses(found: Study, training: int) -> list[int]:
    """The losses in doubt, and the sums that leave one out."""
    pairs = _pairs(found, training)
    doubt: list[int] = []
    read = set(found.net.src.tolist())
    used = found.order.cone(found.successor)
    for form in found.net.forms:
        own = [i for i, c in enumerate(form.cells.tolist()) if found.depends[c] and found.label[c] == training]
        if not own or used[form.cells].any() or found.order.cut[form.cells].any():
            continue
        curved = any(step[0] in CURVED or (step[0] == "mul" and len(set(step[1:])) == 1) for step in form.tape.steps)
        if curved and form.tape.slots < 40:
            doubt += _of_form(found, form, own, pairs)
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


def _of_form(found: Study, form: Form, own: list[int], pairs: dict[int, set[int]]) -> list[int]:
    doubt, targets = [], set().union(*pairs.values())
    for i in own:
        cell, reads = int(form.cells[i]), form.reads[i].tolist()
        if found.forward is None or found.forward[cell]:
            continue
        for slot, output in enumerate(reads):
            if output not in pairs or len([c for c in reads if c in pairs]) != 1:
                continue
            target = next((t for t in pairs[output] if t in reads), None)
            if target is None and targets & set(reads):
                doubt.append(cell)  # the target of another output
            elif target is not None:
                slope = _slope(found, form, i, slot)
                if np.ptp(slope) > 0 and not _is_loss(slope, found.values[output], found.values[target]):
                    doubt.append(cell)
    return doubt


def _slope(found: Study, form: Form, row: int, slot: int) -> Array:
    inputs = found.values[form.reads[row]][:, None, :]
    values = forward(form.tape, inputs)
    back = backward(form.tape, values, {form.tape.top: np.ones(inputs.shape[1:])}, inputs)
    return np.asarray(np.nan_to_num(back[slot, 0]))


def _is_loss(slope: Array, output: Array, target: Array) -> bool:
    """Whether a slope by the output is that of a squared error, a cross-entropy or an absolute error."""
    error = output - target
    with np.errstate(all="ignore"):
        shapes = np.stack([error, error / (output * (1 - output)), target / output, np.sign(error)])
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
