"""Whether what the changes follow is what the sheet itself shows: its losses, its penalties, its clipped errors.

A loss that is shown is the objective's word. Where the changes follow another gradient than any such loss has, or
one penalty here and another there, several readings are possible, and none of them is called wrong.
"""

from __future__ import annotations

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.objectives import HINGE, MISREAD, gradients, shown
from tinyproof.check.workbook.graph.penalties import least_squares
from tinyproof.core.arrays import np

BENT = {"pow", "ln", "max", "min", "abs", "if", "gt", "ge", "sqrt"}
MOST_LOOKED_AT = 240  # updates that a loss is held against
EXACT = 1e-7
SOME = 1e-6  # of a slope: less of a penalty is rounding
LOSS = "the sheet shows a loss whose derivative is not what its changes follow"
MIXED = "some parameters have a penalty on their size, others on their square"
CLIPPED = "some parameters follow a clipped error, others the error as it is"


def find_disputes(found: Study, data: Array) -> None:
    """Note the trainings in dispute. `data`: the gradient of each update without any penalty."""
    for training in found.trainings():
        mine = np.flatnonzero(found.training == training)
        mine = mine[:: -(-len(mine) // MOST_LOOKED_AT)]
        if _contradicted(found, training, mine, data):
            found.disputed.setdefault(training, LOSS)
        if np.any(found.taken[mine]) and np.any(np.nan_to_num(found.gradient[mine] - data[mine])):
            found.disputed.setdefault(training, MIXED)


def _contradicted(found: Study, training: int, mine: np.ndarray, data: Array) -> bool:
    """Whether a loss that the sheet shows has another derivative than the changes are held against."""
    kind = found.kinds[training]
    if not len(mine):
        return False
    if kind == "shown":  # a loss that reads the parameters itself has all its penalties in it
        added = np.any(found.taken[mine]) or np.any(np.nan_to_num(found.gradient[mine] - data[mine]))
        return bool(added) and _reads_parameters(found, training)
    slopes = _losses(found, training, mine)
    if found.net.graph.imagined:
        return bool(slopes) and not any(match(-s, found.gradient[mine]).ok.all() for _, s in slopes) and any(
            bent for bent, _ in slopes
        )  # fmt: skip
    total = found.gradient[mine] + found.taken[mine]
    for bent, slope in slopes:
        if not bent or not np.any(slope):
            continue
        fits = [_fit(s, g, w) for s, g, w in zip(slope, data[mine], found.values[found.parameter[mine]], strict=True)]
        read = [fit for fit in fits if fit]
        strange = kind in (HINGE, MISREAD) and len(read) < len(fits)
        most = 2 * len(read) > len(fits)  # a loss at other parameters, of a difference quotient, fits by chance
        penalised = most and any(fit == "penalty" for fit in read) and any(fit != "alone" for fit in read)
        if strange or (penalised and not match(-slope, total).ok[[bool(fit) for fit in fits]].all()):
            return True
    return False


def _reads_parameters(found: Study, training: int) -> bool:
    cells = [int(c) for atom in found.chosen[training] if atom.cells is not None for c in atom.cells]
    parameters = set(found.parameter[found.training == training].tolist())
    return any(not parameters.isdisjoint(found.net.reads(cell)) for cell in cells)


def _losses(found: Study, training: int, mine: np.ndarray) -> list[tuple[bool, Array]]:
    """The derivatives of the values that the sheet shows, and whether each has a bend in its formula (where nothing is
    updated: or in what it adds up): none that is made of derivatives."""
    net = found.net
    slopes, beyond = list[tuple[bool, Array]](), np.zeros(net.size, dtype=bool)
    back = np.zeros(net.size, dtype=bool)
    if net.graph.imagined and found.forward is not None:
        back = found.depends & ~found.order.cut & (net.form_of >= 0) & ~found.forward
        beyond = found.order.reach(int(net.canon[slope]) for slope in net.graph.imagined.values())
    for atom in shown(found, training):
        assert atom.cells is not None
        if not beyond[atom.cells].any():
            added = np.flatnonzero(back & found.order.cone(atom.cells.tolist()))
            forms = np.unique(net.form_of[[*atom.cells, *added]])
            steps = [step for form in forms for step in net.forms[form].tape.steps]
            bent = any(step[0] in BENT or (step[0] == "mul" and len(set(step[1:])) < len(step[1:])) for step in steps)
            if not bent and not net.graph.imagined:
                continue  # it disputes nothing, whatever its slope
            slope = np.nan_to_num(gradients(found, [atom], "shown")[mine])
            slopes.append((bent and bool(np.any(slope)), slope))
    return slopes


def _fit(slope: Array, data: Array, parameter: Array) -> str:
    """What the slope of a loss is by one parameter: of the "data", with a "penalty", of a penalty "alone"; else ""."""
    good = np.isfinite(np.stack([slope, data, parameter])).all(axis=0)
    table = np.stack([data[good], parameter[good], np.sign(parameter[good])], axis=1)
    fit, _ = least_squares(table, slope[good])
    size = np.abs(slope[good]).max(initial=0.0)
    if size == 0 or not np.abs(table @ fit - slope[good]).max() <= EXACT * size:
        return "data" if size == 0 else ""
    parts = np.abs(table * fit).max(axis=0) > SOME * size
    return ("penalty" if parts[0] else "alone") if parts[1:].any() else "data"


def clipped_errors(found: Study, clipped: np.ndarray) -> None:
    """Where only parameters whose gradient is an error itself follow when clipped, the error is clipped there."""
    for training in np.unique(found.training[clipped]).tolist():
        mine = np.flatnonzero(found.training == training)
        bent = {int(one) for one in found.lineage[mine[clipped[mine]]]}
        if bent == {int(one) for one in found.lineage[mine]}:
            continue
        errors = [atom.pieces for atom in found.chosen[training]]
        values = [one.value[rows] for pieces in errors for one, rows in pieces if one.value is not None]
        own = [u for u in mine.tolist() if clipped[u]]
        if values and any(_is_any(found.gradient[u], np.concatenate(values)) for u in own):
            found.disputed[training] = CLIPPED


def _is_any(gradient: Array, errors: Array) -> bool:
    return bool(match(np.broadcast_to(-gradient, errors.shape), np.nan_to_num(errors)).ok.any())
