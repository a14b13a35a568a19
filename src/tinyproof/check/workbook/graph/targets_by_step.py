"""The same output of the same inputs, held against one target in some steps and against another in others.

Steps are independent of each other, so each of them may follow the gradient of what it subtracts itself. That two steps
subtract different numbers from the same function of the same inputs is seen only where they are compared: an output is
the same one where the same formulas read the same numbers and the same parameters, whatever the step.
"""

from __future__ import annotations

from collections import Counter

from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.own_targets import Wrong
from tinyproof.core.arrays import np

LEAST_AGREEING = 3  # steps, before one between them is wrong
AFTER = -2  # the forward pass after the last change, no step
Same = tuple[int, ...]  # what an output is made of, whatever the step
Held = list[tuple[Same, int, int, int]]  # an output, its step, the target, the cell that subtracts one from the other


def targets_by_step(found: Study, training: int) -> tuple[Wrong, list[int]]:
    """Cells that subtract another target than the same cells of other steps, where these say which is right; else
    cells in doubt."""
    held = _held(found, training)
    by_output: dict[Same, Counter[int]] = {}
    for output, _, target, _ in held:
        by_output.setdefault(output, Counter())[target] += 1
    apart = {o for o, targets in by_output.items() if len({found.values[t].tobytes() for t in targets}) > 1}
    if not apart:
        return {}, []
    cells = [(output, target, cell) for output, _, target, cell in held if output in apart]
    right = _of_proper_steps(held, apart) or _but_for_one(found, cells, apart)
    wrong = {cell: (target, right[output]) for output, target, cell in cells if output in right}
    wrong = {cell: (target, good) for cell, (target, good) in wrong.items() if target != good}
    elsewhere = _read_elsewhere(found, held)
    tangled = {output for output, target, _ in cells if target in elsewhere}
    return wrong, [cell for output, _, cell in cells if output in tangled and output not in right]


def _read_elsewhere(found: Study, held: Held) -> set[int]:
    """Targets of two outputs, and those that the outputs are made of. Other targets may change from step to step by
    choice: a schedule, a figure that is seen anew in each step."""
    outputs: dict[int, set[Same]] = {}
    for output, _, target, _ in held:
        outputs.setdefault(target, set()).add(output)
    made_of = _made_of(found)
    return {target for target, own in outputs.items() if len(own) > 1 or made_of[target]}


def _made_of(found: Study) -> np.ndarray:
    """What is read on the way to the outputs that are held against targets."""
    made: set[int] = set()
    for residual in found.residuals:
        form = found.net.forms[residual.form]
        slots = sorted(frozenset().union(*(form.tape.below[at] for _, at in residual.parts[0])))
        made.update(form.reads[residual.rows][:, slots].ravel().tolist())
    return found.order.cone(cell for cell in made if not found.order.cut[cell])


def _of_proper_steps(held: Held, apart: set[Same]) -> dict[Same, int]:
    """The targets of the steps in which every output has one of its own, where others share one and all agree."""
    steps: dict[int, dict[int, set[Same]]] = {}
    for output, step, target, _ in held:
        steps.setdefault(step, {}).setdefault(target, set()).add(output)
    proper = {step for step, readers in steps.items() if all(len(outputs) == 1 for outputs in readers.values())}
    said: dict[Same, set[int]] = {}
    for output, step, target, _ in held:
        if step in proper and output in apart:
            said.setdefault(output, set()).add(target)
    sure = proper and len(proper) < len(steps) and set(said) == apart and all(len(own) == 1 for own in said.values())
    return {output: next(iter(own)) for output, own in said.items()} if sure else {}


def _but_for_one(found: Study, cells: list[tuple[Same, int, int]], apart: set[Same]) -> dict[Same, int]:
    """The target of all steps but one, which stands between them."""
    places, right = found.net.graph.places, dict[Same, int]()
    for one in apart:
        own = sorted((places[cell], target) for output, target, cell in cells if output == one)
        targets = [target for _, target in own]
        (usual, often), *rest = Counter(targets).most_common()
        odd = [i for i, target in enumerate(targets) if target != usual]
        if often < LEAST_AGREEING or len(rest) != 1 or len(odd) != 1 or odd[0] in (0, len(targets) - 1):
            return {}
        right[one] = usual
    return right


def _held(found: Study, training: int) -> Held:
    """On the way back, and where the same is said after the last change: each output with the target that it is held
    against, once a step."""
    same, step = _same(found)
    meaning = found.net.graph.meaning
    back = found.order.cone(found.successor)
    meet: dict[tuple[Same, int, int, int], None] = {}
    for residual in found.residuals:
        form = found.net.forms[residual.form]
        slots = sorted(frozenset().union(*(form.tape.below[at] for _, at in residual.parts[0])))
        own_ones = (residual.target_cell >= 0) & (found.label[form.cells[residual.rows]] == training)
        rows, targets = residual.rows[own_ones], residual.target_cell[own_ones]
        outputs, cells = form.reads[rows][:, slots], form.cells[rows].tolist()
        used = {meaning[cell].key for cell in cells if back[cell]}
        steps = step[outputs].max(axis=1) if len(slots) else np.zeros(len(rows), dtype=int)
        said = zip(same[outputs].tolist(), steps.tolist(), targets.tolist(), cells, strict=True)
        for output, own, target, cell in said:
            if (back[cell] and own >= 0) or (not back[cell] and meaning[cell].key in used):
                meet[tuple(sorted(output)), own if back[cell] else AFTER, int(found.net.canon[target]), cell] = None
    return list(meet)


def _same(found: Study) -> tuple[np.ndarray, np.ndarray]:
    """A number for each cell that is equal where the same formulas read the same numbers and the same parameters, of
    whatever step; and the step that it belongs to (-1: none)."""
    net, seen = found.net, dict[tuple[int, ...], int]()
    same, step = list(range(net.size)), np.full(net.size, -1)
    for cells in (found.successor, found.parameter):
        for cell, lineage in zip(cells.tolist(), found.lineage.tolist(), strict=True):
            same[cell] = net.size + lineage
    step[found.parameter] = found.step
    for group in found.order.groups:
        form = net.forms[group.form]
        if not form.tape.slots:
            continue
        reads, cells = form.reads[group.rows], form.cells[group.rows]
        for cell, own in zip(cells.tolist(), reads.tolist(), strict=True):
            same[cell] = seen.setdefault((group.form, *(same[read] for read in own)), cell)
        step[cells] = step[reads].max(axis=1)
    return np.array(same), step
