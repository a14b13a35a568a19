"""Iterative calculation: a cell that holds its start while a switch says so, and then what the step made of it.

Such a cell closes a circle. It is opened there: the cell is a parameter, a number that the step starts from, and what
it goes on with is remembered, since that must be its own successor.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.backprop.expr import Call, Expr, Var, names
from tinyproof.check.workbook.graph.cell_net import build
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend
from tinyproof.check.workbook.graph.order import order
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph

MOST_ROUND = 400  # cells that are looked at


def opened(graph: SheetGraph) -> SheetGraph:
    """The graph without its circles, as far as an IF with a start value closes them."""
    closing = {cell: on for cell, meaning in graph.meaning.items() if (on := _goes_on(graph, meaning)) is not None}
    if not closing:
        return graph
    net = build(graph)
    whole = order(net)
    late = [cell for cell in closing if whole.level[cell] < 0][:MOST_ROUND]
    rings = []
    for cell in late:
        after, meaning = whole.reach([cell]), graph.meaning[cell]
        asked = [net.canon[meaning.refs[name]] for name in names(_switch(meaning.expr))]
        if after[net.canon[closing[cell]]] and not after[asked].any():
            rings.append(cell)
    carried = {cell: (closing[cell], graph.meaning[cell]) for cell in rings}
    kept = {cell: meaning for cell, meaning in graph.meaning.items() if cell not in carried}
    return replace(graph, meaning=kept, carried=carried)


def _switch(expr: Expr) -> Expr:
    return expr.args[0] if isinstance(expr, Call) else expr


def _goes_on(graph: SheetGraph, meaning: Meaning) -> int | None:
    """What an IF goes on with, where its other branch is a number or a cell that holds one."""
    if not (isinstance(meaning.expr, Call) and meaning.expr.function == "if"):
        return None
    for kept, start in (meaning.expr.args[1:], meaning.expr.args[:0:-1]):
        if isinstance(kept, Var) and not any(meaning.refs[name] in graph.meaning for name in names(start)):
            if meaning.refs[kept.name] in graph.meaning:
                return meaning.refs[kept.name]
    return None


def carried_wrongly(found: Study) -> list[Mend]:
    """Cells that go on with the successor of another parameter, each with its own."""
    graph, canon = found.net.graph, found.net.canon
    own = {int(u.parameter): number for number, u in enumerate(found.updates)}
    made = {int(u.successor) for u in found.updates}
    mends = []
    for cell, (on, meaning) in graph.carried.items():
        number = own.get(int(canon[cell]))
        if number is None or canon[on] not in made or canon[on] == found.updates[number].successor:
            continue
        right = found.updates[number].successor
        refs = {name: right if ref == on else ref for name, ref in meaning.refs.items()}
        new = Meaning(meaning.expr, refs, ("mended", meaning.key), meaning.text_at)
        parts = Var(graph.name(on)), Var(graph.name(right))
        mends.append(Mend([cell], {cell: new}, "variable", *parts, updates=[number]))
    return mends
