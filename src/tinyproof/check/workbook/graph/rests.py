"""Changes that rest: an IF that asks the error, a target or the number of the step lets them through or not."""

from __future__ import annotations

from tinyproof.backprop.expr import Call, Var, names
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.cells_around import upstream
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.core.arrays import np

LEAST = 5  # samples on which such a change moves, and follows its gradient


def resting(found: Study, updates: list[int]) -> list[int]:
    """Those of the updates that follow their gradient wherever they move, and rest where a condition that reads a
    target says so: meant, perhaps, and no mistake that could be told."""
    found_resting = []
    for update in updates:
        change, gradient = found.change[update], found.gradient[update]
        if not np.any(change) and _stays(found, update):
            found_resting.append(update)
        moves = np.isfinite(change) & np.isfinite(gradient) & (np.abs(change) > 1e-12)
        if LEAST <= moves.sum() < len(change) and match(change[None, moves], gradient[None, moves]).ok[0]:
            if _asks_a_target(found, update):
                found_resting.append(update)
    return found_resting


def _stays(found: Study, update: int) -> bool:
    """Whether an IF, as a training that stops after some steps has it, hands the parameter on as it is."""
    meaning = found.net.graph.meaning[int(found.successor[update])]
    top, parameter = meaning.expr, int(found.parameter[update])
    if not (isinstance(top, Call) and top.function == "if"):
        return False
    kept = [arg for arg in top.args[1:] if isinstance(arg, Var)]
    asked = [meaning.refs[name] for name in names(top.args[0])]
    canon = found.net.canon
    return any(canon[meaning.refs[arg.name]] == parameter for arg in kept) and not found.depends[canon[asked]].any()


def _asks_a_target(found: Study, update: int) -> bool:
    """Whether an IF on the way of an update hangs on a parameter and on a target."""
    net, targets = found.net, targets_of(found, int(found.training[update]))
    reads_target = found.order.reach(targets)
    for cell in upstream(found, int(found.successor[update])):
        form = net.form_of[cell] if cell < net.size else -1
        if form < 0:
            continue
        tape, reads = net.forms[form].tape, net.forms[form].reads[net.row_of[cell]]
        for step in tape.steps:
            asked = reads[sorted(tape.below[int(step[1])])] if step[0] == "if" else reads[:0]
            if found.depends[asked].any() and reads_target[asked].any():
                return True
    return False


def targets_of(found: Study, training: int) -> set[int]:
    """The cells that the outputs of a training are held against."""
    cells: set[int] = set()
    for atom in found.chosen.get(training, []):
        for residual, rows in atom.pieces:
            form = found.net.forms[residual.form]
            slots = sorted(frozenset().union(*(form.tape.below[step] for _, step in residual.parts[1])))
            cells.update(int(cell) for cell in form.reads[residual.rows[rows]][:, slots].ravel())
    return cells
