"""Gradients that nothing takes off: a sheet that stops before the update is judged as if one followed.

Numbers that nobody fills are the leaves. A cell behind the error that nothing reads and that is the derivative by a
leaf is its gradient; what is left over belongs, in order, to the leaves that are multiplied with the same cells. Each
leaf less its gradient is put into a copy of the graph, and that copy is judged like any training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tinyproof.backprop.expr import Num, Var
from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import STEPPED, match
from tinyproof.check.workbook.graph.cell_net import Net, build
from tinyproof.check.workbook.graph.found_training import Atom
from tinyproof.check.workbook.graph.multiplied import Factors
from tinyproof.check.workbook.graph.objectives import KINDS, seeds_of
from tinyproof.check.workbook.graph.order import Order, order
from tinyproof.check.workbook.graph.residuals import Residual, find_residuals, measure
from tinyproof.check.workbook.graph.sample import draw
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.graph.studied import kinds_of_leaves
from tinyproof.check.workbook.understand.grid import Place

MOST_CELLS = 60_000  # in a graph that is looked through for gradients
MOST_LEAVES = 2_000
MOST_TRIED = 5  # places where an output meets a target
LEAST = 2  # gradients that must be there before any cell is called one
SAME = 1e-10  # of a cosine
RATE = 0.1


@dataclass
class Forward:
    """A forward pass on random numbers. `leaves`: the numbers upstream of an output; `behind`: which cells depend on an
    error; `slope`: the derivative of the objective by every cell."""

    net: Net
    order: Order
    values: Array
    leaves: np.ndarray
    forward: np.ndarray
    behind: np.ndarray
    slope: Array
    residuals: list[Residual]


def with_updates(graph: SheetGraph) -> SheetGraph | None:
    """The graph with each gradient taken off its parameter; None where it holds no gradients."""
    net = build(graph)
    if net.size > MOST_CELLS or not net.forms:
        return None
    best = max(_tried(net), key=lambda one: len(one[1]), default=None)
    if best is None or len(best[1]) < LEAST:
        return None
    passed, pairs = best
    known = {leaf for leaf, _ in pairs.values()}
    plain = _plain_errors(passed)
    if sum(not plain[cell] for cell in pairs) < LEAST:
        return None
    left = [c for c in _ends(passed) if c not in pairs and not plain[c] and not _is_measure(passed, c)]
    rest = [leaf for leaf in passed.leaves.tolist() if leaf not in known]
    more = Factors(net, passed.forward, _deltas(passed)).pairs(left, rest)
    uphill = sum(sign for _, sign in pairs.values()) < 0
    wanted = {cell: leaf for cell, (leaf, _) in pairs.items()} | more
    strange = [cell for cell in left if cell not in more]
    open_ones = _without(passed, set(wanted.values()))
    if len(strange) == len(open_ones):  # a slip in what the error is multiplied with
        place = graph.places
        by_place = [sorted(cells, key=lambda cell: place[cell]) for cells in (strange, open_ones)]
        wanted |= dict(zip(*by_place, strict=True))
        strange = open_ones = []
    return _imagined(graph, wanted, -1.0 if uphill else 1.0, strange or open_ones)


def _tried(net: Net) -> Iterator[tuple[Forward, dict[int, tuple[int, int]]]]:
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
                yield passed, _pairs(passed)


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
    return Forward(net, apart, values, np.flatnonzero(leaves), forward, behind & ~forward, slope, residuals)


@dataclass
class _Valued:
    net: Net
    values: Array


def _ends(passed: Forward) -> list[int]:
    """The cells behind an error that nothing reads."""
    read = np.zeros(passed.net.size, dtype=bool)
    read[passed.net.src] = True
    own = passed.behind & ~read & (passed.net.form_of >= 0)
    return np.flatnonzero(own & (passed.net.canon == np.arange(passed.net.size))).tolist()


def _pairs(passed: Forward) -> dict[int, tuple[int, int]]:
    """Gradient -> the leaf that it belongs to and the sign that it has: cells that are the derivative by a leaf, up to
    a number. Each leaf once: of several first those that go the usual way and stand as far apart as most do."""
    ends, leaves = _ends(passed), passed.leaves
    if not ends or not len(leaves) or len(ends) * len(leaves) > 4_000_000:
        return {}
    alike = _directions(passed.values[ends]) @ _directions(passed.slope[leaves]).T
    same = np.abs(alike) > 1 - SAME
    # two units of a softmax have opposite derivatives: most gradients go one way
    usual = 1 if ((alike > 0) & same).any(axis=1).sum() >= ((alike < 0) & same).any(axis=1).sum() else -1
    places = passed.net.graph.places
    possible = [(int(i), int(j)) for i, j in zip(*np.nonzero(same), strict=True)]
    away = {(i, j): _apart(places[ends[i]], places[leaves[j]]) for i, j in possible}
    often = Counter(away.values())
    possible.sort(key=lambda pair: (np.sign(alike[pair]) != usual, -often[away[pair]], pair))
    found: dict[int, tuple[int, int]] = {}
    taken = set[int]()
    for i, j in possible:
        if ends[i] not in found and j not in taken:
            taken.add(j)
            found[ends[i]] = int(leaves[j]), int(np.sign(alike[i, j]))
    return found


def _apart(one: Place, other: Place) -> tuple[int, int, int]:
    return other.sheet - one.sheet, other.row - one.row, other.col - one.col


def _directions(rows: Array) -> Array:
    """Rows of length 1; of those that are no numbers, or hardly vary, nothing is left."""
    rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0.0)
    lively = (np.abs(rows) > 1e-9 * np.abs(rows).max(axis=1, keepdims=True)).sum(axis=1) >= 3
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where((length > 0) & lively[:, None], rows / np.where(length > 0, length, 1.0), 0.0)


def _deltas(passed: Forward) -> np.ndarray:
    """Cells behind the error that are the derivative by a computed cell."""
    net = passed.net
    computed = np.flatnonzero(passed.forward & (net.form_of >= 0))
    back = np.flatnonzero(passed.behind & (net.form_of >= 0))
    known = np.zeros(net.size, dtype=bool)
    if len(computed) and len(back) and len(computed) * len(back) <= 25_000_000:
        alike = np.abs(_directions(passed.values[back]) @ _directions(passed.slope[computed]).T)
        known[back[alike.max(axis=1) > 1 - SAME]] = True
    known |= _plain_errors(passed)
    return known


def _plain_errors(passed: Forward) -> np.ndarray:
    """Cells that hold an error, or a number of times it."""
    net, plain = passed.net, np.zeros(passed.net.size, dtype=bool)
    for residual in passed.residuals:
        cells, value = net.forms[residual.form].cells[residual.rows], residual.value
        assert value is not None
        alike = (_directions(passed.values[cells]) * _directions(value)).sum(axis=1)
        plain[cells[np.abs(alike) > 1 - SAME]] = True
    return plain


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
    """Leaves that the forward formulas read as they read the parameters, and that have no gradient."""
    roles: dict[int, set[tuple[int, int]]] = {int(leaf): set() for leaf in passed.leaves}
    for number, form in enumerate(passed.net.forms):
        rows = passed.forward[form.cells]
        for slot in range(form.tape.slots):
            for leaf in np.intersect1d(form.reads[rows, slot], passed.leaves).tolist():
                roles[leaf].add((number, slot))
    trained = set[tuple[int, int]]().union(*(roles[leaf] for leaf in known))
    return [leaf for leaf in roles if leaf not in known and roles[leaf] & trained]


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
