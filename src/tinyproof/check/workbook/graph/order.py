"""In which order cells are computed, and computing them: forwards for values, backwards for derivatives.

The graph may be cut: a cut cell is a leaf for whatever reads it, and its own formula is computed at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyproof.backprop.tape import Array, forward
from tinyproof.backprop.tape_back import backward
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.core.arrays import add_rows, np, pieces

Parts = Mapping[int, Mapping[int, Array]]
CHUNK = 3_000_000  # numbers held at once while one form is computed


@dataclass(frozen=True)
class Group:
    """Cells of one form that can be computed together: their rows in the form."""

    form: int
    rows: np.ndarray


@dataclass(frozen=True)
class Edges:
    """What reads a cell, as one array cut into pieces."""

    start: np.ndarray
    to: np.ndarray

    @staticmethod
    def of(size: int, src: np.ndarray, dst: np.ndarray) -> Edges:
        before = np.cumsum(np.bincount(src, minlength=size))
        return Edges(np.concatenate([[0], before]), dst[np.argsort(src, kind="stable")])

    def after(self, cells: np.ndarray) -> np.ndarray:
        """The cells at the other end, one for each edge."""
        return np.asarray(pieces(self.to, self.start[cells], self.start[cells + 1]))


@dataclass(frozen=True)
class Order:
    """The order of a (cut) graph. `level`: -1 for cells in a circle. `finals`: the cut cells that have a formula."""

    net: Net
    cut: np.ndarray
    level: np.ndarray
    groups: tuple[Group, ...]
    finals: tuple[Group, ...]
    down: Edges
    up: Edges

    @cached_property
    def moved(self) -> np.ndarray:
        """Which cells are cut or depend on one that is."""
        return self.reach(np.flatnonzero(self.cut))

    def reach(self, starts: Iterable[int], upwards: bool = False) -> np.ndarray:
        """Which cells depend on these (or, upwards, which these depend on), through the cut graph."""
        seen = np.zeros(self.net.size, dtype=bool)
        front = np.unique(np.fromiter(starts, dtype=int))
        seen[front] = True
        edges = self.up if upwards else self.down
        while len(front):
            front = edges.after(front)
            front = np.unique(front[~seen[front]])
            seen[front] = True
        return seen

    def cone(self, ends: Iterable[int]) -> np.ndarray:
        """What the formulas of these cells read, directly or not, through the cut graph."""
        return self.reach((cell for end in ends for cell in self.net.reads(end)), upwards=True)

    def compute(self, values: Array, parts: Parts | None = None) -> Array:
        """Fill in `values` (cells, samples), in place; returns what the formulas of the cut cells give.

        `parts`: cells in whose formulas some steps are taken to be other numbers.
        """
        for group in self.groups:
            self._run(group, values, values, parts or {})
        final = np.full_like(values, np.nan)
        for group in self.finals:
            self._run(group, values, final, parts or {})
        return final

    def _run(self, group: Group, values: Array, into: Array, parts: Parts) -> None:
        form = self.net.forms[group.form]
        for rows in _chunks(group.rows, form.tape.slots * values.shape[1]):
            inputs = values[form.reads[rows].T]
            into[form.cells[rows]] = forward(form.tape, inputs)[-1]
            for i, cell in enumerate(form.cells[rows].tolist() if parts else []):
                if cell in parts:
                    into[cell] = forward(form.tape, inputs[:, i : i + 1], parts[cell])[-1]

    def adjoints(self, values: Array, seeds: Mapping[int, Mapping[int, tuple[np.ndarray, Array]]]) -> Array:
        """The derivative by every cell. `seeds`: form -> step of its tape -> (rows, adjoint of that step there)."""
        out, reached = np.zeros_like(values), np.zeros(len(values), dtype=bool)
        dense = {form: self._dense(form, own, values.shape[1]) for form, own in seeds.items()}
        for final, group in [*((True, g) for g in self.finals), *((False, g) for g in reversed(self.groups))]:
            form, own = self.net.forms[group.form], dense.get(group.form, {})
            for rows in _chunks(group.rows, 3 * form.tape.slots * values.shape[1]):
                cells = form.cells[rows]
                if not own and (final or not reached[cells].any()):
                    continue  # nothing has come this far
                top = np.zeros((len(rows), values.shape[1])) if final else out[cells]
                given: dict[int, Array] = {form.tape.top: top}
                for step, whole in own.items():
                    given[step] = given[step] + whole[rows] if step in given else whole[rows]
                alive = np.logical_or.reduce([np.any(a, axis=1) for a in given.values()])
                if not alive.any():
                    continue
                if not alive.all():
                    rows, given = rows[alive], {step: a[alive] for step, a in given.items()}
                reads = form.reads[rows].T
                inputs = values[reads]
                moved = self.moved[reads] if form.tape.stairs else None
                back = backward(form.tape, forward(form.tape, inputs), given, inputs, moved)
                good = np.isfinite(back)
                if not good.all():
                    back[~good] = np.nan
                for slot in range(form.tape.slots):
                    add_rows(out, reads[slot], back[slot])
                reached[reads.ravel()] = True
        return out

    def _dense(self, form: int, own: Mapping[int, tuple[np.ndarray, Array]], samples: int) -> dict[int, Array]:
        """The seeds of a form with a row for each of its cells."""
        found = {}
        for step, (places, amount) in own.items():
            found[step] = np.zeros((len(self.net.forms[form].cells), samples))
            found[step][places] = amount
        return found


def _chunks(rows: np.ndarray, width: int) -> Sequence[np.ndarray]:
    count = max(1, CHUNK // max(1, width))
    return [rows] if len(rows) <= count else [rows[i : i + count] for i in range(0, len(rows), count)]


def order(net: Net, cut: np.ndarray | None = None) -> Order:
    """The order, from what reads nothing to what nothing reads."""
    size = net.size
    cut = np.zeros(size, dtype=bool) if cut is None else cut
    keep = ~cut[net.dst]
    src, dst = net.src[keep], net.dst[keep]
    down, up = Edges.of(size, src, dst), Edges.of(size, dst, src)
    waiting = np.bincount(dst, minlength=size)
    level = np.full(size, -1)
    front = np.flatnonzero(waiting == 0)
    depth = 0
    while len(front):
        level[front] = depth
        following = down.after(front)
        gone = np.bincount(following, minlength=size) if len(following) > size // 8 else None
        if gone is not None:
            waiting -= gone
            touched = np.flatnonzero(gone)
        else:
            touched, count = np.unique(following, return_counts=True)
            waiting[touched] -= count
        front = touched[waiting[touched] == 0]
        depth += 1
    groups, finals = [], []
    for index, form in enumerate(net.forms):
        levels = level[form.cells]
        free = ~cut[form.cells]
        by = np.argsort(levels, kind="stable")
        bounds = np.flatnonzero(np.diff(levels[by], prepend=-2))
        for a, b in zip(bounds, [*bounds[1:], len(by)], strict=True):
            rows = by[a:b]
            if levels[rows[0]] >= 0:
                rows = rows[free[rows]]
                if len(rows):
                    groups.append((levels[rows[0]], Group(index, np.sort(rows))))
        if not free.all():
            finals.append(Group(index, np.flatnonzero(~free)))
    groups.sort(key=lambda pair: pair[0])
    return Order(net, cut, level, tuple(group for _, group in groups), tuple(finals), down, up)
