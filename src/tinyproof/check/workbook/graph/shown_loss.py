"""Losses that a sheet shows and does not descend: is each one that belongs to its output and target?

A cell that reads an output and the target of that output, and squares or takes a logarithm, is a loss. Its slope by
each output is a multiple of the error, or of the error over the slope of a sigmoid, or of target over output, or has
the error's sign; anything else is in doubt.
So is a sum that leaves out the last of a row of losses which nobody else reads, and that is not what is trained.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from tinyproof.backprop.tape import Array, Tape, forward, record
from tinyproof.backprop.tape_back import backward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.cell_net import Form
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

SATURATED = 1e-6  # slope of a sigmoid
CURVED = ("pow", "ln", "mul")
MOVED = 0.01  # of an output
ASKING = ("if", "eq", "gt", "ge")
MOST_MOVED = 400  # losses of one form that are looked at on other targets
MOST_ASKED = 12  # losses of one form that are asked who reads them
MOST_OUTPUTS = 12  # of one loss that are looked at


def doubtful_losses(found: Study, training: int) -> list[int]:
    """The losses in doubt, and the sums that leave one out."""
    pairs, slope = pairs_of(found, training), objective_slope(found, training)
    doubt: list[int] = []
    used = found.order.cone(found.successor)
    for form in found.net.forms:
        own = [i for i, c in enumerate(form.cells.tolist()) if found.depends[c] and found.label[c] == training]
        if not own or used[form.cells].any() or found.order.cut[form.cells].any():
            continue
        curved = any(step[0] in CURVED for step in form.tape.steps)
        if curved and form.tape.slots < 40:
            doubt += _of_form(found, form, own, pairs, slope)
        if _is_sum(form):
            short = [int(form.cells[i]) for i in own if left_out(found, int(form.cells[i])) is not None]
            if not all(_is_whole(found, cell) for cell in short[:: max(1, len(short) // MOST_ASKED)]):
                doubt += short
    return doubt


def pairs_of(found: Study, training: int) -> dict[int, set[int]]:
    """Outputs and their targets, where both are cells."""
    pairs: dict[int, set[int]] = {}
    for atom in found.chosen[training]:
        for residual, rows in atom.pieces:
            for output, target in zip(residual.output_cell[rows], residual.target_cell[rows], strict=True):
                if output >= 0 and target >= 0:
                    pairs.setdefault(int(output), set()).add(int(target))
    return pairs


def _of_form(found: Study, form: Form, own: list[int], pairs: dict[int, set[int]], objective: Array) -> list[int]:
    """Those of the cells of a form that are in doubt, on the targets as they are and on others: a target that is 0
    hides what it is multiplied with. A formula that asks for its target (IF) is left with those that it has."""
    targets = set().union(*pairs.values())
    doubt = _in_doubt(found, form, own, pairs, objective)
    if any(step[0] in ASKING for step in form.tape.steps):
        return doubt
    halves = _may_be_half(found, [int(form.cells[i]) for i in own[:MOST_ASKED]], pairs)
    hidden = {target for target in targets if np.isin(found.values[target], (0.0, 1.0)).all()}
    left = [i for i in own if int(form.cells[i]) not in doubt and not (halves and hidden.isdisjoint(form.reads[i]))]
    if not left:
        return doubt
    moved = replace(found, values=_other_targets(found, targets))
    return doubt + _in_doubt(moved, form, left[:: -(-len(left) // MOST_MOVED)], pairs, None, halves)


def _may_be_half(found: Study, cells: list[int], pairs: dict[int, set[int]]) -> bool:
    """Whether one term of a cross-entropy may be the loss: of units that share 1, of targets that are all 1, or where
    another cell that reads the same output is added to it."""
    net, training = found.net, int(found.label[cells[0]])
    if found.kinds[training] != "logistic":
        return True
    made_of = Counter(frozenset(net.reads(output)) for output in pairs)
    for cell in cells:
        outputs = [c for c in net.reads(cell) if c in pairs]
        if any(made_of[frozenset(net.reads(output))] > 1 for output in outputs):
            continue  # two classes share 1
        targets = {target for output in outputs for target in pairs[output]} & set(net.reads(cell))
        others = {c for reader in net.dst[net.src == cell].tolist() for c in net.reads(reader) if c != cell}
        added = any(output in net.reads(c) for c in others if net.form_of[c] >= 0 for output in outputs)
        if not added and not all(np.all(found.values[target] == 1.0) for target in targets):
            return False
    return True


def _other_targets(found: Study, targets: set[int]) -> Array:
    """The values with another number for each target that is 0 or 1."""
    rng, values = np.random.default_rng(11), found.values.copy()
    for target in sorted(targets):
        if np.isin(values[target], (0.0, 1.0)).all():
            values[target] = rng.uniform(0.15, 0.85, values.shape[1])
    return values


def _in_doubt(
    found: Study, form: Form, own: list[int], pairs: dict[int, set[int]], objective: Array | None, halves: bool = True
) -> list[int]:
    """`objective`: the derivative of what is trained, by which cells that are no outputs are judged. `halves`: one term
    of a cross-entropy is a loss by itself."""
    doubt, targets = [], set().union(*pairs.values())
    for i in own:
        cell, reads = int(form.cells[i]), form.reads[i].tolist()
        if found.forward is None or found.forward[cell] or not targets & set(reads):
            continue
        made = [c for c in dict.fromkeys(reads) if _is_made(found, c)]
        bent = [(slot, c) for c in made[:MOST_OUTPUTS] if _bends(found, form, i, slot := reads.index(c))]
        if not bent and any(c in pairs for c in made) and _is_squared(found, form, i, targets):
            doubt.append(cell)
        for slot, one in bent:
            if one in pairs:
                fits = bool(pairs[one] & set(reads)) and _grows(found, form, i, slot, pairs[one], halves)
            elif objective is None:
                continue
            else:  # what an output is made of, or a cell that does not belong here
                fits = _one_way(_slope(found, form, i, slot) * objective[one])
            if not fits:
                doubt.append(cell)
                break
    return doubt


def _is_squared(found: Study, form: Form, row: int, targets: set[int]) -> bool:
    """Whether a formula is curved along a target: two errors of one target multiplied, say."""
    slots = [slot for slot, cell in enumerate(form.reads[row].tolist()) if cell in targets]
    return any(_bends(found, form, row, slot) for slot in slots)


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


def _grows(found: Study, form: Form, row: int, slot: int, targets: set[int], halves: bool) -> bool:
    """Whether a loss has, by an output, the slope that belongs to one of its targets."""
    slope, output = _slope(found, form, row, slot), found.values[form.reads[row, slot]]
    for target in targets:
        error = output - found.values[target]
        if _is_loss(slope, output, found.values[target], halves) or _one_way(slope * error):
            return True
    return False


def _bends(found: Study, form: Form, row: int, slot: int) -> bool:
    """Whether the slope by an output changes with the output."""
    inputs = found.values[form.reads[row]].copy()
    before = _slope(found, form, row, slot)
    inputs[slot] += MOVED * np.where(inputs[slot] > 0.5, -1, 1)
    return bool(np.any(np.abs(_slope_of(form.tape, inputs, slot) - before) > 1e-9 * np.abs(before).max()))


def _slope(found: Study, form: Form, row: int, slot: int) -> Array:
    return _slope_of(form.tape, found.values[form.reads[row]], slot)


def _slope_of(tape: Tape, numbers: Array, slot: int) -> Array:
    inputs = numbers[:, None, :]
    values = forward(tape, inputs)
    back = backward(tape, values, {tape.top: np.ones(inputs.shape[1:])}, inputs)
    return np.asarray(np.nan_to_num(back[slot, 0]))


def _is_loss(slope: Array, output: Array, target: Array, halves: bool) -> bool:
    """Whether a slope by the output is that of a squared error, a cross-entropy (`halves`: or one term of it) or an
    absolute error."""
    error = output - target
    with np.errstate(all="ignore"):
        whole = [error, error / (output * (1 - output)), np.sign(error)]
        shapes = np.stack([*whole, *([target / output, (1 - target) / (1 - output)] if halves else [])])
    clear = np.abs(output * (1 - output)) > SATURATED  # elsewhere no digits are left of a sigmoid
    both = np.stack([slope, np.where(clear, slope, np.nan)])
    return any(match(np.broadcast_to(own, shapes.shape), np.nan_to_num(shapes)).ok.any() for own in both)


def _is_whole(found: Study, cell: int) -> bool:
    """Whether a sum is trained as it is, and what it leaves out is held out."""
    summed, missing = [c for c in found.net.reads(cell) if found.depends[c]], left_out(found, cell)
    return is_trained(found, summed) and (missing is None or not is_trained(found, [*summed, missing]))


def is_trained(found: Study, losses: list[int]) -> bool:
    """Whether the derivative of some losses, taken together, is a multiple of that of the objective."""
    net, samples = found.net, found.values.shape[1]
    form = int(net.form_of[losses[0]])
    rows = np.array(sorted(int(net.row_of[cell]) for cell in losses))
    shown = found.order.adjoints(
        found.values, {form: {net.forms[form].tape.top: (rows, np.ones((len(rows), samples)))}}
    )
    starts = sorted(frozenset[int]().union(*(starts_of(found, cell) for cell in losses)))
    wanted = objective_slope(found, int(found.label[losses[0]]))
    return bool(starts) and bool(match(shown[starts].reshape(1, -1), wanted[starts].reshape(1, -1)).ok.all())


def _is_sum(form: Form) -> bool:
    return form.tape.slots > 1 and all(step[0] in ("add", "var", "div", "num") for step in form.tape.steps)


def left_out(found: Study, cell: int) -> int | None:
    """What a sum of neighbours stops before, if it says the same and nothing reads it, or no other sum does and it is
    made of the same parameters; None where a sum leaves nothing out."""
    graph, net = found.net.graph, found.net
    reads = net.reads(cell)
    places = sorted(graph.places[c] for c in reads if found.depends[c])
    if len(places) < 2:
        return None
    step = places[1].row - places[0].row, places[1].col - places[0].col
    kind = net.form_of[graph.number[places[-1]]]
    apart = {(b.row - a.row, b.col - a.col) for a, b in pairwise(places)}
    if len(apart) > 1 or any(net.form_of[graph.number[place]] != kind for place in places):
        return None  # no row of losses: a whole column, with whatever stands in it
    for place, sign in ((places[-1], 1), (places[0], -1)):
        other = graph.number.get(Place(place.sheet, place.row + sign * step[0], place.col + sign * step[1]))
        if other is None or other >= net.size or net.form_of[other] != kind or kind < 0:
            continue
        readers = net.dst[net.src == other].tolist()
        summed = any(_is_sum(net.forms[net.form_of[reader]]) for reader in readers)
        like = not readers or (not summed and starts_of(found, other) == starts_of(found, graph.number[place]))
        if like and found.depends[other] and not found.order.cut[other]:
            return int(other)
    return None


def starts_of(found: Study, cell: int) -> frozenset[int]:
    """The parameters, as the steps cut them, that a cell is made of."""
    return frozenset(np.flatnonzero(found.order.reach([cell], upwards=True) & found.order.cut).tolist())


def pairs_up(found: Study, meaning: Meaning, pairs: dict[int, set[int]]) -> bool:
    """Whether a formula is a loss of every output that it reads, each held against its own target, whatever that is."""
    refs = [int(found.net.canon[ref]) for ref in meaning.refs.values()]
    outputs = [slot for slot, ref in enumerate(refs) if ref in pairs]
    tape = record(meaning.expr, {name: i for i, name in enumerate(meaning.refs)})
    moved = _other_targets(found, {target for slot in outputs for target in pairs[refs[slot]]})
    made = any(_is_made(found, ref) for ref in refs if ref not in pairs)
    if not outputs or made or len(set(refs)) < len(refs):
        return False
    for slot in outputs:
        slope = _slope_of(tape, moved[refs], slot)
        if not any(_is_loss(slope, moved[refs[slot]], moved[target], True) for target in pairs[refs[slot]] & {*refs}):
            return False
    return True
