"""Looking for the one edit that puts a wrong change right: trial by trial, on numbers alone.

For one update the change it should have is known. Every cell between it and the parameters has a slope: by how much
the change moves when the cell does. So an edit of a cell's formula is tried without computing the sheet again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tinyproof.backprop.expr import Call, Expr, Var, names, walk
from tinyproof.backprop.tape import Array, compute, forward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.edit_kinds import continued, factors, other_functions, put, shifted
from tinyproof.check.workbook.graph.edits import FIXED, MOVING, TURNED, along, expression
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph, says_alike
from tinyproof.check.workbook.rules.repair import Repair, repairs
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

MOST_TRIALS = 2_500  # edits tried on one group of cells
MOST_WORDS = 60
MOST_ELSEWHERE = 32  # cells looked at that stand in another block than the group
MOST_GROUPS = 24  # groups of cells looked at for one update
SAME = 1e-6


@dataclass(frozen=True)
class Found:
    """An edit that makes one update right.

    `cells`: the cells of this step that say it; `repair` is over s0, s1, .. (what the formula reads now, in order) and
    the names of `words`: cells, and how each goes along with the group (`edits.MOVING` and so on).
    """

    cells: tuple[int, ...]
    repair: Repair
    words: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Budget:
    """Trials left, for the whole workbook."""

    trials: int = 60_000


class Search:
    """For one update: the cells on its way, and edits of them."""

    def __init__(
        self, found: Study, update: int, needed: Array, budget: Budget, held: tuple[int, int] | None = None
    ) -> None:
        """`needed`: the change; or, with `held`, what a step of a cell's formula (its top: the cell) should be."""
        self.found, self.net, self.update, self.needed, self.budget = found, found.net, update, needed, budget
        self.graph = found.net.graph
        successor = int(found.successor[update])
        cell, step = held or (successor, self.net.forms[self.net.form_of[successor]].tape.top)
        form = int(self.net.form_of[cell])
        ones = np.ones((1, found.values.shape[1]))
        self.slope = found.order.adjoints(found.values, {form: {step: (self.net.row_of[[cell]], ones)}})
        whole = step == self.net.forms[form].tape.top
        self.part = None if whole else (cell, step)  # only a part of the cell's formula is to be right
        self.slope[cell] = float(whole) if not found.order.cut[cell] else self.slope[cell]
        self.current: list[int] = []
        self.now = found.change[update] if held is None else _step_of(found, cell, step)
        self.missing = needed - self.now
        self.cone = self._cone(cell)

    def _cone(self, cell: int) -> list[list[int]]:
        """The cells on the way back from the update, in groups that say the same, the nearest first."""
        groups: dict[int, list[list[int]]] = {}
        seen, front = {cell: 0}, [cell]
        while front and len(seen) < 4_000:
            following = []
            for one in front:
                form = self.net.form_of[one]
                if form >= 0 and (one == cell or not self.found.order.cut[one]):
                    if self.found.depends[one]:
                        _into(groups.setdefault(int(form), []), one, self.graph)
                    for read in self.net.reads(one):
                        if read not in seen:
                            seen[read] = len(seen)
                            following.append(read)
            front = following
        return sorted((own for some in groups.values() for own in some), key=lambda own: seen[own[0]])

    def groups(self, trusted: np.ndarray) -> list[list[int]]:
        """Groups worth editing: what right updates use is left out."""
        me = int(self.found.successor[self.update])
        fresh = [[cell for cell in own if cell == me or not trusted[cell]] for own in self.cone]
        first = [] if self.part is None else [[self.part[0]]]
        return [*first, *[own for own in fresh if own]][:MOST_GROUPS]

    def edit(self, cells: list[int], natural: bool = True, free: bool = False) -> Found | None:
        """The first edit of these cells, all at once, that makes the update right.

        `natural`: an update is not mended by multiplying its gradient with something that the gradient lacks. `free`:
        at any rate, by another reference alone.
        """
        self.current = cells
        form = self.net.forms[self.net.form_of[cells[0]]]
        rows = self.net.row_of[cells]
        me = int(self.found.successor[self.update])
        slope = self.slope[cells]
        slope[np.array(cells) == me] = 1.0  # of the update itself, whatever reads its cell
        tape = form.tape
        if self.part is not None and cells == [self.part[0]]:
            tape, slope = replace(tape, steps=tape.steps[: self.part[1] + 1]), np.ones_like(slope)
        if not np.any(np.abs(np.nan_to_num(slope)) > 0) or len(cells) > 400:
            return None
        values = {f"s{i}": self.found.values[form.reads[rows, i]] for i in range(form.tape.slots)}
        expr = expression(tape)
        if sum(1 for _ in walk(expr)) > 600:
            return None
        was = np.broadcast_to(compute(expr, values), slope.shape)
        words = self.words(cells)
        vocabulary = {}
        for number, (cell, way) in enumerate(words):
            other = self._at(cells, cell, way)
            if other is not None:
                vocabulary[f"w{number}"] = (cell, way)
                values[f"w{number}"] = other
        scale = np.maximum(np.abs(self.needed), np.abs(self.now)) + 1e-12
        seen = np.isfinite(self.missing)  # a saturated unit leaves no digits on some samples
        if seen.sum() < max(3, len(seen) // 2):
            return None
        tried: set[Expr] = {expr}
        for count, repair in enumerate(self._repairs(expr, vocabulary)):
            if natural and cells[0] == me and repair.kind in ("lost factor", "lost term", "brackets", "square"):
                continue
            self.budget.trials -= 1
            if count > MOST_TRIALS or self.budget.trials < 0:
                return None
            if repair.whole in tried or _is_idle(repair.whole, values):
                continue
            tried.add(repair.whole)
            if free and repair.kind != "variable":
                continue
            with np.errstate(all="ignore"):
                moved = (slope * (compute(repair.whole, values) - was)).sum(axis=0)
                off = moved - self.missing
            holds = bool(np.all(np.abs(off[seen]) <= SAME * scale[seen]))  # what is no number is not
            if free:
                again = match((self.now + moved)[None], self.found.gradient[[self.update]])
                holds = bool(again.ok[0] and again.rate[0] > 0)
            if holds:
                used = {name: vocabulary[name] for name in names(repair.whole) if name in vocabulary}
                if tape is not form.tape:
                    repair = replace(repair, whole=put(expression(form.tape), expr, repair.whole))
                return Found(tuple(cells), repair, used)
        return None

    def _raw(self, cell: int) -> list[int]:
        """What a formula reads, copies not followed: where a cell stands tells what the formula means."""
        meaning = self.graph.meaning.get(cell)
        return [ref for ref in meaning.refs.values() if ref < self.net.size] if meaning else []

    def words(self, cells: list[int]) -> list[tuple[int, int]]:
        """Cells that the formula might have meant instead: near it, near what it reads, read by its neighbours."""
        graph, here, own = self.graph, self.graph.places[cells[0]], self._raw(cells[0])
        step = np.flatnonzero(self.found.step == self.found.step[self.update])
        pool = [*own, *(int(c) for c in self.found.parameter[step])]
        for cell in (cell for group in self.cone for cell in group[:40]):
            pool += [cell, *self._raw(cell)[:60]]
        for other in step[:40]:
            front = self._raw(int(self.found.successor[other]))[:30]
            pool += front
            pool += [c for one in front if not self.found.order.cut[one] for c in self._raw(one)[:30]]
        for place in (here, *(graph.places[read] for read in own[:12])):  # and what stands beside it or what it reads
            for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                side = graph.number.get(Place(place.sheet, place.row + down, place.col + across))
                pool += [side] if side is not None and side < self.net.size else []
        anchors = [here, *[graph.places[read] for read in own[:10]]]
        away = {cell: min(_apart(graph.places[cell], anchor) for anchor in anchors) for cell in dict.fromkeys(pool)}
        nearest: dict[int, int] = {}  # of cells that hold the same
        for cell in sorted(away, key=lambda cell: away[cell]):
            nearest.setdefault(int(self.net.canon[cell]), cell)
        chosen = list(nearest.values())
        if len(cells) == 1:
            return [(cell, FIXED) for cell in chosen[:MOST_WORDS]]
        beside = [c for c in chosen if graph.places[c].row == here.row or graph.places[c].col == here.col]
        return [
            *[(cell, MOVING) for cell in beside[:MOST_WORDS]],
            *[(cell, FIXED) for cell in chosen[: MOST_WORDS // 2]],
            *self._elsewhere(cells, chosen),
        ]

    def _elsewhere(self, cells: list[int], chosen: list[int]) -> list[tuple[int, int]]:
        """Computed cells of the forward pass in a block of their own, which goes along with the group or turned: of
        matrices that stop before the update."""
        forward = self.found.forward
        if forward is None or not self.graph.imagined:
            return []
        own = [c for c in chosen if forward[self.net.canon[c]] and self.net.form_of[self.net.canon[c]] >= 0]
        words = [(c, way) for c in own for way in (MOVING, TURNED) if self.cells_at(cells, c, way) is not None]
        return words[:MOST_ELSEWHERE]

    def _at(self, cells: list[int], cell: int, way: int) -> Array | None:
        """What the word is worth for each cell of the group."""
        at = self.cells_at(cells, cell, way)
        return None if at is None else self.found.values[at]

    def cells_at(self, cells: list[int], cell: int, way: int) -> list[int] | None:
        """Which cell the word is for each cell of the group."""
        if way == FIXED:
            return [int(self.net.canon[cell])] * len(cells)
        first, target = self.graph.places[cells[0]], self.graph.places[cell]
        found = []
        for one in cells:
            number = self.graph.number.get(along(target, first, self.graph.places[one], way))
            if number is None or number >= self.net.size:
                return None
            found.append(int(self.net.canon[number]))
        return found

    def beside(self, name: str, down: int, across: int, words: dict[str, tuple[int, int]]) -> str | None:
        """The word for the cell beside the one that a slot reads."""
        if not name.startswith("s"):
            return None
        place = self.graph.places[self.net.reads(self.current[0])[int(name[1:])]]
        cell = self.graph.number.get(Place(place.sheet, place.row + down, place.col + across))
        if cell is None or cell >= self.net.size:
            return None
        moved = int(self.net.canon[cell])
        options = [word for word, (known, _) in words.items() if self.net.canon[known] == moved]
        return options[0] if options else None

    def _repairs(self, expr: Expr, words: dict[str, tuple[int, int]]) -> Iterator[Repair]:
        yield from other_functions(expr)
        yield from shifted(expr, words, lambda name, down, across: self.beside(name, down, across, words))
        yield from continued(expr, lambda name, down, across: self.beside(name, down, across, words))
        vocabulary = [*[f"s{i}" for i in range(len(names(expr)))], *words]
        more = [word for word in vocabulary[40:] if words[word][1] != FIXED] if self.graph.imagined else []
        made = self._computed(words)
        yield from repairs(expr, vocabulary, [*factors(vocabulary, made), *factors(more, made)])

    def _computed(self, words: dict[str, tuple[int, int]]) -> set[str]:
        """The words for cells that a formula fills: only of these a slope or a gate is made."""
        read = dict(zip((f"s{i}" for i in range(MOST_WORDS)), self.net.reads(self.current[0]), strict=False))
        cells = read | {word: cell for word, (cell, _) in words.items()}
        return {word for word, cell in cells.items() if self.net.form_of[self.net.canon[cell]] >= 0}


def _is_idle(expr: Expr, values: dict[str, Array]) -> bool:
    """Whether a cell is taken off itself: nobody means that."""
    pairs = [node.args for node in walk(expr) if isinstance(node, Call) and node.function == "sub"]
    both = [(a.name, b.name) for a, b in pairs if isinstance(a, Var) and isinstance(b, Var)]
    return any(a == b or np.array_equal(values[a], values[b]) for a, b in both)


def _step_of(found: Study, cell: int, step: int) -> Array:
    """What a step of a cell's formula is worth."""
    form = found.net.forms[found.net.form_of[cell]]
    inputs = found.values[form.reads[found.net.row_of[cell]]][:, None, :]
    return np.asarray(np.broadcast_to(forward(form.tape, inputs)[step], (1, found.values.shape[1]))[0])


def _into(groups: list[list[int]], cell: int, graph: SheetGraph) -> None:
    """Put a cell to those of the same form that say the same; else it begins a group."""
    key, some = graph.meaning[cell].key, groups[:MOST_GROUPS]
    filled = (own for own in some if graph.meaning[own[-1]].key == key)
    alike = (own for own in some if says_alike(graph, own[0], cell))
    own = next(filled, None) or next(alike, None)
    if own is None:
        groups.append([cell])
    else:
        own.append(cell)


def _apart(a: Place, b: Place) -> int:
    """How far two cells are apart; along a row or a column counts as near."""
    down, across = abs(a.row - b.row), abs(a.col - b.col)
    return min(4 * down + across, down + 4 * across) + (500 if a.sheet != b.sheet else 0)
