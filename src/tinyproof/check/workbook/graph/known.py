"""What back-propagation computes on its way, and the first cell of a sheet that says something else.

Every number of the way back is a derivative: of the objective by a cell (or by a part of a formula), of one formula by
what it reads, or the product of both. A cell that is none of these, although all that it reads is right, is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Study, seeds_of
from tinyproof.check.workbook.graph.sheetgraph import Form
from tinyproof.check.workbook.graph.tape import Array, backward_steps, forward

DIGITS = 7
MOST_WALKED = 3_000
MOST_RIGHT = 200  # right updates whose formulas are compared with a wrong one's
MOST_INSIDE = 200_000  # steps of one form that are looked at


@dataclass
class Known:
    """Values, each up to a factor, that the way back of one training may hold."""

    keys: set[bytes] = field(default_factory=set)

    def add(self, values: Array) -> None:
        self.keys.update(_keys(values))

    def holds(self, value: Array) -> bool:
        return not np.any(value) or _keys(value[None])[0] in self.keys


def _keys(values: Array) -> list[bytes]:
    """A name for each row, the same for its multiples."""
    rows = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    size = np.abs(rows).max(axis=1, keepdims=True)
    scaled = rows / np.where(size > 0, size, 1.0)
    scaled = scaled * np.sign(scaled[np.arange(len(rows)), np.abs(scaled).argmax(axis=1)])[:, None]
    rounded = np.round(scaled, DIGITS) + 0.0
    return [row.tobytes() for row in rounded]


def known_of(found: Study, training: int) -> Known:
    """The derivatives of a training's objective, and the forward pass itself."""
    known = Known()
    seeds = seeds_of(found, found.chosen[training], found.kinds[training])
    slope = found.order.adjoints(found.values, seeds)
    known.add(slope[np.any(slope != 0, axis=1)])
    assert found.forward is not None
    known.add(found.values[found.forward])
    for index, form in enumerate(found.net.forms):
        inside = found.depends[form.cells] & found.forward[form.cells] & ~found.order.cut[form.cells]
        _of_form(found, known, form, np.flatnonzero(inside), slope, {})
        if index in seeds:  # an error inside a formula of the way back: what lies above it may be wrong
            outside = np.flatnonzero(found.depends[form.cells] & ~inside & ~found.order.cut[form.cells])
            _of_form(found, known, form, outside, slope, seeds[index])
    return known


def _of_form(
    found: Study,
    known: Known,
    form: Form,
    rows: np.ndarray,
    slope: Array,
    seeds: Mapping[int, tuple[np.ndarray, Array]],
) -> None:
    """The derivatives inside the formulas of some cells: from their own slope, or from where the objective begins."""
    if not len(rows) or len(form.tape.steps) * len(rows) > MOST_INSIDE:
        return
    inputs = found.values[form.reads[rows].T]
    values = forward(form.tape, inputs)
    shape = inputs.shape[1:]
    begins: list[dict[int, Array]] = [{form.tape.top: slope[form.cells[rows]]}, {form.tape.top: np.ones(shape)}]
    kept = values
    if seeds:
        begins, kept = [{}], [values[step] for step in seeds]
        for step, (places, amount) in seeds.items():
            dense = np.zeros((len(form.cells), shape[1]))
            dense[places] = amount
            begins[0][step] = dense[rows]
    for begin in begins:
        by_slot, by_step = backward_steps(form.tape, values, begin, inputs)
        for amount in [*by_slot, *(a for a in by_step if a is not None)]:
            known.add(np.broadcast_to(amount, shape))
    for value in kept:
        known.add(np.broadcast_to(value, shape))


def first_wrong(found: Study, known: Known, update: int, trusted: np.ndarray) -> int:
    """The cell to blame for a wrong update: it is none of the known values, and all that it reads is."""
    cell = int(found.successor[update])
    gradient = found.gradient[update]
    seen = 0
    while seen < MOST_WALKED:
        seen += 1
        below = [c for c in reads_back(found, cell) if not trusted[c] and c != found.parameter[update]]
        fresh = [c for c in below if not known.holds(found.values[c])]
        if fresh:
            cell = fresh[0]
            continue
        if cell == found.successor[update] and len(below) == 1:  # a right derivative, but another one
            own = match(found.values[below[0]][None], gradient[None]).ok[0]
            if not own:
                cell = below[0]
                continue
        return cell if below or cell != found.successor[update] else _instead(found, update)
    return cell


def _instead(found: Study, update: int) -> int:
    """What a wrong update reads where a derivative belongs: a number, or a formula without any parameter."""
    net, graph = found.net, found.net.graph
    cell = int(found.successor[update])
    right = np.flatnonzero(found.match.ok)[:MOST_RIGHT]
    common = {
        int(c) for u in right for c in net.forms[net.form_of[found.successor[u]]].reads[net.row_of[found.successor[u]]]
    }
    raw = graph.meaning[cell].refs.values() if cell in graph.meaning else []
    own = [c for c in raw if c < net.size and int(net.canon[c]) not in common and not found.order.cut[net.canon[c]]]
    own = [c for c in own if not found.depends[net.canon[c]]]
    return own[0] if len(own) == 1 else cell


def reads_back(found: Study, cell: int) -> list[int]:
    """The cells of the way back that a formula reads."""
    net = found.net
    form = net.form_of[cell]
    if form < 0:
        return []
    assert found.forward is not None
    reads = dict.fromkeys(int(c) for c in net.forms[form].reads[net.row_of[cell]])
    return [
        c for c in reads
        if found.depends[c] and net.form_of[c] >= 0 and not found.order.cut[c] and not found.forward[c]
    ]  # fmt: skip
