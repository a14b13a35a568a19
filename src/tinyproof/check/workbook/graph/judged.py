"""A graph judged from the start, or computed again after a mend."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tinyproof.backprop.expr import Expr
from tinyproof.check.workbook.graph.agree import Match, match
from tinyproof.check.workbook.graph.cell_net import build
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.order import order
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.graph.states import follow_states
from tinyproof.check.workbook.graph.studied import study
from tinyproof.check.workbook.graph.suspects import Suspects, find_suspects
from tinyproof.core.arrays import np


@dataclass
class Mend:
    """Cells that say something wrong and what they should say. `tried`: the copy with it was judged, and is right
    there. `kind`: what the edit is (`odd` for a cell that differs from its neighbours)."""

    cells: list[int]
    new: dict[int, Meaning]
    kind: str
    old_part: Expr | None = None
    new_part: Expr | None = None
    updates: list[int] = field(default_factory=list)


def judged(graph: SheetGraph) -> tuple[Study, Suspects] | None:
    """A graph judged from the start."""
    found = study(build(graph))
    if found is None:
        return None
    follow_states(found)
    return found, find_suspects(found)


def copies_apart(found: Study, suspects: Suspects) -> tuple[Study, Suspects]:
    """The same, with the copies on the way back as formulas of their own: one of them may be the wrong cell."""
    assert found.forward is not None
    graph, net = found.net.graph, found.net
    back = found.depends & ~found.order.cut & (net.form_of >= 0) & ~found.forward
    kept = {copy: source for copy, source in graph.copies.items() if not back[net.canon[copy]]}
    if len(kept) == len(graph.copies):
        return found, suspects
    again = judged(replace(graph, copies=kept))
    return again if again is not None and len(again[0].updates) == len(found.updates) else (found, suspects)


def recheck(found: Study, graph: SheetGraph) -> Match:
    """How the updates follow the same objective when the copy is computed on the same numbers (nothing before the
    objective was changed)."""
    net = build(graph)
    if net.size > found.net.size:
        values = np.zeros((net.size, found.values.shape[1]))
        values[: found.net.size] = found.values
        cut = np.zeros(net.size, dtype=bool)
        cut[: found.net.size] = found.order.cut
        typed = np.array(graph.typed)[found.net.size :]
        values[found.net.size :] = np.nan_to_num(typed)[:, None]
    else:
        values, cut = found.values.copy(), found.order.cut
    again = order(net, cut)
    keep = values.copy()
    final = again.compute(values)
    values[cut] = keep[cut]
    change = final[found.successor] - values[found.parameter]
    return match(change, found.gradient)
