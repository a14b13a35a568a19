"""What the formulas of another parameter say at the same place of the same step, said of this parameter.

Every parameter of a step has the same rule. So a formula on the way of a wrong change is held against the one that
stands as far from a right change: what is the other parameter's own there (its weight, its gradient, its memory) is
this parameter's own here, and what all of them read (a rate) is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tinyproof.backprop.expr import Var, names, substitute
from tinyproof.check.workbook.graph.cells_around import far, same_formula
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.graph.way_back import on_the_way
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

MOST_PEERS = 4
MOST_ALIKE = 12  # formulas of other parameters that are looked at for what they have in common
MOST_CELLS = 8  # on the way of a change


def as_peers_say(found: Study, own: list[int], guilty: int, trusted: np.ndarray) -> Iterator[dict[int, Meaning]]:
    """Mends for the wrong updates of one parameter: at each of its steps the same cell, as another parameter has it.
    The cell to blame first."""
    rep = next((u for u in own if guilty in on_the_way(found, u)), own[len(own) // 2])
    graph, end = found.net.graph, int(found.successor[rep])
    here = graph.places[guilty]
    way = [c for c in on_the_way(found, rep) if c == end or not trusted[c]]
    cells = sorted((c for c in way if c in graph.meaning), key=lambda c: (c != guilty, far(graph.places[c], here)))
    right = found.successor[found.match.ok & (found.lineage != found.lineage[rep])]  # its own first step may be right
    used = found.order.cone(right) if len(right) else np.zeros(found.net.size, dtype=bool)
    tried: list[dict[int, Meaning]] = []
    alike = _Alike(found)
    for cell in cells[:MOST_CELLS]:
        for peer in _peers(found, rep)[:MOST_PEERS]:
            shift = _between(graph.places[end], graph.places[int(found.successor[peer])])
            new = _at_all(found, own, rep, cell, shift, used, alike)
            if new and not any(_same(graph, new, other) for other in tried):
                tried.append(new)
                yield new


def _peers(found: Study, update: int) -> list[int]:
    """Right updates of other parameters in the same step, the nearest first."""
    place, here = found.net.graph.places, found.net.graph.places[int(found.successor[update])]
    right = np.flatnonzero(found.match.ok & (found.training == found.training[update]))
    own = [u for u in right.tolist() if found.lineage[u] != found.lineage[update]]
    same = _same_step(found, update, own)
    return sorted(same, key=lambda u: far(place[int(found.successor[u])], here))


def _same_step(found: Study, update: int, others: list[int]) -> list[int]:
    """Those of the others that stand in the same step: in its block, or as near as none of the same parameter."""
    step = [u for u in others if found.step[u] == found.step[update]]
    place, here = found.net.graph.places, found.net.graph.places[int(found.successor[update])]
    nearest: dict[int, int] = {}
    for other in step:
        lineage, distance = int(found.lineage[other]), far(place[int(found.successor[other])], here)
        known = nearest.get(lineage)
        if known is None or distance < far(place[int(found.successor[known])], here):
            nearest[lineage] = other
    return list(nearest.values())


def _at_all(
    found: Study, own: list[int], rep: int, cell: int, shift: Place, used: np.ndarray, alike: _Alike
) -> dict[int, Meaning]:
    """The same cell of every wrong step, as the parameter that stands so far away has it; {} where one has none."""
    graph = found.net.graph
    back = _between(graph.places[int(found.successor[rep])], graph.places[cell])
    new: dict[int, Meaning] = {}
    for update in own:
        here = graph.number.get(_moved(graph.places[int(found.successor[update])], back), -1)
        source = graph.number.get(_moved(graph.places[here], shift), -1) if here >= 0 else -1
        meaning = None
        if here in graph.meaning and source in graph.meaning:
            meaning = _Said(found, update, here, source, shift, used, alike).meaning()
        if meaning is None:
            return {}
        if not same_formula(graph, graph.meaning[here], meaning):
            new[here] = meaning
    return new


class _Alike:
    """What is asked of many steps and is one for all of them: whose a step is, and what formulas of a form share."""

    def __init__(self, found: Study) -> None:
        self.graph, self.forms, self.form_of = found.net.graph, found.net.forms, found.net.form_of
        self.owner: dict[int, int] = {}
        for parameter, successor in zip(found.parameter.tolist(), found.successor.tolist(), strict=True):
            self.owner.setdefault(successor, parameter)
        self.first: dict[int, list[int]] = {}

    def common(self, here: int, source: int) -> set[int]:
        """What most formulas of the source's form read, whosever parameter theirs is; those written as it is, apart."""
        form, key = int(self.form_of[source]), self.graph.meaning[source].key
        if form not in self.first:
            self.first[form] = self._first(self.forms[form].cells.tolist())
        meaning = self.graph.meaning
        near = [c for c in self.first[form] if c != here and meaning[c].key != key][:MOST_ALIKE]
        read = Counter(cell for c in near for cell in set(meaning[c].refs.values()))
        return {cell for cell, count in read.items() if 2 * count > len(near)}  # the wrong ones are among them

    def _first(self, cells: list[int]) -> list[int]:
        """So many cells of a form that enough are left without any one of them and those written like it."""
        kept: list[int] = []
        counts: Counter[object] = Counter()
        for cell in cells:
            key = self.graph.meaning[cell].key
            if counts[key] <= MOST_ALIKE:
                kept.append(cell)
                counts[key] += 1
            if len(kept) - max(counts.values()) > MOST_ALIKE:
                break
        return kept


class _Said:
    """What a cell says of its parameter, said of another one."""

    def __init__(
        self, found: Study, update: int, here: int, source: int, shift: Place, used: np.ndarray, alike: _Alike
    ) -> None:
        self.found, self.graph, self.canon = found, found.net.graph, found.net.canon
        self.here, self.source, self.shift, self.used = here, source, shift, used
        graph = self.graph
        self.own = [cell for cell in graph.meaning[here].refs.values() if cell < found.net.size]
        self.parameter = int(found.parameter[update])
        end = graph.places[int(found.successor[update])]
        other = graph.number.get(_moved(end, shift), -1)
        self.peer = alike.owner.get(other, -1)
        self.common = alike.common(here, source)
        self.way, self.mine = on_the_way(found, update), {int(self.canon[c]) for c in self.own}

    def meaning(self) -> Meaning | None:
        """The formula; None where it cannot be moved."""
        graph, said = self.graph, self.graph.meaning[self.source]
        if said.own or (isinstance(said.key, tuple) and said.key[:1] == ("array",)):
            return None
        targets = {cell: self.mine_for(cell) for cell in said.refs.values()}
        free = [c for c in self.own if c not in targets.values() and int(self.canon[c]) != self.parameter]
        open_ones = [cell for cell, target in targets.items() if target is None and cell not in self.common]
        for cell in open_ones:  # the one thing of that kind that this formula reads and the other does not
            same = [c for c in free if self.kind(c) == self.kind(cell)]
            made = [c for c in free if self.kind(c) >= 0]
            if len(same) == 1:
                targets[cell] = same[0]
            elif self.kind(cell) >= 0 and len(made) == 1 and sum(self.kind(c) >= 0 for c in open_ones) == 1:
                targets[cell] = made[0]  # a bias' gradient is written otherwise than a weight's
        refs, swap = {}, {}
        for name, cell in said.refs.items():
            target = targets[cell]
            target = cell if target is None else target
            new = _written(graph, name, target, self.here) if target != cell else name
            refs[new], swap[name] = target, Var(new)
        expr, own = substitute(said.expr, swap), graph.meaning[self.here]
        return Meaning(expr, {name: refs[name] for name in names(expr)}, ("mended", said.key), own.text_at)

    def mine_for(self, cell: int) -> int | None:
        """What is to this parameter what `cell` is to the other: the parameter, what both read, or what stands as far
        away; None where none is."""
        if cell >= self.found.net.size or cell in self.own:
            return cell
        if int(self.canon[cell]) == self.peer:
            return next((c for c in self.own if int(self.canon[c]) == self.parameter), self.parameter)
        there, shift = self.graph.places[cell], self.shift
        place = Place(there.sheet - shift.sheet, there.row - shift.row, there.col - shift.col)
        moved = self.graph.number.get(place, -1)
        if moved in self.own and int(self.canon[moved]) != self.parameter:
            return moved
        if 0 <= moved < self.found.net.size and self.kind(moved) == self.kind(cell):
            held = int(self.canon[moved])
            if held in self.way or held in self.mine or (self.kind(cell) >= 0 and not self.used[held]):
                return moved
        return None

    def kind(self, cell: int) -> int:
        """Its form; -1 for a number."""
        return int(self.found.net.form_of[self.canon[cell]])


def _written(graph: SheetGraph, name: str, cell: int, here: int) -> str:
    """The variable of another cell, with the same `$`."""
    tail = name[name.index("$") :] if "$" in name and name[-3:-2] == "$" else ""
    place = graph.places[cell]
    sheet = f"{graph.grid.sheet(place.sheet).name}!" if place.sheet != graph.places[here].sheet else ""
    return f"{sheet}{graph.name(cell)}{tail}"


def _between(start: Place, end: Place) -> Place:
    return Place(end.sheet - start.sheet, end.row - start.row, end.col - start.col)


def _moved(place: Place, by: Place) -> Place:
    return Place(place.sheet + by.sheet, place.row + by.row, place.col + by.col)


def _same(graph: SheetGraph, one: dict[int, Meaning], other: dict[int, Meaning]) -> bool:
    return one.keys() == other.keys() and all(same_formula(graph, one[c], other[c]) for c in one)
