"""Parameters that a step makes and nobody goes on from: a copy that still reads the parameter of an earlier step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tinyproof.backprop.expr import Var
from tinyproof.backprop.tape import record
from tinyproof.check.workbook.graph.carried import usual_shift
from tinyproof.check.workbook.graph.cell_roles import Roles
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
    anew = _starts_with_its_states(found, mine, broken)
    return {cell: update for cell, update in broken.items() if cell not in anew}


def most_start_anew(found: Study) -> list[int]:
    """Numbers that more than half of the parameters of a step start from, while the others go on: most start anew, or
    formulas were lost."""
    ends, started = {int(s) for s in found.successor}, list[int]()
    shift = usual_shift(found.net, found.updates, made=True)
    for _, here in grouped(found.step):
        cells = [int(p) for p in found.parameter[here]]
        typed = [cell for cell in cells if _is_typed(found, cell)]
        single = len(np.unique(found.lineage[here])) == len(here)  # no states join steps
        if single and 2 * len(typed) > len(cells) and ends.intersection(cells):
            started += [cell for cell in typed if not joins_in(found, cell, shift)]
    return started


def _is_typed(found: Study, cell: int) -> bool:
    return cell not in found.net.graph.meaning and not np.isnan(found.net.graph.typed[cell])


def _starts_with_its_states(found: Study, mine: np.ndarray, broken: dict[int, int]) -> set[int]:
    """Of numbers that steps start from those of a training whose states start anew too, so that nothing joins it to the
    steps before: all its parameters start there."""
    graph, anew = found.net.graph, set[int]()
    for _, own in grouped(found.step[mine]):
        here = mine[own]
        if len(np.unique(found.lineage[here])) < len(here):  # states join the steps
            starts = {int(p) for p in found.parameter[here]} - {int(s) for s in found.successor[here]}
            if starts <= broken.keys() and not any(np.isnan(graph.typed[cell]) for cell in starts):
                anew |= starts
    return anew


def started_late(found: Study, mine: np.ndarray) -> dict[int, int]:
    """Numbers and empty cells that a step starts from beside parameters which the step before made, while what stands
    there in the step before is read alike and nobody takes it further: each with the update that starts there. One that
    is the same number as before was held until here, and is trained from here on."""
    graph, net, shift = found.net.graph, found.net, usual_shift(found.net, found.updates, made=True)
    ends, starts = {int(s) for s in found.successor}, {int(p) for p in found.parameter}
    if shift is None or not ends & starts:
        return {}
    whole = [own for _, own in grouped(found.step[mine]) if len(np.unique(found.lineage[mine[own]])) == len(own)]
    single = {int(found.step[mine[own[0]]]) for own in whole}  # states join the steps of others
    carried = single & {int(found.step[u]) for u in mine.tolist() if int(found.parameter[u]) in ends}
    forms: Roles | None = None
    late: dict[int, int] = {}
    for update in mine.tolist():
        cell = int(found.parameter[update])
        if cell in graph.meaning or cell in ends or int(found.step[update]) not in carried:
            continue
        before = graph.number.get(_moved(graph.places[cell], (-shift[0], -shift[1], -shift[2])), -1)
        if joins_in(found, cell, shift):
            continue
        if 0 <= before < net.size and int(net.canon[before]) not in starts and _is_number(graph, before):
            forms = forms or Roles(net)
            if forms.of(int(net.canon[before])) & forms.of(cell):
                late[cell] = update
    return late


def joins_in(found: Study, cell: int, shift: Shift | None) -> bool:
    """Whether a typed parameter is trained from here on: its place in the step before is empty, or holds the same
    number. `shift`: how far a parameter is from the next."""
    graph = found.net.graph
    if shift is None or np.isnan(graph.typed[cell]):
        return False
    before = _moved(graph.places[cell], (-shift[0], -shift[1], -shift[2]))
    return graph.grid.cell(before) is None or graph.grid.number(before) == graph.typed[cell]


def holes(found: Study) -> dict[int, Meaning]:
    """Numbers and empty cells on the way of a training where the steps before and after have one and the same formula:
    each with that formula. Not where a training starts anew, which has its numbers there."""
    graph, net, shift = found.net.graph, found.net, usual_shift(found.net, found.updates, made=True)
    ends = {int(s) for s in found.successor}
    if shift is None or not any(int(p) in ends for p in found.parameter):
        return {}
    back, lost = (-shift[0], -shift[1], -shift[2]), dict[int, Meaning]()
    going = np.array([int(p) in ends for p in found.parameter])
    used = found.order.cone(found.successor[going]) & ~found.order.cone(found.successor[~going])
    leaves = np.flatnonzero((net.form_of < 0) & ~found.order.cut & used).tolist()
    for cell in [*leaves, *_left_empty(found, shift)]:
        place = graph.places[cell]
        sides = [graph.number.get(_moved(place, by), -1) for by in (back, shift)]
        if cell in graph.meaning or cell in graph.opaque or not all(side in graph.meaning for side in sides):
            continue
        if not all(side < net.size and found.depends[net.canon[side]] for side in sides):
            continue
        filled = _between(graph, sides[0], sides[1], cell)
        if filled is not None:
            lost[cell] = filled
    return lost


def _left_empty(found: Study, shift: Shift) -> list[int]:
    """Empty cells that no formula reads, although what stands there in the steps before and after is on their way: a
    sum over a range passes over them."""
    graph, used = found.net.graph, found.order.cone(found.successor)
    twice = (2 * shift[0], 2 * shift[1], 2 * shift[2])
    empty: list[int] = []
    for cell in np.flatnonzero(used & found.depends & ~found.order.cut & (found.net.form_of >= 0)).tolist():
        place = _moved(graph.places[cell], shift)
        other = graph.number.get(_moved(graph.places[cell], twice), -1)
        inside = 0 <= other < found.net.size and used[other]
        here = graph.number.get(place, -1)
        unread = here < 0 or here >= found.net.size or not used[here]
        if inside and unread and graph.grid.cell(place) is None:
            empty.append(graph.cell(place))
    return empty


def _between(graph: SheetGraph, before: int, after: int, cell: int) -> Meaning | None:
    """What a cell would say if it said what the cells before and after it say; None where these differ."""
    one, other = graph.meaning[before], graph.meaning[after]
    tapes = [record(held.expr, {name: i for i, name in enumerate(held.refs)}).steps for held in (one, other)]
    if tapes[0] != tapes[1] or one.own or other.own:
        return None
    refs: dict[str, int] = {}
    for (name, here), there in zip(one.refs.items(), other.refs.values(), strict=True):
        shift = _shift(graph, before, here)
        if here != there and shift != _shift(graph, after, there):
            return None
        place = graph.places[here] if here == there else _moved(graph.places[cell], shift)
        if place not in graph.number and graph.grid.number(place) is None:
            return None
        refs[name] = graph.cell(place)
    return replace(one, refs=refs, key=("mended", one.key))


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


def _is_number(graph: SheetGraph, cell: int) -> bool:
    return cell in graph.meaning or not np.isnan(graph.typed[cell])


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
