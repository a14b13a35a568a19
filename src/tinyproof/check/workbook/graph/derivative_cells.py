"""The gradients of a forward pass on random numbers: cells behind an error that are the derivative by a leaf."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.order import Order
from tinyproof.check.workbook.graph.residuals import Residual
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

SAME = 1e-10  # of a cosine
NEAR = 1e-4  # more than the square root of twice SAME
DEEPEST = 3  # uses of uses of a gradient
Pairs = dict[int, tuple[int, float]]  # gradient -> leaf, and how many times its derivative


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
    uses: set[int] = field(default_factory=set)


def ends(passed: Forward) -> list[int]:
    """The cells behind an error that nothing reads but what only uses a gradient: a step, a share, a norm."""
    net = passed.net
    read = np.zeros(net.size, dtype=bool)
    for cell, meaning in net.graph.meaning.items():
        if cell not in passed.uses:
            read[[*meaning.refs.values()]] = True
    own = passed.behind[net.canon] & (net.form_of[net.canon] >= 0) & ~read
    return [cell for cell in np.flatnonzero(own).tolist() if cell not in passed.uses and cell in net.graph.meaning]


def uses(passed: Forward) -> set[int]:
    """The cells that read a gradient, and of what is behind the error nothing else. What is the derivative by a
    computed cell too is on the way back."""
    net = passed.net
    back = np.flatnonzero(passed.behind & (net.form_of >= 0))
    if not len(back) or len(back) * len(passed.leaves) > 4_000_000:
        return set()
    own = set(back[along(directions(passed.values[back]), directions(passed.slope[passed.leaves]))].tolist())
    follows, inner = own.copy(), set(np.flatnonzero(deltas(passed)).tolist())
    own -= inner
    copies = {copy for copy in net.graph.copies if int(net.canon[copy]) in follows & inner}
    found = set[int]()
    for _ in range(DEEPEST):
        for cell, meaning in net.graph.meaning.items():
            reads = {one for one in meaning.refs.values() if passed.behind[net.canon[one]]}
            alone = not any(passed.forward[net.canon[one]] for one in meaning.refs.values())
            if reads and cell not in copies and reads <= (own | found | copies if alone else own | found):
                found.add(cell)
    return found


def pairs(passed: Forward) -> Pairs:
    """Gradient -> the leaf that it belongs to and how many times its derivative it is. Each leaf once: of several first
    those that go the usual way, are as many times it as most and stand as far apart as most do."""
    cells, leaves = ends(passed), passed.leaves
    if not cells or not len(leaves) or len(cells) * len(leaves) > 4_000_000:
        return {}
    alike = directions(passed.values[passed.net.canon[cells]]) @ directions(passed.slope[leaves]).T
    same = np.abs(alike) > 1 - SAME
    # two units of a softmax have opposite derivatives: most gradients go one way
    usual = 1 if ((alike > 0) & same).any(axis=1).sum() >= ((alike < 0) & same).any(axis=1).sum() else -1
    places = passed.net.graph.places
    possible = [(int(i), int(j)) for i, j in zip(*np.nonzero(same), strict=True)]
    away = {(i, j): _apart(places[cells[i]], places[leaves[j]]) for i, j in possible}
    often = Counter(away.values())
    times = {(i, j): _times(passed, cells[i], int(leaves[j])) for i, j in possible}
    common = Counter(abs(one) for one in times.values())
    possible.sort(key=lambda p: (np.sign(alike[p]) != usual, -common[abs(times[p])], -often[away[p]], p))
    found: Pairs = {}
    taken = set[int]()
    for i, j in possible:
        if cells[i] not in found and j not in taken:
            taken.add(j)
            found[cells[i]] = int(leaves[j]), times[i, j]
    return found


def _times(passed: Forward, cell: int, leaf: int) -> float:
    own, slope = passed.values[passed.net.canon[cell]], passed.slope[leaf]
    good = np.isfinite(own) & np.isfinite(slope)
    return float(f"{own[good] @ slope[good] / (slope[good] @ slope[good]):.6g}")


def _apart(one: Place, other: Place) -> tuple[int, int, int]:
    return other.sheet - one.sheet, other.row - one.row, other.col - one.col


def directions(rows: Array) -> Array:
    """Rows of length 1; of those that are no numbers, or hardly vary, nothing is left."""
    rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0.0)
    lively = (np.abs(rows) > 1e-9 * np.abs(rows).max(axis=1, keepdims=True)).sum(axis=1) >= 3
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where((length > 0) & lively[:, None], rows / np.where(length > 0, length, 1.0), 0.0)


def along(rows: Array, others: Array) -> np.ndarray:
    """Which rows lie along one of the others, either way; of both each row has the length 1, or is nothing.

    Only those are compared whose first parts are as near each other as such rows' are: |a - b|^2 = 2 - 2 a b.
    """
    both = np.concatenate([others, -others])
    by = np.argsort(both[:, 0])
    both = both[by]
    low = np.searchsorted(both[:, 0], rows[:, 0] - NEAR).tolist()
    high = np.searchsorted(both[:, 0], rows[:, 0] + NEAR).tolist()
    found = [bool((both[a:b] @ row > 1 - SAME).any()) for a, b, row in zip(low, high, rows, strict=True)]
    return np.array(found, dtype=bool)


def deltas(passed: Forward) -> np.ndarray:
    """Cells behind the error that are the derivative by a computed cell."""
    net = passed.net
    computed = np.flatnonzero(passed.forward & (net.form_of >= 0))
    back = np.flatnonzero(passed.behind & (net.form_of >= 0))
    known = np.zeros(net.size, dtype=bool)
    if len(computed) and len(back) and len(computed) * len(back) <= 25_000_000:
        known[back[along(directions(passed.values[back]), directions(passed.slope[computed]))]] = True
    known |= plain_errors(passed)
    return known


def plain_errors(passed: Forward) -> np.ndarray:
    """Cells that hold an error, or a number of times it."""
    net, plain = passed.net, np.zeros(passed.net.size, dtype=bool)
    for residual in passed.residuals:
        cells, value = net.forms[residual.form].cells[residual.rows], residual.value
        assert value is not None
        alike = (directions(passed.values[cells]) * directions(value)).sum(axis=1)
        plain[cells[np.abs(alike) > 1 - SAME]] = True
    return plain
