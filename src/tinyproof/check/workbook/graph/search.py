"""Looking for the one edit that puts a wrong change right: trial by trial, on numbers alone.

For one update the change it should have is known. Every cell between it and the parameters has a slope: by how much
the change moves when the cell does. So an edit of a cell's formula is tried without computing the sheet again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinyproof.backprop.expr import Call, Expr, Num, Var, names, substitute, walk
from tinyproof.check.workbook.graph.edits import expression
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.tape import Array, compute
from tinyproof.check.workbook.rules.repair import Repair, repairs
from tinyproof.check.workbook.understand.grid import Place

MOST_TRIALS = 2_500  # edits tried on one group of cells
MOST_WORDS = 60
MOST_GROUPS = 24  # groups of cells looked at for one update
SAME = 1e-6


@dataclass(frozen=True)
class Found:
    """An edit that makes one update right.

    `cells`: the cells of this step that say it; `repair` is over s0, s1, .. (what the formula reads now, in order) and
    the names of `words`: cells at the same distance from every cell of the group, or (`fixed`) one and the same cell.
    """

    cells: tuple[int, ...]
    repair: Repair
    words: dict[str, tuple[int, bool]] = field(default_factory=dict)


@dataclass
class Budget:
    """Trials left, for the whole workbook."""

    trials: int = 60_000


class Search:
    """For one update: the cells on its way, and edits of them."""

    def __init__(self, found: Study, update: int, needed: Array, budget: Budget) -> None:
        self.found, self.net, self.update, self.needed, self.budget = found, found.net, update, needed, budget
        self.graph = found.net.graph
        cell = int(found.successor[update])
        form = int(self.net.form_of[cell])
        ones = np.ones((1, found.values.shape[1]))
        self.slope = found.order.adjoints(
            found.values, {form: {self.net.forms[form].tape.top: (self.net.row_of[[cell]], ones)}}
        )
        self.slope[cell] = 1.0 if not found.order.cut[cell] else self.slope[cell]
        self.current: list[int] = []
        self.missing = needed - found.change[update]
        self.cone = self._cone(cell)

    def _cone(self, cell: int) -> list[list[int]]:
        """The cells on the way back from the update, in groups that say the same, the nearest first."""
        groups: dict[object, list[int]] = {}
        seen, front = {cell}, [cell]
        while front and len(seen) < 4_000:
            following = []
            for one in front:
                form = self.net.form_of[one]
                if form >= 0 and (one == cell or not self.found.order.cut[one]):
                    if self.found.depends[one]:
                        groups.setdefault((self.graph.meaning[one].key, form), []).append(one)
                    for read in self.net.forms[form].reads[self.net.row_of[one]]:
                        if int(read) not in seen:
                            seen.add(int(read))
                            following.append(int(read))
            front = following
        return list(groups.values())

    def groups(self, trusted: np.ndarray) -> list[list[int]]:
        """Groups worth editing: those that no right update uses come first."""
        fresh = [own for own in self.cone if not trusted[own].any() or own[0] == self.found.successor[self.update]]
        return fresh[:MOST_GROUPS]

    def edit(self, cells: list[int], natural: bool = True) -> Found | None:
        """The first edit of these cells, all at once, that makes the update right.

        `natural`: an update is not mended by multiplying its gradient with something that the gradient lacks.
        """
        self.current = cells
        form = self.net.forms[self.net.form_of[cells[0]]]
        rows = self.net.row_of[cells]
        me = int(self.found.successor[self.update])
        slope = self.slope[cells]
        slope[np.array(cells) == me] = 1.0  # of the update itself, whatever reads its cell
        if not np.any(np.abs(np.nan_to_num(slope)) > 0) or len(cells) > 400:
            return None
        values = {f"s{i}": self.found.values[form.reads[rows, i]] for i in range(form.tape.slots)}
        expr = expression(form.tape)
        if sum(1 for _ in walk(expr)) > 600:
            return None
        was = np.broadcast_to(compute(expr, values), slope.shape)
        words = self._words(cells, form.reads[rows[0]])
        vocabulary = {}
        for number, (cell, fixed) in enumerate(words):
            other = self._at(cells, cell, fixed)
            if other is not None:
                vocabulary[f"w{number}"] = (cell, fixed)
                values[f"w{number}"] = other
        scale = np.maximum(np.abs(self.needed), np.abs(self.found.change[self.update])) + 1e-12
        tried: set[Expr] = {expr}
        for count, repair in enumerate(self._repairs(expr, vocabulary)):
            if natural and cells[0] == me and repair.kind in ("lost factor", "lost term", "brackets", "square"):
                continue
            self.budget.trials -= 1
            if count > MOST_TRIALS or self.budget.trials < 0:
                return None
            if repair.whole in tried:
                continue
            tried.add(repair.whole)
            with np.errstate(all="ignore"):
                new = compute(repair.whole, values)
                off = (slope * (new - was)).sum(axis=0) - self.missing
            if np.all(np.isfinite(off)) and np.all(np.abs(off) <= SAME * scale):
                used = {name: vocabulary[name] for name in names(repair.whole) if name in vocabulary}
                return Found(tuple(cells), repair, used)
        return None

    def _words(self, cells: list[int], reads: np.ndarray) -> list[tuple[int, bool]]:
        """Cells that the formula might have meant instead: near it, near what it reads, read by its neighbours."""
        here = self.graph.places[cells[0]]
        near: dict[int, None] = dict.fromkeys(int(c) for c in reads)
        step = np.flatnonzero(self.found.step == self.found.step[self.update])
        near.update(dict.fromkeys(int(c) for c in self.found.parameter[step]))
        pool: dict[int, None] = {}
        for group in self.cone:
            for cell in group[:40]:
                pool.setdefault(cell)
                pool.update(
                    dict.fromkeys(
                        int(c) for c in self.net.forms[self.net.form_of[cell]].reads[self.net.row_of[cell]][:60]
                    )
                )
        for other in step[:40]:
            cell = int(self.found.successor[other])
            pool.update(
                dict.fromkeys(int(c) for c in self.net.forms[self.net.form_of[cell]].reads[self.net.row_of[cell]][:30])
            )
            front = [int(c) for c in self.net.forms[self.net.form_of[cell]].reads[self.net.row_of[cell]][:30]]
            for one in front:
                if self.net.form_of[one] >= 0 and not self.found.order.cut[one]:
                    pool.update(
                        dict.fromkeys(
                            int(c) for c in self.net.forms[self.net.form_of[one]].reads[self.net.row_of[one]][:30]
                        )
                    )
        for read in reads[:12]:  # and what stands beside what it reads
            place = self.graph.places[int(read)]
            for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                side = self.graph.number.get(Place(place.sheet, place.row + down, place.col + across))
                if side is not None and side < self.net.size:
                    pool.setdefault(int(self.net.canon[side]))

        anchors = [here, *[self.graph.places[int(read)] for read in reads[:10]]]

        def distance(cell: int) -> float:
            place = self.graph.places[cell]
            return min(_apart(place, anchor) for anchor in anchors)

        chosen = sorted({**near, **pool}, key=distance)
        if len(cells) == 1:
            return [(cell, True) for cell in chosen[:MOST_WORDS]]
        beside = [c for c in chosen if self.graph.places[c].row == here.row or self.graph.places[c].col == here.col]
        return [*[(cell, False) for cell in beside[:MOST_WORDS]], *[(cell, True) for cell in chosen[: MOST_WORDS // 2]]]

    def _at(self, cells: list[int], cell: int, fixed: bool) -> Array | None:
        """What the word is worth for each cell of the group."""
        if fixed:
            return np.broadcast_to(self.found.values[cell], (len(cells), self.found.values.shape[1]))
        first, target = self.graph.places[cells[0]], self.graph.places[cell]
        found = []
        for one in cells:
            place = self.graph.places[one]
            there = Place(target.sheet, target.row + place.row - first.row, target.col + place.col - first.col)
            number = self.graph.number.get(there)
            if number is None or number >= self.net.size:
                return None
            found.append(int(self.net.canon[number]))
        return self.found.values[found]

    def beside(self, name: str, down: int, across: int, words: dict[str, tuple[int, bool]]) -> str | None:
        """The word for the cell beside the one that a slot reads."""
        if not name.startswith("s"):
            return None
        form = self.net.forms[self.net.form_of[self.current[0]]]
        read = int(form.reads[self.net.row_of[self.current[0]], int(name[1:])])
        place = self.graph.places[read]
        cell = self.graph.number.get(Place(place.sheet, place.row + down, place.col + across))
        if cell is None or cell >= self.net.size:
            return None
        moved = int(self.net.canon[cell])
        options = [word for word, (known, fixed) in words.items() if known == moved]
        return options[0] if options else None

    def _repairs(self, expr: Expr, words: dict[str, tuple[int, bool]]) -> Iterator[Repair]:
        yield from _other_functions(expr)
        yield from _shifted(expr, words, self)
        vocabulary = [*[f"s{i}" for i in range(len(names(expr)))], *words]
        yield from repairs(expr, vocabulary, _factors(vocabulary))


def _apart(a: Place, b: Place) -> int:
    """How far two cells are apart; along a row or a column counts as near."""
    down, across = abs(a.row - b.row), abs(a.col - b.col)
    return min(4 * down + across, down + 4 * across) + (500 if a.sheet != b.sheet else 0)


def _factors(words: Sequence[str]) -> list[Expr]:
    found: list[Expr] = [Var(word) for word in words]
    for word in words[:40]:
        a = Var(word)
        found += [1 - a, a * (1 - a), 1 - a * a, Call("gt", (a, Num(0.0)))]
    return found


def _other_functions(expr: Expr) -> Iterator[Repair]:
    """MEDIAN for a sum, an average for a sum, a function too many."""
    for node in dict.fromkeys(walk(expr)):
        if not isinstance(node, Call):
            continue
        options: list[Expr] = []
        if node.function in ("median", "max", "min") and len(node.args) > 2:
            whole = Call("add", node.args)
            options = [whole, whole / Num(float(len(node.args)))]
        elif node.function == "add" and len(node.args) > 2:
            options = [node / Num(float(len(node.args)))]
        elif (node.function == "div" and isinstance(node.args[1], Num) and node.args[1].value > 1) or node.function in (
            "tanh",
            "sigmoid",
            "exp",
            "sqrt",
            "abs",
        ):
            options = [node.args[0]]
        for new in options:
            yield Repair("function", node, new, _put(expr, node, new))
        if node.function == "tanh":
            yield Repair("function", node, node.args[0], _all(expr, node, node.args[0]))


def _put(expr: Expr, old: Expr, new: Expr) -> Expr:
    if expr == old:
        return new
    if isinstance(expr, Call):
        return Call(expr.function, tuple(_put(arg, old, new) for arg in expr.args))
    return expr


def _all(expr: Expr, old: Expr, new: Expr) -> Expr:
    """Every call of the same function replaced by what it is called with."""
    if isinstance(expr, Call):
        args = tuple(_all(arg, old, new) for arg in expr.args)
        return args[0] if isinstance(old, Call) and expr.function == old.function else Call(expr.function, args)
    return expr


def _shifted(expr: Expr, words: dict[str, tuple[int, bool]], search: Search) -> Iterator[Repair]:
    """A range that is one cell too short or too long, or stands one cell off."""
    for node in dict.fromkeys(walk(expr)):
        if isinstance(node, Call) and node.function in ("add", "median") and len(node.args) > 2:
            for word in words:
                more = Call(node.function, (*node.args, Var(word)))
                yield Repair("lost term", node, Var(word), _put(expr, node, more))
    for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        swap: dict[str, Expr] = {}
        for name in names(expr):
            moved = search.beside(name, down, across, words)
            if moved is not None:
                swap[name] = Var(moved)
        if len(swap) > 1:
            yield Repair("shifted", expr, expr, substitute(expr, swap))
            for kept in list(swap):
                rest = {name: new for name, new in swap.items() if name != kept}
                if len(rest) < 2:
                    continue
                yield Repair("shifted", expr, expr, substitute(expr, rest))
