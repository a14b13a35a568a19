"""Losses that are shown and do not agree with what is trained: which one is wrong, where the sheet itself says so.

All changes follow one objective, so a loss that is none of its own output and target is in doubt. It is wrong, and not
only another one, where the same loss of other steps or examples agrees and says something else; where a sum takes all
losses of its step but one; and where one exchanged target or output, which no other loss reads, or one sign makes it
agree. Whatever else is in doubt stays so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tinyproof.backprop.expr import Call, Expr, Num, Var, names, substitute, walk
from tinyproof.check.workbook.graph.cells_around import far, same_formula
from tinyproof.check.workbook.graph.edit_kinds import put
from tinyproof.check.workbook.graph.edits import filled_into, filled_into_step, with_meanings
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.graph.shown_loss import (
    doubtful_losses,
    is_trained,
    left_out,
    pairs_of,
    pairs_up,
    starts_of,
)
from tinyproof.core.arrays import np

LOSS, MISSING = "loss", "left out"
MOST_DOUBTS = 400  # cells in doubt that are looked at
MOST_PEERS = 6
MOST_LOSSES = 4_000


def wrong_losses(found: Study, training: int, doubts: list[int]) -> tuple[list[Mend], list[int]]:
    """Mends of the losses in doubt, those that say the same together; and what stays in doubt."""
    if not doubts or len(doubts) > MOST_DOUBTS:
        return [], doubts
    doubts = _with_like(found, training, doubts)
    for way in (_as_others, _with_the_missing, _exchanged):
        new = way(found, training, doubts)
        if new and _agrees(found, new, doubts):
            return _grouped(found, training, new), [cell for cell in doubts if cell not in new]
    return [], doubts


def _with_like(found: Study, training: int, doubts: list[int]) -> list[int]:
    """The losses in doubt, and those that say the same: by chance some of them may agree on all samples."""
    meaning = found.net.graph.meaning
    keys = {meaning[cell].key for cell in doubts if cell in meaning}
    return [*dict.fromkeys([*doubts, *(c for c in _losses(found, training) if meaning[c].key in keys)])]


def _agrees(found: Study, new: dict[int, Meaning], doubts: list[int]) -> bool:
    """Whether the copy follows as before, and fewer losses are in doubt there, and none of the new ones."""
    again = judged(with_meanings(found.net.graph, new))
    if again is None or again[1].wrong or again[1].lost or len(again[0].updates) < len(found.updates):
        return False
    after = {cell for training in again[0].trainings() for cell in doubtful_losses(again[0], training)}
    return not after.intersection(new) and after <= set(doubts)


def _grouped(found: Study, training: int, new: dict[int, Meaning]) -> list[Mend]:
    graph, first = found.net.graph, int(np.flatnonzero(found.training == training)[0])
    groups: dict[object, dict[int, Meaning]] = {}
    for cell in sorted(new, key=lambda c: graph.places[c]):
        groups.setdefault((graph.places[cell].sheet, graph.meaning[cell].key), {})[cell] = new[cell]
    return [Mend(list(own), own, LOSS, updates=[first]) for own in groups.values()]


def _as_others(found: Study, training: int, doubts: list[int]) -> dict[int, Meaning]:
    """What the nearest cells in the same row or column say that are no less a loss and not in doubt."""
    graph, net, doubtful, pairs = found.net.graph, found.net, set(doubts), pairs_of(found, training)
    losses = [c for c in _losses(found, training) if c not in doubtful]
    new: dict[int, Meaning] = {}
    for cell in doubts:
        here = graph.places[cell]
        near = [c for c in losses if graph.places[c].col == here.col or graph.places[c].row == here.row]
        for peer in sorted(near, key=lambda c: far(graph.places[c], here))[:MOST_PEERS]:
            ways = (filled_into(graph, peer, cell), filled_into_step(net, peer, cell, found.depends))
            filled = next((one for one in ways if one is not None and _is_like(found, cell, one, pairs)), None)
            if filled is not None and not same_formula(graph, graph.meaning[cell], filled):
                new[cell] = filled
                break
    return new if len(new) == len(doubts) else {}


def _is_like(found: Study, cell: int, meaning: Meaning, pairs: dict[int, set[int]]) -> bool:
    """Whether a formula is a loss of as many outputs as a cell reads; of a cell that adds losses, whether it does."""
    graph, canon = found.net.graph, found.net.canon
    if any(
        ref >= found.net.size or (ref not in graph.meaning and np.isnan(graph.typed[ref]))
        for ref in meaning.refs.values()
    ):
        return False
    before, after = ({int(canon[ref]) for ref in held.refs.values()} for held in (graph.meaning[cell], meaning))
    if not before & set(pairs):
        return after > before
    return len(after & set(pairs)) >= len(before & set(pairs)) and pairs_up(found, meaning, pairs)


def _losses(found: Study, training: int) -> Iterator[int]:
    """Cells that show something of the forward pass of a training, of which no change reads one or the like."""
    used, net = found.order.cone(found.successor), found.net
    for form in net.forms:
        used[form.cells] |= bool(used[form.cells].any())
    free = found.depends & ~used & ~found.order.cut & (net.form_of >= 0) & (found.label == training)
    if found.forward is not None:
        free &= ~found.forward
    yield from np.flatnonzero(free)[:MOST_LOSSES].tolist()


def _with_the_missing(found: Study, training: int, doubts: list[int]) -> dict[int, Meaning]:
    """Sums with the one loss of their step that they leave out, where all of them together are what is trained."""
    graph, new = found.net.graph, dict[int, Meaning]()
    for cell in doubts:
        missing = left_out(found, cell)
        meaning = graph.meaning[cell]
        if missing is None or starts_of(found, missing) != starts_of(found, found.net.reads(cell)[0]):
            continue
        name = f"more:{graph.name(missing)}"
        more = _one_more(meaning.expr, name)
        summed = [c for c in found.net.reads(cell) if found.depends[c]]
        if more is not None and not _stands_apart(found, missing, summed) and is_trained(found, [*summed, missing]):
            new[cell] = replace(meaning, expr=more, refs={**meaning.refs, name: missing}, key=(MISSING, meaning.key))
    often = Counter(meaning.key for meaning in new.values())  # a single sum may be meant as it is
    return {cell: meaning for cell, meaning in new.items() if often[meaning.key] > 1}


def _stands_apart(found: Study, missing: int, summed: list[int]) -> bool:
    """Whether a formula shows what a sum leaves out by itself, and nothing shows what is summed like that."""
    net = found.net
    of = {cell: {int(net.form_of[reader]) for reader in net.dst[net.src == cell]} for cell in (missing, *summed)}
    return bool(of[missing] - set().union(*(of[cell] for cell in summed)))


def _one_more(expr: Expr, name: str) -> Expr | None:
    """A sum or an average with one more term."""
    for node in walk(expr):
        if isinstance(node, Call) and node.function == "add" and all(isinstance(arg, Var) for arg in node.args):
            more = Call("add", (*node.args, Var(name)))
            mean = next(
                (n for n in walk(expr) if isinstance(n, Call) and n.function == "div" and n.args[0] == node), None
            )
            if mean is not None and mean.args[1] == Num(float(len(node.args))):
                return put(expr, mean, more / Num(float(len(more.args))))
            return put(expr, node, more)
    return None


def _exchanged(found: Study, training: int, doubts: list[int]) -> dict[int, Meaning]:
    """Formulas with one target or output put in another's place, which no loss reads yet, or with one sign turned."""
    pairs = pairs_of(found, training)
    shown = {ref for cell in _losses(found, training) for ref in found.net.reads(cell)}
    new: dict[int, Meaning] = {}
    for cell in doubts:
        edited = next((one for one in _edits(found, cell, pairs, shown) if pairs_up(found, one, pairs)), None)
        if edited is None:
            return {}
        new[cell] = edited
    return new


def _edits(found: Study, cell: int, pairs: dict[int, set[int]], shown: set[int]) -> Iterator[Meaning]:
    """What the formula might have meant instead."""
    graph, canon, targets = found.net.graph, found.net.canon, {t for own in pairs.values() for t in own}
    meaning = graph.meaning[cell]
    nodes = [node for node in walk(meaning.expr) if isinstance(node, Call)]
    for node in sorted(nodes, key=lambda one: sum(1 for _ in walk(one))):
        for name in names(node):
            old = int(canon[meaning.refs[name]])
            kin = targets if old in targets else set(pairs) if old in pairs else set[int]()
            for other in _nearest(found, meaning.refs[name], kin - shown - {old}):
                word = f"more:{graph.name(other)}"
                whole = put(meaning.expr, node, substitute(node, {name: Var(word)}))
                refs = {**meaning.refs, word: other}
                yield replace(meaning, expr=whole, refs={n: refs[n] for n in names(whole)}, key=(LOSS, meaning.key))
        if node.function == "add" and len(node.args) == 2 and all(isinstance(arg, Var) for arg in node.args):
            if not np.isin(found.values[sorted(targets)], (-1.0, 1.0)).all():
                turned = put(meaning.expr, node, node.args[0] - node.args[1])
                yield replace(meaning, expr=turned, key=(LOSS, meaning.key))


def _nearest(found: Study, start: int, sources: set[int]) -> list[int]:
    """For each of some cells the one that holds the same and is nearest to a cell: a copy, perhaps."""
    graph = found.net.graph
    found_cells = []
    for source in sources:
        copies = np.flatnonzero(found.net.canon == source).tolist()
        found_cells.append(min(copies, key=lambda c: far(graph.places[c], graph.places[start])))
    return sorted(found_cells, key=lambda c: far(graph.places[c], graph.places[start]))[:MOST_PEERS]
