"""What the cells around a cell say, and what a cell says at the same place of another step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tinyproof.backprop.expr import Var
from tinyproof.backprop.tape import compute, record
from tinyproof.check.workbook.graph.edits import filled_into, filled_into_step
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

MOST_ODD = 40  # cells that say something else than their neighbours
MOST_ASKED = 3  # right steps, the nearest, that are asked what a cell should say

Shift = tuple[int, int, int]


def upstream(found: Study, cell: int, most: int = 3_000) -> list[int]:
    """The cells on the way back to the parameters, this one first; leaves too."""
    net = found.net
    seen, front = dict.fromkeys([cell]), [cell]
    while front and len(seen) < most:
        following: dict[int, None] = {}
        for one in front:
            form = net.form_of[one]
            if form >= 0 and (one == cell or not found.order.cut[one]):
                raw = net.graph.meaning[one].refs.values()
                following.update(dict.fromkeys(int(c) for c in raw if c < net.size))
            elif one in net.graph.copies and not found.order.cut[one]:
                following[net.graph.copies[one]] = None
        front = [one for one in following if one not in seen]
        seen.update(dict.fromkeys(front))
    return list(seen)


def displacements(found: Study) -> list[tuple[int, int]]:
    """How far a step is from the next: from a successor to the next of the same parameter, the usual ones."""
    places = found.net.graph.places
    count: dict[tuple[int, int], int] = {}
    for parameter, successor in zip(found.parameter, found.successor, strict=True):
        a, b = places[parameter], places[successor]
        if a.sheet == b.sheet:
            count[b.row - a.row, b.col - a.col] = count.get((b.row - a.row, b.col - a.col), 0) + 1
    return sorted(count, key=lambda move: -count[move])[:2]


def holds_numbers(graph: SheetGraph, meaning: Meaning) -> bool:
    """Whether all that a formula would read holds a number: not the headings above a first row."""
    return all(ref in graph.meaning or not np.isnan(graph.typed[ref]) for ref in meaning.refs.values())


def same_number(found: Study, cell: int, meaning: Meaning) -> bool:
    """Whether a cell would hold what it holds: the first row of a column, written without the row before."""
    if cell >= found.net.size or any(ref >= found.net.size for ref in meaning.refs.values()):
        return False
    values = {name: found.values[found.net.canon[ref]] for name, ref in meaning.refs.items()}
    held = found.final[cell] if found.order.cut[cell] and found.net.form_of[cell] >= 0 else found.values[cell]
    if cell in found.net.graph.copies:
        held = found.values[found.net.canon[cell]]
    with np.errstate(all="ignore"):
        new = np.broadcast_to(compute(meaning.expr, values), held.shape)
    return bool(np.all(np.isfinite(new)) and np.abs(new - held).max() <= 1e-9 * np.abs(held).max())


def other_steps(found: Study, left: set[int], lost: Mapping[int, int]) -> dict[int, Meaning]:
    """Cells that say something else than at the same place of most steps that are right and near. `lost`: cells that no
    update fills, as in `Suspects`."""
    graph = found.net.graph
    right: dict[int, list[int]] = {}
    for one in np.flatnonzero(found.match.ok):
        if int(one) not in left:
            right.setdefault(int(found.lineage[one]), []).append(int(one))
    odd: dict[int, Meaning] = {}
    ends = [(int(found.successor[update]), update) for update in sorted(left)] + list(lost.items())
    for end, update in ends:
        here = graph.places[end]
        options = right.get(int(found.lineage[update]), [])
        near = sorted(options, key=lambda u: far(graph.places[found.successor[u]], here))[:MOST_ASKED]
        shifts = [_shift(graph.places[found.successor[other]], here) for other in near]
        for cell in upstream(found, end, 1_000) if near else []:
            filled = _agreed(found, cell, shifts) if cell not in odd else None
            if filled is not None and not same_formula(graph, graph.meaning.get(cell), filled):
                odd[cell] = filled
        if len(odd) >= MOST_ODD:
            break
    return odd


def _agreed(found: Study, cell: int, shifts: list[Shift]) -> Meaning | None:
    """What most of the cells at the same place of other steps say, filled into a cell; the nearest of them is asked
    first."""
    graph, net, place = found.net.graph, found.net, found.net.graph.places[cell]
    said: list[tuple[Meaning, int]] = []
    for sheet, row, col in shifts:
        peer = graph.number.get(Place(place.sheet - sheet, place.row - row, place.col - col))
        if peer is None or peer not in graph.meaning or not found.depends[net.canon[peer]]:
            continue
        filled = filled_into_step(net, peer, cell, found.depends)
        known = next((i for i, (other, _) in enumerate(said) if filled and same_formula(graph, other, filled)), None)
        if known is not None:
            said[known] = said[known][0], said[known][1] + 1
        elif filled is not None:
            said.append((filled, 1))
    best = max(said, key=lambda one: one[1], default=None)
    return best[0] if best is not None and 2 * best[1] >= len(said) else None


def _shift(start: Place, end: Place) -> Shift:
    return end.sheet - start.sheet, end.row - start.row, end.col - start.col


def far(a: Place, b: Place) -> int:
    return 10_000 * abs(a.sheet - b.sheet) + abs(a.row - b.row) + abs(a.col - b.col)


def same_formula(graph: SheetGraph, own: Meaning | None, other: Meaning) -> bool:
    """Whether two formulas are one: the same steps over the same cells."""
    if own is None:
        return False
    if own.key == other.key and own.refs.values() == other.refs.values():
        return True
    a = record(own.expr, {name: i for i, name in enumerate(own.refs)})
    b = record(other.expr, {name: i for i, name in enumerate(other.refs)})
    return a.steps == b.steps and list(own.refs.values()) == list(other.refs.values())


def _say(graph: SheetGraph, place: Place, down: int, across: int) -> int | None:
    """The formula cell at that distance."""
    if (down, across) == (0, 0):
        return None
    cell = graph.number.get((place.sheet, place.row + down, place.col + across))  # type: ignore[call-overload]
    return cell if cell in graph.meaning else None


def neighbours_say(graph: SheetGraph, cell: int, moves: Iterable[tuple[int, int]]) -> Meaning | None:
    """What the cells around a cell say, filled into it, where they agree and it says something else."""
    place = graph.places[cell]
    own = graph.meaning.get(cell)
    if own is not None and isinstance(own.key, tuple) and own.key[:1] == ("array",):
        return None
    for down, across in dict.fromkeys(moves):
        if (down, across) == (0, 0):
            continue
        before, after = _say(graph, place, -down, -across), _say(graph, place, down, across)
        if before is not None and after is not None:
            agreed = before if graph.meaning[before].key == graph.meaning[after].key else None
        elif own is None:
            continue  # a typed number at the end of a column is where it begins
        else:
            far = 2 if before is None else -2
            one, two = after if before is None else before, _say(graph, place, far * down, far * across)
            agreed = one
            if one is None or two is None or graph.meaning[one].key != graph.meaning[two].key:
                agreed = None
        if agreed is None:
            continue
        if own is not None and own.key == graph.meaning[agreed].key:
            return None
        if own is None and graph.opaque.get(cell) is None and np.isnan(graph.typed[cell]):
            continue  # a blank or a heading
        filled = filled_into(graph, agreed, cell)
        if filled is not None:
            return filled
    return None


def between_two(graph: SheetGraph, cell: int, move: tuple[int, int]) -> Meaning | None:
    """What the cells before and after a cell say, where both say the same and it says something else."""
    place = graph.places[cell]
    before, after = (_say(graph, place, far * move[0], far * move[1]) for far in (-1, 1))
    if before is None or after is None:
        return None
    own, key = graph.meaning[cell], graph.meaning[before].key
    if key != graph.meaning[after].key or own.key == key or isinstance(own.expr, Var):
        return None
    further = [_say(graph, place, far * move[0], far * move[1]) for far in (-2, 2)]
    if any(cell is not None and graph.meaning[cell].key == own.key for cell in further):
        return None  # they take turns
    return filled_into(graph, before, cell)
