"""Differences between what a sheet computes from its parameters and what it is given: output minus target."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.backprop.tape import Array, Tape, forward
from tinyproof.check.workbook.graph.cell_net import Form
from tinyproof.check.workbook.graph.order import Order
from tinyproof.core.arrays import np


@dataclass(eq=False)
class Residual:
    """One place in one form where an output meets a target, for many cells.

    `value`: (rows, samples), `sign` is 1 for output minus target and -1 for target minus output; `outputs`: the output
    there; `output_cell`, `target_cell`: the cell that each is, -1 where it is a part of a formula. `against`: where
    both are compared and nothing is subtracted, the step of the target, and `step` that of the output. `limit`: the
    number that a margin is compared with (`sign` -1: it is moved above it).
    """

    form: int
    step: int
    rows: np.ndarray
    sign: int
    output_cell: np.ndarray
    target_cell: np.ndarray
    value: Array | None = None
    outputs: Array | None = None
    parts: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = ((), ())
    against: int | None = None
    limit: float = 0.0


def chains(tape: Tape) -> list[tuple[int, list[tuple[int, int]]]]:
    """The sums of a tape that are not part of a larger sum: where, and their terms (sign, step)."""
    inner: set[int] = set()
    additive = ("add", "sub", "neg")
    for step in tape.steps:
        if step[0] in additive:
            inner.update(int(a) for a in step[1:] if tape.steps[int(a)][0] in additive)
    found = []
    for place, step in enumerate(tape.steps):
        sum_here = step[0] in ("add", "sub") or (step[0] == "neg" and place not in inner)
        if sum_here and (place not in inner or _also_factor(tape, place)):
            parts = list(_terms(tape, place, 1))
            if len(parts) > 1:
                found.append((place, parts))
    return found


def _also_factor(tape: Tape, place: int) -> bool:
    return any(step[0] not in ("add", "sub", "neg", "var", "num") and place in step[1:] for step in tape.steps)


def _terms(tape: Tape, place: int, sign: int) -> list[tuple[int, int]]:
    step = tape.steps[place]
    args: tuple[int, ...] = step[1:]
    if step[0] == "add":
        return [t for a in args for t in _terms(tape, a, sign)]
    if step[0] == "sub":
        return [*_terms(tape, args[0], sign), *_terms(tape, args[1], -sign)]
    if step[0] == "neg":
        return _terms(tape, args[0], -sign)
    return [(sign, place)]


def find_residuals(order: Order, depends: np.ndarray) -> list[Residual]:
    """Every place where something that depends on the parameters has something subtracted that does not, or the other
    way round. `depends`: which cells depend on a parameter."""
    found: list[Residual] = []
    for index, form in enumerate(order.net.forms):
        active = depends[form.reads]
        if not active.any():
            continue
        for place, parts in chains(form.tape):
            found += _in_chain(index, form, place, parts, active, ~order.cut[form.cells])
    return found


def find_comparisons(order: Order, depends: np.ndarray, way: np.ndarray) -> list[Residual]:
    """Every place where an output is compared with a target (`IF(y<>t, ...)`), as the rule of a threshold unit does.

    `way`: which cells are on the way to an update; what only counts the right answers is no rule.
    """
    found: list[Residual] = []
    for index, form in enumerate(order.net.forms):
        active = depends[form.reads]
        slots = form.tape.below
        for step in form.tape.steps:
            if step[0] != "eq" or not active.any():
                continue
            sides = [int(side) for side in step[1:]]
            dep = np.stack([active[:, sorted(slots[side])].any(axis=1) for side in sides], axis=1)
            for mine, other in ((0, 1), (1, 0)):
                rows = np.flatnonzero(dep[:, mine] & ~dep[:, other] & way[form.cells])
                if len(rows) and slots[sides[other]]:
                    found.append(_comparison(index, form, sides[mine], sides[other], rows))
    return found


def find_margins(order: Order, depends: np.ndarray, way: np.ndarray) -> list[Residual]:
    """Every place on the way to an update where something that depends on the parameters is compared with a number,
    as `IF(t*z<1, ...)` does: what is below it is moved. Of a sum that must be above 0 (`1-t*z>0`) the part below."""
    found: list[Residual] = []
    for index, form in enumerate(order.net.forms):
        rows = np.flatnonzero(depends[form.reads].any(axis=1) & way[form.cells])
        for step in form.tape.steps if len(rows) else ():
            if step[0] not in ("gt", "ge"):
                continue
            sides = [int(side) for side in step[1:]]
            for mine, other in (sides, sides[::-1]):
                number = form.tape.steps[other]
                if form.tape.below[mine] and number[0] == "num":
                    turned = float(number[1]) == 0 and form.tape.steps[mine][0] in ("add", "sub")
                    output = ((1, mine),)
                    cells = _cell_of(form, output, rows), np.full(len(rows), -1)
                    sign = -1 if turned else 1
                    found.append(Residual(index, mine, rows, sign, *cells, parts=(output, ()), limit=float(number[1])))
    return found


def _comparison(index: int, form: Form, output: int, target: int, rows: np.ndarray) -> Residual:
    mine, other = ((1, output),), ((1, target),)
    cells = _cell_of(form, mine, rows), _cell_of(form, other, rows)
    return Residual(index, output, rows, 1, *cells, parts=(mine, other), against=target)


def _in_chain(
    index: int, form: Form, place: int, parts: list[tuple[int, int]], active: np.ndarray, free: np.ndarray
) -> list[Residual]:
    """`free`: which cells are no parameter and no update (a target less an output may be written as these are)."""
    slots = form.tape.below
    with_cells = [(sign, step) for sign, step in parts if slots[step]]
    if not 2 <= len(with_cells) <= 400:
        return []
    dep = np.stack([active[:, sorted(slots[step])].any(axis=1) for _, step in with_cells], axis=1)
    signs = np.array([sign for sign, _ in with_cells])
    patterns, which = np.unique(dep, axis=0, return_inverse=True)
    found = []
    for number, pattern in enumerate(patterns):
        if not pattern.any() or pattern.all():
            continue
        rows = np.flatnonzero(which.ravel() == number)
        for sign in (1, -1):
            if (signs[pattern] == sign).any() and (signs[~pattern] == -sign).any():
                found.append(_residual(index, form, place, with_cells, pattern, sign, rows))
                break
    alive = int((dep.any(axis=1) & free).sum())
    return [r for r in found if 2 * len(r.rows) >= alive or len(r.rows) >= 3]


def _residual(
    index: int, form: Form, place: int, parts: list[tuple[int, int]], pattern: np.ndarray, sign: int, rows: np.ndarray
) -> Residual:
    mine = tuple(part for part, dep in zip(parts, pattern, strict=True) if dep)
    others = tuple(part for part, dep in zip(parts, pattern, strict=True) if not dep)
    return Residual(
        index, place, rows, sign, _cell_of(form, mine, rows), _cell_of(form, others, rows), parts=(mine, others)
    )


def _cell_of(form: Form, parts: tuple[tuple[int, int], ...], rows: np.ndarray) -> np.ndarray:
    if len(parts) == 1 and form.tape.steps[parts[0][1]][0] == "var":
        slot = int(form.tape.steps[parts[0][1]][1])
        return np.asarray(form.reads[rows, slot])
    return np.full(len(rows), -1)


def measure(order: Order, residuals: list[Residual], values: Array) -> None:
    """Fill in what each residual is worth on the samples."""
    by_form: dict[int, list[Residual]] = {}
    for residual in residuals:
        by_form.setdefault(residual.form, []).append(residual)
    for index, some in by_form.items():
        form = order.net.forms[index]
        for residual in some:
            inputs = values[form.reads[residual.rows].T]
            steps = forward(form.tape, inputs)
            shape = inputs.shape[1:]
            against = 0.0 if residual.against is None else steps[residual.against]
            residual.value = np.broadcast_to(steps[residual.step] - against, shape)
            total = sum(sign * steps[step] for sign, step in residual.parts[0])
            residual.outputs = np.broadcast_to(residual.sign * total, shape)
