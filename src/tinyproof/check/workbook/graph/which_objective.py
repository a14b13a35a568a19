"""Which objective a training follows: each kind is tried on all updates, and the one that most follow is taken."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import Match, match
from tinyproof.check.workbook.graph.disputed import clipped_errors, find_disputes
from tinyproof.check.workbook.graph.found_training import Atom, Study, grouped
from tinyproof.check.workbook.graph.objectives import HINGE, KINDS, MISREAD, MOST_ATOMS, atoms_of, gradients, shown
from tinyproof.check.workbook.graph.penalties import cornered, decayed, uneven
from tinyproof.core.arrays import np

FAIR = 0.2  # of the updates follow an objective that the sheet shows: it is meant, although more follow another


@dataclass(frozen=True)
class Tried:
    """An objective that was tried: how many updates follow it (`all` of them?), its kind, parts and gradient."""

    count: int
    kind: str
    atoms: list[Atom]
    gradient: Array
    all: bool


def choose(found: Study) -> None:
    """Take for each training the objective that most of its updates follow; where not all follow it, and the sheet
    shows a loss of another kind that some of them follow, that one."""
    for atom in atoms_of(found, found.residuals):
        found.atoms.setdefault(atom.training, []).append(atom)
    for atom in atoms_of(found, found.comparisons):
        found.compared.setdefault(atom.training, []).append(atom)
    for atom in atoms_of(found, found.limits):
        found.margins.setdefault(atom.training, []).append(atom)
    where = dict(grouped(found.training))
    tried: dict[int, list[Tried]] = {t: [] for t in found.trainings()}
    for kind in (*KINDS, MISREAD, "shown", HINGE):
        todo = {t: _own(found, t, kind) for t, held in tried.items() if not any(one.all for one in held)}
        depth = max((len(own) for own in todo.values()), default=0)
        slopes = [
            gradients(found, [own[i] for own in todo.values() if i < len(own)], kind)
            for i in range(min(depth, MOST_ATOMS))
        ]
        for t, own in todo.items():
            mine = where[t]
            picked = _pick(found.change[mine], [slope[mine] for slope in slopes[: len(own)]])
            count = _one_way(match(found.change[mine], picked[1]))
            if kind in (HINGE, MISREAD) and not _varies(picked[1]):
                continue
            if kind == "softmax" and count > 0 and not _shares(found, [own[i] for i in picked[0]]):
                continue
            tried[t].append(Tried(count, kind, [own[i] for i in picked[0]], picked[1], count == len(mine)))
    for t, held in tried.items():
        best = max(held, key=lambda one: one.count)
        best = best if best.all else _as_shown(found, t, held, len(where[t])) or best
        found.kinds[t], found.chosen[t] = best.kind, best.atoms
        found.gradient[where[t]] = best.gradient
    found.match = match(found.change, found.gradient)
    _both_ways(found)
    data, found.taken = found.gradient.copy(), np.zeros_like(found.gradient)
    decayed(found)
    cornered(found)
    _clipped_alike(found)
    uneven(found)
    find_disputes(found, data)


def _as_shown(found: Study, training: int, tried: list[Tried], updates: int) -> Tried | None:
    """The one objective of those that a fair part of the updates follow whose loss the sheet shows."""
    some = [one for one in tried if one.kind in KINDS and one.count >= FAIR * updates]
    if len(some) < 2:
        return None
    mine = found.training == training
    losses = [gradients(found, [atom], "shown")[mine] for atom in shown(found, training)]
    held = [one for one in some if any(2 * match(-loss, one.gradient).ok.sum() > updates for loss in losses)]
    return held[0] if len(held) == 1 else None


def _varies(gradient: Array) -> bool:
    """Whether what moves by its target moves by a number that anything gives: a switch adds the same every time."""
    some = np.nan_to_num(gradient[:64])
    return any(len(np.unique(np.round(np.abs(row[row != 0]), 9))) > 1 for row in some) or not np.any(some)


def _shares(found: Study, atoms: list[Atom]) -> bool:
    """Whether the outputs of each example add up to the same number, whatever the parameters, or are counts (EXP): only
    of these is error over output the slope of a cross-entropy."""
    net, tops = found.net, set[str]()
    for residual, rows in (piece for atom in atoms for piece in atom.pieces):
        forms = {int(net.form_of[cell]) for cell in residual.output_cell[rows] if cell >= 0}
        tops.update(str(net.forms[form].tape.steps[-1][0]) for form in forms)
        tops.update(str(net.forms[residual.form].tape.steps[step][0]) for _, step in residual.parts[0])
    moved, errors = (np.abs(np.nan_to_num(gradients(found, atoms, kind))).max() for kind in ("sum", "square"))
    return tops <= {"exp", "var"} or bool(moved <= 1e-9 * errors)


def _one_way(new: Match) -> int:
    """How many changes follow, downhill all or uphill all: what goes both ways follows nothing."""
    up = int((new.rate[new.ok] < 0).sum())
    return max(up, int(new.ok.sum()) - up)


def _own(found: Study, training: int, kind: str) -> list[Atom]:
    """The parts that an objective of this kind can be made of."""
    if kind == "shown":
        return shown(found, training)
    own = {MISREAD: found.compared, HINGE: found.margins}.get(kind, found.atoms)
    return own.get(training, [])


def _both_ways(found: Study) -> None:
    """A parameter that goes up in one step and down in the next follows nothing: chance made it look so, unless all
    its steps but one go equally far."""
    for _, whole in grouped(found.lineage):
        own = whole[found.match.ok[whole]]
        up = int((found.match.rate[own] < 0).sum())
        least, size = min(up, len(own) - up), np.abs(found.match.rate[own])
        slip = least == 1 and np.ptp(size) <= 1e-6 * size.max()
        if len(own) >= 3 and least > 0.2 * len(own) and not slip:
            found.match.ok[own] = False


def _clipped_alike(found: Study) -> None:
    """Where changes follow when they are clipped and no change of another parameter follows, the errors are clipped,
    not the changes (Huber): another objective, that is not known."""
    with np.errstate(all="ignore"):
        off = np.abs(found.change + found.match.rate[:, None] * found.gradient).max(axis=1)
        clipped = found.match.ok & (off > 1e-3 * np.abs(found.change).max(axis=1))
    clipped[found.decayed] = False  # these are off by what is taken of their own parameter
    clipped_errors(found, clipped)
    for training in np.unique(found.training[clipped]).tolist():
        mine = np.flatnonzero(found.training == training)
        follow = set(found.lineage[mine[found.match.ok[mine]]])
        if follow != set(found.lineage[mine]):
            found.match.ok[mine[clipped[mine]]] = False


def _pick(change: Array, slopes: list[Array]) -> tuple[list[int], Array]:
    """The parts whose sum the most changes follow."""
    nothing = np.zeros_like(change)
    if not slopes:
        return [], nothing

    def score(chosen: frozenset[int]) -> int:
        if not chosen:
            return -1
        return int(match(change, np.asarray(sum(slopes[i] for i in chosen))).ok.sum())

    whole = frozenset(range(len(slopes)))
    options = [whole, *[frozenset([i]) for i in whole]]
    if len(whole) > 2 and score(whole) < len(change):  # one of them may be a slip in a loss that is shown
        options += [whole - {i} for i in whole]
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
