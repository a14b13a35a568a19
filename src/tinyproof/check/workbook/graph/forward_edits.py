"""A mistake of the forward pass shows in many changes: one edit there after which every change of a step follows.

What an edited formula makes of the step is computed for many edits at once: the step alone, each edit on samples of its
own. Only references, lost terms and signs are edited, and only into what another forward formula says alike: a wrong
slope is no other activation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tinyproof.backprop.expr import Expr, Var, names, substitute, walk
from tinyproof.backprop.tape import Array, compute, forward, record
from tinyproof.backprop.tape_back import backward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.cell_net import Form, Net
from tinyproof.check.workbook.graph.edit_search import Budget, Found, Search
from tinyproof.check.workbook.graph.edits import MOVING, expression, with_meanings
from tinyproof.check.workbook.graph.found_training import Atom, Study
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.graph.order import Order, order
from tinyproof.check.workbook.graph.residuals import measure
from tinyproof.check.workbook.graph.rests import targets_of
from tinyproof.check.workbook.graph.sheetgraph import says_alike
from tinyproof.check.workbook.graph.whole_groups import edited, named_part
from tinyproof.check.workbook.rules.repair import Repair, repairs
from tinyproof.core.arrays import np

ACTIVATED = "activated"  # the one edit after which nothing need have followed before it
KINDS = ("variable", "exchanged", "sign", "lost term")
MOST_CELLS = 2_000  # of a step
MOST_EDITS = 600  # of one formula
MOST_ALIKE = 40  # cells of a step that those of the others are compared with
AT_ONCE = 2_000_000  # numbers of one array


def by_forward(found: Study, left: set[int], budget: Budget, idle: Sequence[int] = ()) -> Mend | None:
    """The forward formula whose edit makes every change of the steps right; None where there is none. `idle`: what is
    moved by the error and read by no unit; one of these belongs there then."""
    plain = [u for u in sorted(left) if int(found.training[u]) not in {int(found.training[s]) for s in found.states}]
    if not plain:
        return None
    update = plain[len(plain) // 2]
    here = [u for u in plain if found.step[u] == found.step[update]]
    still = any(not np.any(np.nan_to_num(found.gradient[u])) for u in here)
    # Of one parameter a slip of the way back says as much.
    single = len({int(found.lineage[u]) for u in here}) < 2 and not (still or idle)
    step = _Step(found, update, idle)
    if step.net.size > MOST_CELLS:
        return None
    search = Search(found, update, np.zeros(found.values.shape[1]), budget)
    for cells in search.cone:
        if found.forward is not None and found.forward[cells].all() and not found.order.cut[cells].any():
            regular = once(expression(found.net.forms[found.net.form_of[cells[0]]].tape))
            edit = step.edit(search, cells, not regular) if not (single and regular) else None
            mend = everywhere(found, edit, left) if edit is not None else None
            if mend is not None:
                return mend
    return None


def everywhere(found: Study, edit: Found, left: set[int]) -> Mend | None:
    """The edit in every step, where all is right with it."""
    graph, some = found.net.graph, edit.cells[:MOST_ALIKE]  # the examples of a step read its parameters from elsewhere
    keys = {graph.meaning[cell].key for cell in edit.cells}
    alike = [
        c
        for c in found.net.forms[found.net.form_of[edit.cells[0]]].cells.tolist()
        if graph.meaning[c].key in keys or any(says_alike(graph, one, c) for one in some)
    ]
    for moving in (True, False):  # what is put in its place may stand once for all steps
        new = {cell: meaning for cell in alike if (meaning := edited(found, edit, cell, moving)) is not None}
        again = judged(with_meanings(graph, new)) if len(new) == len(alike) else None
        if again is None or again[1].wrong or again[1].lost or len(again[0].updates) < len(found.updates):
            continue
        mend = Mend(list(new), new, edit.repair.kind, updates=sorted(left))
        top = min(new, key=lambda cell: graph.places[cell])
        sides = edit.repair.old, edit.repair.new
        mend.old_part, mend.new_part = (named_part(found, edit, side, top) for side in sides)
        return mend
    return None


class _Step:
    """One step of a training as a graph of its own."""

    def __init__(self, found: Study, update: int, idle: Sequence[int] = ()) -> None:
        self.found, self.idle = found, {int(found.net.canon[cell]) for cell in idle}
        self.updates = np.flatnonzero((found.step == found.step[update]) & (found.training == found.training[update]))
        ends, starts = found.successor[self.updates], found.parameter[self.updates]
        shown = self._held_against(int(found.training[update]), starts)
        inside = found.order.cone(np.concatenate([ends, shown]))
        inside[ends] = inside[starts] = inside[shown] = True
        unread = [cell for cell in self.idle if not inside[cell]]
        inside[unread] = True
        self.cells = np.flatnonzero(inside)
        self.local = np.full(found.net.size, -1)
        self.local[self.cells] = np.arange(len(self.cells))
        own = inside & (~found.order.cut | np.isin(np.arange(found.net.size), ends))
        own[unread] = False
        self.net = _part_of(found.net, own, self.local, len(self.cells))
        self.ends, self.starts = self.local[ends], self.local[starts]
        self.objective = [self._atom(atom) for atom in found.chosen[int(found.training[update])]]
        self.kind = found.kinds[int(found.training[update])]
        self.back = found.order.reach(targets_of(found, int(found.training[update])))  # no part of a forward pass
        self.back[unread] = False
        self.peers = {
            form.tape.steps for form in found.net.forms if found.forward is not None and found.forward[form.cells].any()
        }

    def _held_against(self, training: int, starts: np.ndarray) -> np.ndarray:
        """The cells of this step in which the objective begins: a loss that no change reads is one of them."""
        found, cells = self.found, [np.zeros(0, dtype=int)]
        for atom in found.chosen[training]:
            cells += [found.net.forms[residual.form].cells[residual.rows[rows]] for residual, rows in atom.pieces]
            cells += [] if atom.cells is None else [atom.cells]
        every = np.concatenate(cells)
        return np.asarray(every[found.order.reach(starts)[every] & ~found.order.cut[every]])

    def _atom(self, atom: Atom) -> Atom:
        pieces = []
        for residual, rows in atom.pieces:
            cells = self.local[self.found.net.forms[residual.form].cells[residual.rows[rows]]]
            kept = rows[(cells >= 0) & (self.net.form_of[cells] >= 0)]
            cells = self.local[self.found.net.forms[residual.form].cells[residual.rows[kept]]]
            if len(kept):
                form = int(self.net.form_of[cells[0]])
                own = replace(
                    residual,
                    form=form,
                    rows=self.net.row_of[cells],
                    output_cell=residual.output_cell[kept],
                    target_cell=residual.target_cell[kept],
                    value=None,
                    outputs=None,
                )
                pieces.append((own, np.arange(len(kept))))
        shown = atom.cells
        if shown is not None:
            shown = self.local[shown][self.local[shown] >= 0]
        return Atom(atom.training, pieces, shown, atom.name)

    def edit(self, search: Search, cells: list[int], twice: bool) -> Found | None:
        """The first edit of these cells after which every change of the step follows. `twice`: the formula reads a cell
        twice, and no longer when it is edited."""
        tape = self.found.net.forms[self.found.net.form_of[cells[0]]].tape
        expr, words = expression(tape), dict[str, tuple[int, int]]()
        reads = self.found.net.forms[self.found.net.form_of[cells[0]]].reads[self.found.net.row_of[cells]]
        where: dict[str, np.ndarray] = {f"s{i}": reads[:, i] for i in range(tape.slots)}
        after = self.found.order.reach(cells)
        for number, (cell, fixed) in enumerate(search.words(cells)):
            at = search.cells_at(cells, cell, fixed)
            if at is not None and (self.local[at] >= 0).all() and not (after[at] | self.back[at]).any():
                words[f"w{number}"], where[f"w{number}"] = (cell, fixed), np.array(at)
        search.current = cells
        options = self._activated(cells, expr, words, where)
        options += [r for r in _edits(expr, [*where]) if self._as_others(r) or (twice and once(r.whole))][:MOST_EDITS]
        held = self.found.net.canon
        if self.idle:
            options = [r for r in options if any(held[words[n][0]] in self.idle for n in names(r.whole) if n in words)]
        cut = self.found.order.cut[self.cells]
        cut[self.local[cells]] = True
        shorter, most = order(self.net, cut), max(1, AT_ONCE // (self.net.size * self.found.values.shape[1]))
        for first in range(0, len(options), most):
            some = options[first : first + most]
            for repair, holds in zip(some, self._hold(shorter, cells, some, where), strict=True):
                if holds:
                    return Found(tuple(cells), repair, {n: words[n] for n in names(repair.whole) if n in words})
        return None

    def _activated(
        self, cells: list[int], expr: Expr, words: dict[str, tuple[int, int]], where: dict[str, np.ndarray]
    ) -> list[Repair]:
        """The activations in place of all the sums that a formula weighs, where no other forward formula reads them."""
        net, forward = self.found.net, self.found.forward
        assert forward is not None
        swap: dict[str, Expr] = {}
        made = set[int]()
        for name in [*where] if len(cells) == 1 else []:
            readers = np.unique(net.dst[net.src == where[name][0]])
            units = [r for r in readers.tolist() if len(net.reads(r)) == 1 and not forward[r] and self.local[r] >= 0]
            if name.startswith("s") and len(units) == 1 and net.form_of[where[name][0]] >= 0:
                word = f"unit {name}"
                swap[name], words[word], where[word] = Var(word), (units[0], MOVING), np.array(units)
                made.add(int(net.form_of[units[0]]))
        whole = substitute(expr, swap)
        return [Repair(ACTIVATED, expr, whole, whole)] if len(swap) > 1 and len(made) == 1 else []

    def _as_others(self, repair: Repair) -> bool:
        """Whether another forward formula computes alike."""
        used = names(repair.whole)
        return record(repair.whole, {name: i for i, name in enumerate(used)}).steps in self.peers

    def _hold(
        self, shorter: Order, cells: list[int], options: list[Repair], where: dict[str, np.ndarray]
    ) -> list[bool]:
        """After which of the edits every change of the step follows."""
        found, samples, here = self.found, self.found.values.shape[1], self.local[cells]
        values = np.tile(found.values[self.cells], (1, len(options)))
        own = {name: found.values[at] for name, at in where.items()}
        blocks = [slice(i * samples, (i + 1) * samples) for i in range(len(options))]
        for repair, block in zip(options, blocks, strict=True):
            values[here, block] = compute(repair.whole, own)
        final = shorter.compute(values)
        for atom in self.objective:
            measure(shorter, [residual for residual, _ in atom.pieces], values)
        study = replace(found, net=self.net, order=shorter, values=values)
        slope = shorter.adjoints(values, seeds_of(study, self.objective, self.kind))
        through = np.zeros_like(values)
        for repair, block in zip(options, blocks, strict=True):
            used = names(repair.whole)
            tape = record(repair.whole, {name: i for i, name in enumerate(used)})
            inputs = np.stack([own[name] for name in used])
            back = backward(tape, forward(tape, inputs), {tape.top: slope[here, block]}, inputs)
            for name, amount in zip(used, back, strict=True):
                np.add.at(through, (self.local[where[name]], block), amount)  # type: ignore[arg-type]  # numpy's types know no slice
        seeds: dict[int, dict[int, tuple[np.ndarray, Array]]] = {}
        for cell in np.flatnonzero(np.any(through != 0, axis=1) & ~shorter.cut & (self.net.form_of >= 0)):
            form = int(self.net.form_of[cell])
            rows, amounts = seeds.get(form, {}).get(self.net.forms[form].tape.top, (np.zeros(0, int), through[:0]))
            held = np.append(rows, self.net.row_of[cell]), np.concatenate([amounts, through[[cell]]])
            seeds[form] = {self.net.forms[form].tape.top: held}
        gradient = (slope + through + shorter.adjoints(values, seeds))[self.starts]
        change = final[self.ends] - values[self.starts]
        own_ones = values[self.starts]
        sides = [
            [_beside(side[:, b], own_ones[:, b]) if found.decayed else side[:, b] for side in (change, gradient)]
            for b in blocks
        ]
        return [bool(match(moved, slope_of).ok.all()) for moved, slope_of in sides]


def _beside(rows: Array, own: Array) -> Array:
    """What is left of changes or gradients beside a share of their own parameters, which weight decay takes off."""
    with np.errstate(all="ignore"):
        share = (rows * own).sum(axis=1) / (own * own).sum(axis=1)
        return np.asarray(rows - np.nan_to_num(share)[:, None] * own)


def once(expr: Expr) -> bool:
    """Whether a formula reads each of its cells once."""
    read = [node.name for node in walk(expr) if isinstance(node, Var)]
    return len(read) == len(set(read))


def _edits(expr: Expr, words: list[str]) -> Iterator[Repair]:
    """References exchanged, signs, terms put back."""
    yield from (repair for repair in repairs(expr, words, []) if repair.kind in KINDS)
    for word in words:
        for whole in (expr + Var(word), Var(word) + expr):
            yield Repair("lost term", expr, Var(word), whole)


def _part_of(net: Net, own: np.ndarray, local: np.ndarray, size: int) -> Net:
    """Some cells of a net as one of its own; what they read is among them or a leaf."""
    forms, form_of, row_of = list[Form](), np.full(size, -1), np.zeros(size, dtype=int)
    for form in net.forms:
        rows = np.flatnonzero(own[form.cells])
        if len(rows):
            cells = local[form.cells[rows]]
            form_of[cells], row_of[cells] = len(forms), np.arange(len(rows))
            forms.append(Form(form.tape, cells, local[form.reads[rows]]))
    src = np.concatenate([form.reads.ravel() for form in forms])
    dst = np.concatenate([np.repeat(form.cells, form.tape.slots) for form in forms])
    return Net(net.graph, size, forms, form_of, row_of, src, dst, canon=np.arange(size))
