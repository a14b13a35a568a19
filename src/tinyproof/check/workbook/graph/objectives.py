"""What a training descends: the differences between outputs and targets, or a value that the sheet shows."""

from __future__ import annotations

from typing import Protocol

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.found_training import Atom, Seeds, Study
from tinyproof.check.workbook.graph.residuals import Residual
from tinyproof.core.arrays import np


class Valued(Protocol):
    """A graph with a number in every cell."""

    net: Net
    values: Array


KINDS = ("square", "logistic", "softmax")
MISREAD = "misread"  # the rule of a threshold unit: an example that is misread moves by its target, another not at all
HINGE = "hinge"  # what lies within the margin moves
MOST_ATOMS = 10


def options(found: Study, training: int) -> list[tuple[str, list[Atom]]]:
    """What a training could follow: everything it has, of each kind, then single parts."""
    found_options = [(kind, atoms) for kind in KINDS for atoms in _several(found.atoms.get(training, []))]
    found_options += [(MISREAD, atoms) for atoms in _several(found.compared.get(training, []))]
    found_options += [(HINGE, atoms) for atoms in _several(found.margins.get(training, []))]
    return [*found_options, *[("shown", [atom]) for atom in shown(found, training)]]


def _several(own: list[Atom]) -> list[list[Atom]]:
    """All parts together, then all but one, then single ones."""
    less = [[atom for atom in own if atom is not out] for out in own[:-5:-1]] if len(own) > 2 else []
    return [own, *less, *[[atom] for atom in own[:4]]] if len(own) > 1 else [own] if own else []


def follow(found: Study, training: int, kind: str, atoms: list[Atom]) -> None:
    """Hold a training against this objective."""
    mine = found.training == training
    gradient = np.asarray(sum(gradients(found, [atom], kind) for atom in atoms))
    found.kinds[training], found.chosen[training] = kind, atoms
    found.gradient[mine] = gradient[mine]
    new = match(found.change[mine], found.gradient[mine])
    found.match.ok[mine], found.match.seen[mine], found.match.rate[mine] = new.ok, new.seen, new.rate


def gradients(found: Study, atoms: list[Atom], kind: str) -> Array:
    """The derivative of these parts by every parameter; the parts belong to different trainings."""
    return np.asarray(found.order.adjoints(found.values, seeds_of(found, atoms, kind))[found.parameter])


def seeds_of(found: Valued, atoms: list[Atom], kind: str) -> Seeds:
    """Where the derivative of these parts begins, and with what."""
    dense: dict[tuple[int, int], Array] = {}
    for atom in atoms:
        for residual, rows in atom.pieces:
            assert residual.value is not None
            assert residual.outputs is not None
            r, o = residual.value[rows], residual.outputs[rows]
            with np.errstate(all="ignore"):
                if kind == MISREAD:
                    amount = np.where(r != 0, r - o, 0.0)
                elif kind == HINGE:
                    amount = np.where(residual.sign * (r - residual.limit) < 0, -float(residual.sign), 0.0)
                elif kind == "sum":
                    amount = np.ones_like(r)
                else:
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


def atoms_of(found: Study, residuals: list[Residual]) -> list[Atom]:
    """Residuals put together that stand in the same formulas; each residual of a step once."""
    net = found.net
    trainings = set(found.trainings())
    signatures: dict[tuple[object, ...], tuple[set[tuple[int, int]], Residual, int]] = {}
    places: dict[int, int] = {}
    for residual in residuals:
        places[residual.form] = places.get(residual.form, 0) + 1
    for residual in residuals:
        assert residual.value is not None
        form = net.forms[residual.form]
        cells = form.cells[residual.rows]
        where = residual.form, residual.step if places[residual.form] <= 8 else -1
        value = np.where(np.isfinite(residual.value), residual.value, 0.0)
        size = np.abs(value).max(axis=1, keepdims=True)
        rounded = np.round(value / np.where(size > 0, size, 1.0), 8) * np.sign(value[:, :1] + (value[:, :1] == 0))
        rounded += 0.0  # -0 is 0
        read, sizes, labels = form.reads[residual.rows].tolist(), size.ravel().tolist(), found.label[cells].tolist()
        slots = [sorted(frozenset().union(*(form.tape.below[s] for _, s in part))) for part in residual.parts]
        for i, training in enumerate(labels):
            if training not in trainings or sizes[i] == 0:
                continue
            # two examples may be alike: what is read tells them apart
            key = training, rounded[i].tobytes(), *(tuple(sorted(map(read[i].__getitem__, own))) for own in slots)
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


def shown(found: Study, training: int) -> list[Atom]:
    """Values that the sheet computes from the parameters and uses for nothing: what is descended may be one of them."""
    net = found.net
    label = found.label
    cone = found.order.cone(found.successor)
    reads_on = np.zeros(net.size, dtype=bool)
    reads_on[net.src[found.depends[net.dst]]] = True
    computed = (label == training) & found.depends & ~found.order.cut & (net.form_of >= 0)
    by_key: dict[object, list[int]] = {}
    for cell in np.flatnonzero(computed & ~(cone & reads_on)).tolist():
        by_key.setdefault(net.graph.meaning[cell].key, []).append(cell)
    sized = sorted(by_key.values(), key=lambda own: -len(own))[:MOST_ATOMS]
    return [Atom(training, cells=np.array(own)) for own in sized]
