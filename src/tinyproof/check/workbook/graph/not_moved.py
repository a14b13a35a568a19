"""Parameters that a step makes and nobody goes on from: a copy that still reads the parameter of an earlier step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tinyproof.backprop.expr import Var
from tinyproof.check.workbook.graph.carried import usual_shift
from tinyproof.check.workbook.graph.edits import fixed
from tinyproof.check.workbook.graph.found_training import Study, grouped
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

Shift = tuple[int, int, int]


def not_carried(found: Study, mine: np.ndarray) -> list[int]:
    """The updates of a training whose parameter nobody goes on from, although others of the same step are gone on
    from."""
    going = {int(p) for p in found.parameter[mine]}
    loose: list[int] = []
    for _, own in grouped(found.step[mine]):
        here = mine[own]
        if len(np.unique(found.lineage[here])) < len(np.unique(found.parameter[here])):
            continue  # states join the steps
        left = [int(u) for u in here if int(found.successor[u]) not in going]
        if 2 * len(left) <= len(here):
            loose += left
    return loose


def copies_not_moved(found: Study, every: bool = False) -> dict[int, Meaning]:
    """Copies of a parameter that stand as far from what they should read as the other copies do, and read an older one
    that those before them read too (`every`: whoever reads it): each with what it should say."""
    graph = found.net.graph
    going = {int(p) for p in found.parameter}
    ends = {int(s) for s in found.successor} - (set() if every else going)
    copies = dict.fromkeys(_copies_read(found))
    nearest: dict[int, Shift] = {}
    for copy in copies:
        source, shift = graph.copies[copy], _shift(graph, copy, graph.copies[copy])
        if source not in nearest or sum(map(abs, shift)) < sum(map(abs, nearest[source])):
            nearest[source] = shift
    if not nearest or not ends:
        return {}
    usual = [shift for shift, _ in Counter(nearest.values()).most_common(1 if every else None)]
    mixed = _lineages_of(found, usual[0])
    wrong: dict[int, Meaning] = {}
    for copy in copies:
        place, old = graph.places[copy], graph.copies[copy]
        if _shift(graph, copy, old) == (usual[0] if every else nearest[old]) or (every and copy not in mixed):
            continue
        meant = [graph.number.get(_moved(place, s)) for s in usual]
        there = next((cell for cell in meant if cell is not None and cell in ends), None)
        if there is not None:
            wrong[copy] = _copy_of(graph, copy, there)
    return wrong


def _lineages_of(found: Study, shift: Shift) -> set[int]:
    """The copies of parameters of which some are as far as that from what they read."""
    graph, of = found.net.graph, dict[int, int]()
    for update, lineage in zip(found.updates, found.lineage.tolist(), strict=True):
        of[graph.meaning[update.successor].refs.get(update.bare, -1)] = lineage
    some = {
        lineage
        for copy, lineage in of.items()
        if copy in graph.copies and _shift(graph, copy, graph.copies[copy]) == shift
    }
    return {copy for copy, lineage in of.items() if lineage in some}


def carries_older(found: Study) -> dict[int, Meaning]:
    """Copies that read an older parameter in one step after the other, although every change follows a gradient: each
    with what it should say. A training that starts anew does so once, and goes on from there."""
    graph = found.net.graph
    copies = copies_not_moved(found, every=True)
    made = {u.successor for u in found.updates if graph.meaning[u.successor].refs.get(u.bare) in copies}
    meant = [next(iter(meaning.refs.values())) for meaning in copies.values()]
    return copies if made.intersection(meant) else {}


def broken_off(found: Study, mine: np.ndarray) -> dict[int, int]:
    """Numbers and empty cells that a step starts from, where the step before made a parameter that nobody reads: each
    with the update that starts there. A training that starts anew does so with all its parameters, and from some.
    """
    graph, canon, shift = found.net.graph, found.net.canon, usual_shift(found.net, found.updates)
    ends = {int(s) for s in found.successor} - {int(p) for p in found.parameter}
    filled = found.step[mine[np.isin(found.parameter[mine], found.successor[mine])]]
    shifts = {_shift(graph, c, graph.copies[c]) for c in _copies_read(found)}
    shifts |= {(-shift[0], -shift[1], -shift[2])} if shift else set()
    broken: dict[int, int] = {}
    for update in mine.tolist():
        cell = int(found.parameter[update])
        place = graph.places[cell]
        if cell in graph.meaning or (graph.grid.cell(place) is not None and found.step[update] not in filled):
            continue
        around = [graph.number.get(_moved(place, s)) for s in shifts]
        if ends.intersection(int(canon[c]) for c in around if c is not None and c < len(canon)):
            broken[cell] = update
    return broken


def typed_in(found: Study) -> list[int]:
    """Numbers and empty cells in several steps that are carried on beside the parameters, from beside where these are
    made, and that no formula makes: what an update should have made."""
    graph, beside = found.net.graph, ((0, 1), (0, -1), (1, 0), (-1, 0))
    carried, typed = dict.fromkeys(_copies_read(found)), dict[int, None]()
    for copy in carried:
        for down, across in beside:
            other = graph.number.get(_moved(graph.places[copy], (0, down, across)), -1)
            source = graph.copies.get(other, -1)
            if other in carried or source < 0 or source in graph.meaning or not _is_number_or_empty(graph, source):
                continue
            shift = _shift(graph, graph.copies[copy], source)
            if shift[0] == 0 and (shift[1], shift[2]) in beside and found.forward is not None and found.forward[source]:
                typed[source] = None
    return list(typed) if len(typed) > 1 else []


def _is_number_or_empty(graph: SheetGraph, cell: int) -> bool:
    return not np.isnan(graph.typed[cell]) or graph.grid.cell(graph.places[cell]) is None


def _moved(place: Place, shift: Shift) -> Place:
    return Place(place.sheet + shift[0], place.row + shift[1], place.col + shift[2])


def _copies_read(found: Study) -> Iterator[int]:
    """The copies that the updates go on from."""
    graph = found.net.graph
    for update in found.updates:
        raw = graph.meaning[update.successor].refs.get(update.bare)
        if raw is not None and raw in graph.copies:
            yield raw


def _shift(graph: SheetGraph, here: int, there: int) -> Shift:
    a, b = graph.places[here], graph.places[there]
    return b.sheet - a.sheet, b.row - a.row, b.col - a.col


def _copy_of(graph: SheetGraph, copy: int, cell: int) -> Meaning:
    """A copy that reads another cell, with the same `$`."""
    meaning = graph.meaning[copy]
    row_fixed, col_fixed = fixed(next(iter(meaning.refs)))
    place = graph.places[cell]
    other = f"{graph.grid.sheet(place.sheet).name}!" if place.sheet != graph.places[copy].sheet else ""
    name = other + graph.name(cell) + (f"${int(row_fixed)}{int(col_fixed)}" if row_fixed or col_fixed else "")
    return Meaning(Var(name), {name: cell}, ("mended", meaning.key), meaning.text_at)
