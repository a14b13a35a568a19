"""A training found in a graph: its updates, its steps, the objective they follow, and how well each follows it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinyproof.check.workbook.graph.agree import Match, match
from tinyproof.check.workbook.graph.carried import by_place
from tinyproof.check.workbook.graph.order import Order, order
from tinyproof.check.workbook.graph.residuals import Residual, find_residuals, measure
from tinyproof.check.workbook.graph.sample import PLAIN, STEPPED, draw, has_thresholds, is_stepped
from tinyproof.check.workbook.graph.sheetgraph import Net
from tinyproof.check.workbook.graph.steps import Update, find_updates
from tinyproof.check.workbook.graph.tape import Array

KINDS = ("square", "logistic", "softmax")
MOST_ATOMS = 10

Source = tuple[int, int, tuple[int, ...]]  # a cell, the step of its formula that is the gradient, what it reads besides
Seeds = dict[int, dict[int, tuple[np.ndarray, Array]]]


@dataclass(eq=False)
class Atom:
    """A part of an objective: places in the sheet, each with what its adjoint is per kind of loss.

    `pieces`: (residual or None, rows of it to use); a shown value that is descended itself has `cells`.
    """

    training: int
    pieces: list[tuple[Residual, np.ndarray]] = field(default_factory=list)
    cells: np.ndarray | None = None
    name: str = ""


@dataclass
class Study:
    """All trainings of a workbook.

    For each update (in the order of `updates`): `training`, `step`, `lineage` (the same parameter through the steps),
    `change`, `gradient` of the objective chosen, `match`. `kinds`: the loss that each training follows.
    """

    net: Net
    order: Order
    updates: list[Update]
    parameter: np.ndarray
    successor: np.ndarray
    depends: np.ndarray
    values: Array
    final: Array
    change: Array
    label: np.ndarray
    training: np.ndarray
    step: np.ndarray
    lineage: np.ndarray
    gradient: Array
    match: Match
    kinds: dict[int, str] = field(default_factory=dict)
    chosen: dict[int, list[Atom]] = field(default_factory=dict)
    residuals: list[Residual] = field(default_factory=list)
    forward: np.ndarray | None = None
    given: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))  # upstream of an output or a target
    atoms: dict[int, list[Atom]] = field(default_factory=dict)  # by training
    states: dict[int, int] = field(default_factory=dict)  # update -> the cell that holds its gradient
    ways: dict[int, list[list[int]]] = field(default_factory=dict)  # what `states` found out, whatever the gradient
    parts: dict[int, tuple[list[int], Array]] = field(default_factory=dict)
    sources: dict[int, list[Source]] = field(default_factory=dict)  # update -> where its gradient is on its way

    def trainings(self) -> list[int]:
        return [int(t) for t in np.unique(self.training)]


def labels(size: int, src: np.ndarray, dst: np.ndarray) -> np.ndarray:
    """Connected parts: equal numbers for nodes that edges join."""
    label = np.arange(size)
    while len(src):
        least = np.minimum(label[src], label[dst])
        before = label.copy()
        np.minimum.at(label, label[src], least)
        np.minimum.at(label, label[dst], least)
        label = label[label]
        label = label[label]
        if np.array_equal(label, before):
            break
    return label


def grouped(numbers: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Each number that occurs, and where, in order: quicker than looking for one after the other."""
    by = np.argsort(numbers, kind="stable")
    first = np.flatnonzero(np.diff(numbers[by], prepend=numbers[by[:1]] - 1))
    return [(int(numbers[own[0]]), own) for own in np.split(by, first[1:])] if len(by) else []


def study(net: Net) -> Study | None:
    """The trainings of the workbook; None where nothing is updated."""
    found_updates, dropped, roles = find_updates(net)
    updates = by_place(net, roles, found_updates, dropped)
    if not updates:
        return None
    parameter = np.array([u.parameter for u in updates])
    successor = np.array([u.successor for u in updates])
    cut = np.zeros(net.size, dtype=bool)
    cut[parameter] = cut[successor] = True
    cut_order = order(net, cut)
    depends = cut_order.reach(np.flatnonzero(cut))
    label, step = _parts(net, cut_order, depends, parameter, successor)
    lineage = labels(net.size, parameter, successor)[parameter]
    residuals = find_residuals(cut_order, depends)
    forward, random, held = _kinds_of_leaves(cut_order, residuals)
    samples = STEPPED if is_stepped(cut_order, depends) else PLAIN
    wide = has_thresholds(cut_order, depends)
    values = draw(cut_order, random, held, samples, 7, wide=wide)
    unread = [cell for cell in net.graph.opaque if depends[cell]]
    values[unread] = np.nan  # what is made of the parameters in a way that is not read
    final = cut_order.compute(values)
    change = final[successor] - values[parameter]
    if np.isfinite(change).all(axis=1).mean() < 0.7:
        again = draw(cut_order, random, held, samples, 7, positive=True, wide=wide)
        again[unread] = np.nan
        final_again = cut_order.compute(again)
        change_again = final_again[successor] - again[parameter]
        if np.isfinite(change_again).all(axis=1).mean() > np.isfinite(change).all(axis=1).mean():
            values, final, change = again, final_again, change_again
    measure(cut_order, residuals, values)
    blank = np.zeros_like(change)
    found = Study(
        net=net,
        order=cut_order,
        updates=updates,
        parameter=parameter,
        successor=successor,
        depends=depends,
        values=values,
        final=final,
        change=change,
        label=label,
        training=label[successor],
        step=step,
        lineage=lineage,
        gradient=blank,
        match=match(change, blank),
        residuals=residuals,
        forward=forward,
        given=random,
    )
    _choose(found)
    return found


def options(found: Study, training: int) -> list[tuple[str, list[Atom]]]:
    """What a training could follow: everything it has, of each kind, then single parts."""
    own = found.atoms.get(training, [])
    several = [own, *[[atom] for atom in own[:4]]] if len(own) > 1 else [own]
    found_options = [(kind, atoms) for kind in KINDS for atoms in several if atoms]
    return [*found_options, *[("shown", [atom]) for atom in _shown(found, training)]]


def follow(found: Study, training: int, kind: str, atoms: list[Atom]) -> None:
    """Hold a training against this objective."""
    mine = found.training == training
    gradient = np.asarray(sum(_gradients(found, [atom], kind) for atom in atoms))
    found.kinds[training], found.chosen[training] = kind, atoms
    found.gradient[mine] = gradient[mine]
    new = match(found.change[mine], found.gradient[mine])
    found.match.ok[mine], found.match.seen[mine], found.match.rate[mine] = new.ok, new.seen, new.rate


def _parts(
    net: Net, cut_order: Order, depends: np.ndarray, parameter: np.ndarray, successor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which training and which step each update belongs to."""
    both = depends[net.src] & depends[net.dst]
    src, dst = net.src[both], net.dst[both]
    label = labels(net.size, src, dst)
    cone = _cone(cut_order, successor)
    inside = (cone[dst] | cut_order.cut[dst]) & (cone[src] | cut_order.cut[src])
    src, dst = src[inside], dst[inside]
    sink = np.where(cut_order.cut[dst], dst + net.size, dst)  # a successor is the end of its step, not of the next
    step = labels(2 * net.size, src, sink)[successor + net.size]
    return label, step


def _cone(cut_order: Order, successor: np.ndarray) -> np.ndarray:
    """What the successors' formulas read, directly or not, through the cut graph."""
    net = cut_order.net
    reads = [net.forms[net.form_of[s]].reads[net.row_of[s]] for s in successor]
    return cut_order.reach(np.concatenate(reads), upwards=True)


def _kinds_of_leaves(cut_order: Order, residuals: list[Residual]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells upstream of an output or a target; leaves that are drawn; targets that keep their 0 or 1."""
    net = cut_order.net
    outputs, targets = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)]
    for residual in residuals:
        form = net.forms[residual.form]
        slots = form.tape.below
        for group, into in ((residual.parts[0], outputs), (residual.parts[1], targets)):
            used = sorted(frozenset().union(*(slots[step] for _, step in group)))
            into.append(form.reads[residual.rows][:, used].ravel())
    forward = cut_order.reach(np.concatenate(outputs), upwards=True)
    target = cut_order.reach(np.concatenate(targets), upwards=True)
    typed = np.array(net.graph.typed)
    direct = np.zeros(net.size, dtype=bool)
    direct[np.concatenate(targets)] = True
    # a target that is 0 or 1 stays so (a choice may hang on it), and so does what a target is looked up from
    held = target & ~forward & (np.isin(typed, (0.0, 1.0, -1.0)) | ~direct)
    for form in net.forms:
        for slot in form.tape.levels:  # the two answers of a threshold unit
            cells = form.reads[:, slot]
            held[cells[np.isin(typed[cells], (0.0, 1.0, -1.0))]] = True
    return forward, forward | target, held


def _choose(found: Study) -> None:
    """Take for each training the objective that most of its updates follow."""
    for atom in _atoms(found):
        found.atoms.setdefault(atom.training, []).append(atom)
    size = len(found.updates)
    best: dict[int, tuple[int, str, list[Atom], Array]] = {
        t: (-1, "", [], np.zeros_like(found.change[:0])) for t in found.trainings()
    }
    by_training = {t: found.atoms.get(t, []) for t in best}
    where = dict(grouped(found.training))
    done: set[int] = set()
    for kind in (*KINDS, "shown"):
        todo = {t: own if kind != "shown" else _shown(found, t) for t, own in by_training.items() if t not in done}
        depth = max((len(own) for own in todo.values()), default=0)
        slopes = [
            _gradients(found, [own[i] for own in todo.values() if i < len(own)], kind)
            for i in range(min(depth, MOST_ATOMS))
        ]
        for t, own in todo.items():
            mine = where[t]
            picked = _pick(found.change[mine], [slope[mine] for slope in slopes[: len(own)]])
            count = int(match(found.change[mine], picked[1]).ok.sum())
            if count > best[t][0]:
                best[t] = count, kind, [own[i] for i in picked[0]], picked[1]
            if count == len(mine):
                done.add(t)
    for t, (_, kind, chosen, gradient) in best.items():
        found.kinds[t], found.chosen[t] = kind, chosen
        found.gradient[where[t]] = gradient
    found.match = match(found.change, found.gradient)
    _both_ways(found)
    _decayed(found)
    assert len(found.match.ok) == size


def _both_ways(found: Study) -> None:
    """A parameter that goes up in one step and down in the next follows nothing: chance made it look so."""
    for _, whole in grouped(found.lineage):
        own = whole[found.match.ok[whole]]
        up = int((found.match.rate[own] < 0).sum())
        if len(own) >= 3 and min(up, len(own) - up) > 0.2 * len(own):
            found.match.ok[own] = False


def _decayed(found: Study) -> None:
    """Weight decay: every change has the same share of its own parameter taken off as well."""
    for training in found.trainings():
        mine = np.flatnonzero((found.training == training) & ~found.match.ok & found.match.seen)
        shares = np.full(len(mine), np.nan)
        rates = np.full(len(mine), np.nan)
        for i, update in enumerate(mine):
            c, g, p = found.change[update], found.gradient[update], found.values[found.parameter[update]]
            good = np.isfinite(c) & np.isfinite(g)
            if good.sum() < 5 or not np.any(g[good]):
                continue
            table = np.stack([g[good], p[good]], axis=1)
            fit, _, rank, _ = np.linalg.lstsq(table, c[good], rcond=None)
            if rank == 2 and np.abs(table @ fit - c[good]).max() <= 1e-7 * np.abs(c[good]).max():
                rates[i], shares[i] = -fit[0], -fit[1]
        with np.errstate(all="ignore"):
            common = np.nanmedian(shares) if np.isfinite(shares).any() else np.nan
            same = np.isfinite(shares) & (np.abs(shares / common - 1) < 1e-5)
        if 0 < common < 1 and same.sum() >= 2 and (rates[same] > 0).all():
            found.match.ok[mine[same]] = True
            found.match.rate[mine[same]] = rates[same]


def _pick(change: Array, slopes: list[Array]) -> tuple[list[int], Array]:
    """The parts whose sum the most changes follow."""
    nothing = np.zeros_like(change)
    if not slopes:
        return [], nothing

    def score(chosen: frozenset[int]) -> int:
        if not chosen:
            return -1
        return int(match(change, np.asarray(sum(slopes[i] for i in chosen))).ok.sum())

    options = [frozenset(range(len(slopes))), *[frozenset([i]) for i in range(len(slopes))]]
    scores = {option: score(option) for option in options}
    best = max(options, key=lambda option: scores[option])
    for _ in range(2 * len(slopes)):
        moves = [best ^ {i} for i in range(len(slopes))]
        for move in moves:
            if move not in scores:
                scores[move] = score(move)
        better = max(moves, key=lambda option: (scores[option], len(option)))
        if scores[better] <= scores[best]:
            break
        best = better
    return sorted(best), np.asarray(sum(slopes[i] for i in best))


def _gradients(found: Study, atoms: list[Atom], kind: str) -> Array:
    """The derivative of these parts by every parameter; the parts belong to different trainings."""
    return np.asarray(found.order.adjoints(found.values, seeds_of(found, atoms, kind))[found.parameter])


def seeds_of(found: Study, atoms: list[Atom], kind: str) -> Seeds:
    """Where the derivative of these parts begins, and with what."""
    dense: dict[tuple[int, int], Array] = {}
    for atom in atoms:
        for residual, rows in atom.pieces:
            assert residual.value is not None
            assert residual.outputs is not None
            r, o = residual.value[rows], residual.outputs[rows]
            with np.errstate(all="ignore"):
                amount = r if kind == "square" else r / (o * (1 - o)) if kind == "logistic" else r / o
            if kind == "logistic":  # no digits are left of a saturated unit
                amount = np.where(np.abs(o * (1 - o)) > 1e-8, amount, np.nan)
            amount = np.where(np.isfinite(amount), amount, np.nan)
            key = residual.form, residual.step
            if key not in dense:
                dense[key] = np.zeros((len(found.net.forms[residual.form].cells), found.values.shape[1]))
            dense[key][residual.rows[rows]] += amount
        if atom.cells is not None:
            for form in np.unique(found.net.form_of[atom.cells]):
                cells = atom.cells[found.net.form_of[atom.cells] == form]
                key = int(form), found.net.forms[form].tape.top
                if key not in dense:
                    dense[key] = np.zeros((len(found.net.forms[form].cells), found.values.shape[1]))
                dense[key][found.net.row_of[cells]] += 1.0
    seeds: Seeds = {}
    for (form, step), amount in dense.items():
        rows = np.flatnonzero(np.any(amount != 0, axis=1))
        seeds.setdefault(form, {})[step] = rows, amount[rows]
    return seeds


def _atoms(found: Study) -> list[Atom]:
    """Residuals put together that stand in the same formulas; each residual of a step once."""
    net = found.net
    trainings = set(found.trainings())
    signatures: dict[tuple[object, ...], tuple[set[tuple[int, int]], Residual, int]] = {}
    places: dict[int, int] = {}
    for residual in found.residuals:
        places[residual.form] = places.get(residual.form, 0) + 1
    for residual in found.residuals:
        assert residual.value is not None
        form = net.forms[residual.form]
        cells = form.cells[residual.rows]
        where = residual.form, residual.step if places[residual.form] <= 8 else -1
        value = np.where(np.isfinite(residual.value), residual.value, 0.0)
        size = np.abs(value).max(axis=1, keepdims=True)
        rounded = np.round(value / np.where(size > 0, size, 1.0), 8) * np.sign(value[:, :1] + (value[:, :1] == 0))
        rounded += 0.0  # -0 is 0
        read = form.reads[residual.rows]
        slots = [sorted(frozenset().union(*(form.tape.below[s] for _, s in part))) for part in residual.parts]
        for i, cell in enumerate(cells):
            training = int(found.label[cell])
            if training not in trainings or size[i, 0] == 0:
                continue
            # two examples may be alike: what is read tells them apart
            key = training, rounded[i].tobytes(), *(tuple(sorted(read[i, own])) for own in slots)
            held = signatures.get(key)
            if held is None:
                signatures[key] = {where}, residual, i
            else:
                held[0].add(where)
    groups: dict[tuple[int, frozenset[tuple[int, int]]], dict[int, tuple[Residual, list[int]]]] = {}
    for key, (forms_of, residual, row) in signatures.items():
        own = groups.setdefault((int(str(key[0])), frozenset(forms_of)), {})
        own.setdefault(id(residual), (residual, []))[1].append(row)
    atoms = [
        Atom(training, [(residual, np.array(rows)) for residual, rows in own.values()])
        for (training, _), own in groups.items()
    ]
    atoms.sort(key=lambda atom: -sum(len(rows) for _, rows in atom.pieces))
    return atoms


def _shown(found: Study, training: int) -> list[Atom]:
    """Values that the sheet computes from the parameters and uses for nothing: what is descended may be one of them."""
    net = found.net
    label = found.label
    cone = _cone(found.order, found.successor)
    reads_on = np.zeros(net.size, dtype=bool)
    reads_on[net.src[found.depends[net.dst]]] = True
    cells = np.flatnonzero((label == training) & found.depends & ~found.order.cut & (net.form_of >= 0))
    by_key: dict[object, list[int]] = {}
    for cell in cells:
        if not (cone[cell] and reads_on[cell]) or not cone[cell]:
            by_key.setdefault(net.graph.meaning[int(cell)].key, []).append(int(cell))
    sized = sorted(by_key.values(), key=lambda own: -len(own))[:MOST_ATOMS]
    return [Atom(training, cells=np.array(own)) for own in sized]
