"""Changes that all go up the error: one sign is wrong for all of them, that of the error or that of each update.

`target - output` belongs to changes that are added, `output - target` to those that are taken off. Of the two places
the one with fewer formulas is named: the error, where it stands in one row or column and the updates in several.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.backprop.expr import Call, Expr, Var, substitute
from tinyproof.check.workbook.graph.edit_kinds import put
from tinyproof.check.workbook.graph.edits import expression, with_meanings
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.core.arrays import np

ASCENT = "ascent"
MOST_TURNED = 4_000  # formulas with the error in them


def turned_errors(found: Study, ascends: list[int]) -> list[Mend]:
    """For each training that climbs: the formulas of its error the other way round, where all goes down with them."""
    return [mend for training in ascends if (mend := _turned(found, training)) is not None]


def _turned(found: Study, training: int) -> Mend | None:
    mine = np.flatnonzero(found.training == training)
    errors = _errors(found, mine)
    if not errors or len(errors) > MOST_TURNED or _lines(found, list(errors)) >= _lines(found, found.successor[mine]):
        return None
    graph, new = found.net.graph, dict[int, Meaning]()
    for cell, step in errors.items():
        meaning = _other_way(found, cell, step)
        if meaning is None:
            return None
        new[cell] = meaning
    again = judged(with_meanings(graph, new))
    if again is None or again[1].wrong or again[1].lost or again[1].ascends or len(again[0].updates) < len(mine):
        return None
    return Mend(list(new), new, ASCENT, updates=mine.tolist())


def _errors(found: Study, mine: np.ndarray) -> dict[int, int]:
    """The cells on the way back of a training in which an output meets its target, and the step of each that is the
    difference; {} where it is not the only one there."""
    training, used = int(found.training[mine[0]]), found.order.cone(found.successor[mine])
    back = used & ~found.order.cut & (np.zeros_like(used) if found.forward is None else ~found.forward)
    errors: dict[int, int] = {}
    for residual in found.residuals:
        for cell in found.net.forms[residual.form].cells[residual.rows].tolist():
            if back[cell] and found.label[cell] == training:
                if residual.against is not None or errors.setdefault(cell, residual.step) != residual.step:
                    return {}
    return errors


def _lines(found: Study, cells: list[int] | np.ndarray) -> int:
    """In how many rows or columns cells stand, whichever are fewer: so many formulas somebody wrote and filled on."""
    places = [found.net.graph.places[int(cell)] for cell in cells]
    return min(len({place.row for place in places}), len({place.col for place in places}))


def _other_way(found: Study, cell: int, step: int) -> Meaning | None:
    """A formula with the sides of its difference exchanged, or the minus before it gone."""
    meaning, net = found.net.graph.meaning[cell], found.net
    tape = net.forms[net.form_of[cell]].tape
    own = {f"s{i}": Var(name) for i, name in enumerate(meaning.refs)}
    node = substitute(expression(replace(tape, steps=tape.steps[: step + 1])), own)
    whole = put(meaning.expr, node, _turned_round(node))
    return None if whole == meaning.expr else replace(meaning, expr=whole, key=("mended", meaning.key))


def _turned_round(node: Expr) -> Expr:
    if isinstance(node, Call) and node.function == "sub":
        return node.args[1] - node.args[0]
    return node.args[0] if isinstance(node, Call) and node.function == "neg" else -node
