"""Gradients that nothing takes off: a sheet that stops before the update is judged as if one followed.

Numbers that nobody fills are the leaves. A cell behind the error that nothing reads and that is the derivative by a
leaf is its gradient; what is left over belongs, in order, to the leaves that are multiplied with the same cells. Each
leaf less its gradient is put into a copy of the graph, and that copy is judged like any training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tinyproof.backprop.expr import Num, Var
from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import STEPPED, match
from tinyproof.check.workbook.graph.cell_net import Net, build
from tinyproof.check.workbook.graph.derivative_cells import (
    Forward,
    Pairs,
    deltas,
    ends,
    pairs,
    plain_errors,
    uses,
)
from tinyproof.check.workbook.graph.found_training import Atom
from tinyproof.check.workbook.graph.multiplied import Factors
from tinyproof.check.workbook.graph.objectives import KINDS, seeds_of
from tinyproof.check.workbook.graph.order import Order, order
from tinyproof.check.workbook.graph.pair_order import by_name_or_place, out_of_order
from tinyproof.check.workbook.graph.residuals import Residual, find_residuals, measure
from tinyproof.check.workbook.graph.sample import draw
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.graph.studied import kinds_of_leaves
from tinyproof.check.workbook.graph.wording import heading
from tinyproof.core.arrays import np

MOST_CELLS = 60_000  # in a graph that is looked through for gradients
MOST_LEAVES = 400
MOST_TRIED = 3  # places where an output meets a target
LEAST = 2  # gradients that must be there before any cell is called one
RATE = 0.1
_NAME = re.compile(r"(?i)\s*([d∂Δδ].{0,12}/\s*[d∂Δδ]|[d∂]\s?[bwθ]\s?\d*\b|∂|∇|grad|deriv|slope)")


def with_updates(graph: SheetGraph) -> SheetGraph | None:
    """The graph with each gradient taken off its parameter; None where it holds no gradients."""
    net = build(graph)
    if net.size > MOST_CELLS or not net.forms:
        return None
    best = max(_tried(net), key=lambda one: len(one[1]), default=None)
    if best is None or len(best[1]) < LEAST:
        return None
    passed, found = best
    known = {leaf for leaf, _ in found.values()}
    plain = plain_errors(passed)
    if sum(not plain[net.canon[cell]] for cell in found) < LEAST or not _is_meant(passed, found):
        return None
    left = [
        cell for cell in ends(passed)
        if cell not in found and not plain[net.canon[cell]] and not _is_measure(passed, int(net.canon[cell]))
    ]  # fmt: skip
    rest = [leaf for leaf in passed.leaves.tolist() if leaf not in known]
    more = Factors(net, passed.forward, deltas(passed)).pairs(left, rest)
    open_ones = _without(passed, known | set(more.values()))
    more |= by_name_or_place(graph, [cell for cell in left if cell not in more], open_ones, found)
    uphill = sum(np.sign(times) for _, times in found.values()) < 0
    wanted = {cell: leaf for cell, (leaf, _) in found.items()} | more
    strange = [cell for cell in left if cell not in more] + out_of_order(graph, found)
    return _imagined(graph, wanted, -1.0 if uphill else 1.0, strange or _without(passed, set(wanted.values())))


def _is_meant(passed: Forward, found: Pairs) -> bool:
    """Whether anything says that these are derivatives: their names, an activation, a loss that the sheet shows. Else
    it may be any table: a gap times a price."""
    net = passed.net
    if any(_NAME.match(heading(net.graph, cell)) for cell in found):
        return True
    for form in net.forms:
        steps = {str(step[0]) for step in form.tape.steps}
        if passed.forward[form.cells].any() and steps & {"exp", "tanh"}:
            return True
        if steps & {"pow", "ln"} and any(
            _is_measure(passed, int(c)) for c in form.cells[passed.behind[form.cells]][:4]
        ):
            return True
    return False


def _tried(net: Net) -> Iterator[tuple[Forward, Pairs]]:
    """Each objective that the sheet may mean, with the gradients that follow it."""
    whole = order(net)
    computed = net.form_of >= 0
    by_form: dict[int, list[Residual]] = {}
    residuals = find_residuals(whole, computed)
    for residual in residuals:
        by_form.setdefault(residual.form, []).append(residual)
    errors = [net.forms[one.form].cells[one.rows] for one in residuals]
    behind = whole.reach(np.concatenate(errors)) if errors else computed
    some = list(by_form.values())[:MOST_TRIED]
    some += [[one for own in some for one in own]] if len(some) > 1 else []
    for own in some:
        for kind in KINDS:
            passed = _passed(whole, own, kind, behind)
            if passed is not None:
                yield passed, pairs(passed)


def _passed(whole: Order, residuals: list[Residual], kind: str, behind: np.ndarray) -> Forward | None:
    net = whole.net
    forward, random, held = kinds_of_leaves(whole, residuals)
    typed = np.array(net.graph.typed)
    leaves = forward & (net.form_of < 0) & ~held & ~np.isnan(typed)
    if not 0 < leaves.sum() <= MOST_LEAVES:
        return None
    apart = order(net, leaves)
    values = draw(apart, random, held, STEPPED, 11, wide=True)
    apart.compute(values)
    measure(apart, residuals, values)
    atom = Atom(0, [(one, np.arange(len(one.rows))) for one in residuals])
    valued = _Valued(net, values)
    slope = apart.adjoints(values, seeds_of(valued, [atom], kind))
    numbers, back = np.flatnonzero(leaves), behind & ~forward
    passed = Forward(net, apart, values, leaves=numbers, forward=forward, behind=back, slope=slope, residuals=residuals)
    passed.uses = uses(passed)
    return passed


@dataclass
class _Valued:
    net: Net
    values: Array


def _is_measure(passed: Forward, cell: int) -> bool:
    """Whether a cell grows with the size of errors, whichever way they go: a loss, its part, its root."""
    net = passed.net
    rows, form = np.array([net.row_of[cell]]), int(net.form_of[cell])
    seeds = {form: {net.forms[form].tape.top: (rows, np.ones((1, passed.values.shape[1])))}}
    slope = passed.order.adjoints(passed.values, seeds)
    known = np.any(np.nan_to_num(slope[passed.leaves]) != 0, axis=1)
    mine, whole = slope[passed.leaves[known]], passed.slope[passed.leaves[known]]
    if known.any() and match(mine.reshape(1, -1), whole.reshape(1, -1)).ok[0]:
        return True
    grows = list[bool]()
    for residual in passed.residuals:
        assert residual.value is not None
        for output, error in zip(residual.output_cell, residual.value, strict=True):
            with np.errstate(all="ignore"):
                along = np.sign(slope[output] * error) if output >= 0 else np.zeros(1)
            if np.any(along):
                grows.append(bool(np.all(along == along[0])))
    return bool(grows) and all(grows)


def _without(passed: Forward, known: set[int]) -> list[int]:
    """Leaves that the forward formulas read as they read the parameters, or add beside them, and that have no
    gradient."""
    net = passed.net
    roles: dict[int, set[tuple[int, int]]] = {int(leaf): set() for leaf in passed.leaves}
    for number, form in enumerate(net.forms):
        rows = passed.forward[form.cells]
        for slot in range(form.tape.slots):
            for leaf in np.intersect1d(form.reads[rows, slot], passed.leaves).tolist():
                roles[leaf].add((number, slot))
    trained = set[tuple[int, int]]().union(*(roles[leaf] for leaf in known))
    beside = Factors(net, passed.forward, passed.forward).added(known) - known
    return [leaf for leaf in roles if leaf not in known and (roles[leaf] & trained or leaf in beside)]


def _imagined(graph: SheetGraph, wanted: dict[int, int], sign: float, strange: list[int]) -> SheetGraph:
    """A copy in which a new cell, at the place of each gradient, is its parameter less the gradient."""
    places, typed, meaning = list(graph.places), list(graph.typed), dict(graph.meaning)
    imagined = dict[int, int]()
    for gradient, leaf in sorted(wanted.items()):
        new = len(places)
        places.append(graph.places[gradient])
        typed.append(np.nan)
        expr = Var("leaf") - Num(sign * RATE) * Var("slope")
        meaning[new] = Meaning(expr, {"leaf": leaf, "slope": gradient}, ("imagined",))
        imagined[new] = gradient
    return replace(graph, places=places, typed=typed, meaning=meaning, imagined=imagined, strange=strange)
