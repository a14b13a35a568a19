"""What goes on from step to step beside a training that follows its gradient, and looks like a parameter.

A bias that moves by a typed number whatever the error is, one that is moved by the error and that no unit reads, and a
training of one parameter that a typed number starts anew in the middle: meant, or slips; the sheet does not say.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyproof.backprop.expr import Call, Expr, Num, Var
from tinyproof.backprop.tape import forward
from tinyproof.backprop.tape_back import backward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.carried import usual_shift
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.graph.rate_sources import NEAR
from tinyproof.check.workbook.graph.steps import plus_terms
from tinyproof.check.workbook.understand.grid import Place

LEAST_STEPS = 2  # of such a chain
MOST_CHAINS = 400  # cells that are looked at
MOST_READERS = 40
MOST_IDLE, MOST_UNITS = 40, 2_000


def moved_by_numbers(found: Study) -> list[int]:
    """Cells that a unit adds, as it adds a bias, and that a typed number moves in every step."""
    graph, chain = found.net.graph, list[int]()
    for cell, before in _chains(found):
        if not found.depends[cell] and _is_number_more(graph.meaning[cell].expr) and _is_added(found, cell):
            chain += [cell] if _is_added(found, before) else []
    return chain if len(chain) >= LEAST_STEPS else []


def moved_for_nothing(found: Study) -> list[int]:
    """Cells that are moved by an error, at the rate of the parameters, as a bias is, and that no unit reads."""
    chains = [(cell, before) for cell, before in _chains(found) if found.depends[cell] and not _forward(found, cell)]
    if not chains or len(chains) > MOST_IDLE:
        return []
    moved: list[int] = []
    for training in found.trainings():
        mine = found.training == training
        rates = found.match.rate[mine & found.match.ok]
        rates = rates[np.isfinite(rates)]
        if not len(rates):
            continue
        slope = found.order.adjoints(found.values, seeds_of(found, found.chosen[training], found.kinds[training]))
        units = np.flatnonzero(found.depends & np.any(slope != 0, axis=1) & ~found.order.cut)[:MOST_UNITS]
        for cell, before in chains:
            change = found.values[cell] - found.values[before]
            new = match(np.broadcast_to(change, slope[units].shape), slope[units])
            if (new.ok & (np.abs(new.rate[:, None] / rates - 1) < NEAR).any(axis=1)).any():
                moved.append(cell)
    return moved if len(moved) >= LEAST_STEPS else []


def starts_anew(found: Study) -> list[int]:
    """The one typed number in the middle of the only parameter of a training, where an update would stand."""
    graph, shift = found.net.graph, usual_shift(found.net, found.updates, made=True)
    if shift is None:
        return []
    typed: list[int] = []
    ends = {int(s) for s in found.successor} - {int(p) for p in found.parameter}
    here = np.unique(found.step).tolist()
    if len(here) != len(found.updates):
        return []  # several parameters: all of them start anew, or one is missing
    for parameter in found.parameter.tolist():
        place = graph.places[parameter]
        before = graph.number.get(Place(place.sheet - shift[0], place.row - shift[1], place.col - shift[2]), -1)
        if parameter not in graph.meaning and not np.isnan(graph.typed[parameter]) and before in ends:
            typed.append(parameter)
    return typed if len(typed) == 1 else []


def _chains(found: Study) -> Iterator[tuple[int, int]]:
    """Cells that are another cell of the same kind and something more, and are no parameters: the cell, and the one
    that it starts from; where they stand as far apart as parameters do."""
    graph, canon, cut = found.net.graph, found.net.canon, found.order.cut
    shift = usual_shift(found.net, found.updates, made=True)
    looked = 0
    for cell, meaning in graph.meaning.items():
        if cell >= found.net.size or cut[cell] or isinstance(meaning.expr, Var) or looked > MOST_CHAINS:
            continue
        for bare in plus_terms(meaning.expr):
            looked += 1
            before = int(canon[meaning.refs[bare]])
            a, b = graph.places[before], graph.places[cell]
            if not cut[before] and (b.sheet - a.sheet, b.row - a.row, b.col - a.col) == shift:
                yield cell, before


def _is_number_more(expr: Expr) -> bool:
    """`P + 0.05`, `P - 0.05`."""
    return (
        isinstance(expr, Call) and expr.function in ("add", "sub") and sum(isinstance(a, Num) for a in expr.args) == 1
    )


def _is_added(found: Study, cell: int) -> bool:
    """Whether a unit of the forward pass reads a cell as a term of its sum: by itself, beside what is weighed."""
    if not _forward(found, cell):
        return False
    for user in found.order.down.after(np.array([cell]))[:MOST_READERS].tolist():
        form = found.net.forms[found.net.form_of[user]]
        reads = form.reads[found.net.row_of[user]]
        inputs = found.values[reads][:, None]
        values = forward(form.tape, inputs)
        slopes = backward(form.tape, values, {form.tape.top: np.ones(inputs.shape[1:])}, inputs)[:, 0]
        own = slopes[reads == cell].sum(axis=0)
        if found.depends[user] and len(reads) > 1 and np.all(np.abs(own - own[0]) < NEAR) and abs(own[0]) > NEAR:
            return True
    return False


def _forward(found: Study, cell: int) -> bool:
    return found.forward is not None and bool(found.forward[cell])
