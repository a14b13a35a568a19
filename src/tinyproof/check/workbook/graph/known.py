"""What back-propagation computes on its way, and the first cell of a sheet that says something else.

Every number of the way back is a derivative: of the objective by a cell (or by a part of a formula), of one formula by
what it reads, or the product of both. A cell that is none of these, although all that it reads is right, is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tinyproof.backprop.tape import Array, forward
from tinyproof.backprop.tape_back import backward, backward_steps
from tinyproof.check.workbook.graph.cell_net import Form
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.graph.way_back import earlier, on_the_way, reads_back
from tinyproof.core.arrays import np

DIGITS = 7
MOST_WALKED = 3_000
MOST_BESIDE = 20  # of them whose whole way is looked at
MOST_LATER = 2_000  # cells that come after such a formula
MOST_USERS = 100  # formulas that read a parameter
SAME = 1e-9
MOST_RIGHT = 200  # right updates whose formulas are compared with a wrong one's
MOST_INSIDE = 200_000  # steps of one form that are looked at


@dataclass
class Known:
    """Values, each up to a factor, that the way back of one training may hold."""

    keys: set[bytes] = field(default_factory=set)
    slope: Array = field(default_factory=lambda: np.zeros((0, 0)))  # of the objective by every cell

    def add(self, values: Array) -> None:
        self.keys.update(_keys(values))

    def holds(self, value: Array) -> bool:
        return not np.any(value) or _keys(value[None])[0] in self.keys

    def makes(self, found: Study, cell: int, target: int) -> bool:
        """Whether a cell holds the derivative by something that is computed from the target itself, so that the
        derivative by the target is made of it."""
        return self._is_by(found, cell, self._users(found, target))

    def beyond(self, found: Study, cell: int, target: int) -> int | None:
        """The formula that reads the target and is on the way to something by which a cell holds the derivative: the
        cell should hold the one by that formula. None where it holds no such derivative."""
        for user in self._users(found, target).tolist():
            later = found.order.reach([user])
            later[user] = False
            if self._is_by(found, cell, np.flatnonzero(later & np.any(self.slope != 0, axis=1))[:MOST_LATER]):
                return int(user)
        return None

    def owns(self, found: Study, cell: int, target: int) -> bool:
        """Whether a cell holds the derivative by the target, or what one formula that reads the target adds to it."""
        shares = [self.slope[[target]]]
        for user in self._users(found, target).tolist():
            form = found.net.forms[found.net.form_of[user]]
            reads = form.reads[found.net.row_of[user]]
            inputs = found.values[reads][:, None]
            begin = {form.tape.top: self.slope[[user]]}
            shares.append(backward(form.tape, forward(form.tape, inputs), begin, inputs)[reads == target, 0])
        return _keys(found.values[cell][None])[0] in _keys(np.concatenate(shares))

    def _users(self, found: Study, target: int) -> np.ndarray:
        users = found.order.down.after(np.array([target]))
        users = users[found.depends[users]][:MOST_USERS]
        return np.asarray(users[np.any(self.slope[users] != 0, axis=1)])

    def _is_by(self, found: Study, cell: int, others: np.ndarray) -> bool:
        """Whether a cell holds the derivative by one of these."""
        return len(others) > 0 and _keys(found.values[cell][None])[0] in _keys(self.slope[others])


def _keys(values: Array) -> list[bytes]:
    """A name for each row, the same for its multiples."""
    rows = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    size = np.abs(rows).max(axis=1, keepdims=True)
    scaled = rows / np.where(size > 0, size, 1.0)
    scaled = scaled * np.sign(scaled[np.arange(len(rows)), np.abs(scaled).argmax(axis=1)])[:, None]
    rounded = np.round(scaled, DIGITS) + 0.0
    return [row.tobytes() for row in rounded]


def known_of(found: Study, training: int) -> Known:
    """The derivatives of a training's objective, and the forward pass itself."""
    known = Known()
    seeds = seeds_of(found, found.chosen[training], found.kinds[training])
    slope = found.order.adjoints(found.values, seeds)
    known.slope = slope
    known.add(slope[np.any(slope != 0, axis=1)])
    assert found.forward is not None
    known.add(found.values[found.forward])
    for index, form in enumerate(found.net.forms):
        inside = found.depends[form.cells] & found.forward[form.cells] & ~found.order.cut[form.cells]
        _of_form(found, known, form, np.flatnonzero(inside), slope, {})
        if index in seeds:  # an error inside a formula of the way back: what lies above it may be wrong
            outside = np.flatnonzero(found.depends[form.cells] & ~inside & ~found.order.cut[form.cells])
            _of_form(found, known, form, outside, slope, seeds[index])
    return known


def _of_form(
    found: Study,
    known: Known,
    form: Form,
    rows: np.ndarray,
    slope: Array,
    seeds: Mapping[int, tuple[np.ndarray, Array]],
) -> None:
    """The derivatives inside the formulas of some cells: from their own slope, or from where the objective begins."""
    if not len(rows) or len(form.tape.steps) * len(rows) > MOST_INSIDE:
        return
    inputs = found.values[form.reads[rows].T]
    values = forward(form.tape, inputs)
    shape = inputs.shape[1:]
    begins: list[dict[int, Array]] = [{form.tape.top: slope[form.cells[rows]]}, {form.tape.top: np.ones(shape)}]
    kept = values
    if seeds:
        begins, kept = [{}], [values[step] for step in seeds]
        for step, (places, amount) in seeds.items():
            dense = np.zeros((len(form.cells), shape[1]))
            dense[places] = amount
            begins[0][step] = dense[rows]
    for begin in begins:
        by_slot, by_step = backward_steps(form.tape, values, begin, inputs)
        for amount in [*by_slot, *(a for a in by_step if a is not None)]:
            known.add(np.broadcast_to(amount, shape))
    for value in kept:
        known.add(np.broadcast_to(value, shape))


def first_wrong(
    found: Study, known: Known, update: int, trusted: np.ndarray, usual: Sequence[AbstractSet[int]] = ()
) -> int:
    """The cell to blame for a wrong update: it is none of the known values, and all that it reads is; or it passes a
    derivative on in place of making the next one of it. `usual`: the forms of right changes' formulas, by distance.
    """
    cell, target = int(found.successor[update]), int(found.parameter[update])
    before = {target, *earlier(found, update)}
    for depth in range(MOST_WALKED):
        below = [c for c in reads_back(found, cell) if not trusted[c] and c not in before]
        fresh = [c for c in below if not known.holds(found.values[c])]
        if fresh:
            cell = fresh[0]
            continue
        linked = [c for c in reads_back(found, cell) if c not in before and known.makes(found, c, target)]
        if linked:
            last = _last_link(found, known, cell, linked[0], target, trusted)
            innocent = last == cell and not _unlike(found, usual, depth, cell) and _passes_on(found, cell)
            guilty = _unlike(found, usual, depth + 1, linked[0]) and not trusted[linked[0]]
            twice = _again(found, below) if innocent else []
            return linked[0] if innocent and guilty else twice[0] if twice else last
        further = next(((c, user) for c in below if (user := known.beyond(found, c, target)) is not None), None)
        if further is not None:
            cell, target = further
            continue
        if not below:
            return cell if cell != found.successor[update] else _instead(found, update, cell)
        others = [c for c in below if not known.owns(found, c, target)]
        if not _passes_on(found, cell):
            other = [c for c in others if _unlike(found, usual, depth + 1, c)]
            return other[0] if len(other) == 1 and not _unlike(found, usual, depth, cell) else cell
        if not others:  # it reads the right derivative, perhaps one of them twice
            twice = [] if _unlike(found, usual, depth, cell) else _again(found, below)
            return twice[0] if twice else cell
        cell = others[0]
    return cell


def _unlike(found: Study, usual: Sequence[AbstractSet[int]], depth: int, cell: int) -> bool:
    """Whether right changes have other formulas at that distance."""
    return depth < len(usual) and int(found.net.form_of[cell]) not in usual[depth]


def _again(found: Study, cells: list[int]) -> list[int]:
    """The cells that hold what one before them holds."""
    keys = _keys(found.values[cells])
    return [cell for i, cell in enumerate(cells) if keys[i] in keys[:i]]


def _last_link(found: Study, known: Known, cell: int, below: int, target: int, trusted: np.ndarray) -> int:
    """The last cell that passes on the derivative of which the one by the target should have been made."""
    while not trusted[below] and _passes_on(found, below):
        deeper = [c for c in reads_back(found, below) if known.makes(found, c, target)]
        if not deeper:
            break
        cell, below = below, deeper[0]
    return cell


def _passes_on(found: Study, cell: int) -> bool:
    """Whether a formula makes no derivative, but multiplies or sums what it reads, with plain numbers."""
    net = found.net
    form = net.forms[net.form_of[cell]]
    reads = form.reads[net.row_of[cell]]
    inputs = found.values[reads][:, None]
    assert found.forward is not None
    plain = ~found.depends[reads] & ~found.forward[reads]
    inputs[plain] = inputs[plain, :, :1]
    values = forward(form.tape, inputs)
    slopes = backward(form.tape, values, {form.tape.top: np.ones(inputs.shape[1:])}, inputs)[:, 0]
    moving = slopes[found.depends[reads]]
    with np.errstate(all="ignore"):
        return bool(np.all(np.ptp(moving, axis=1) <= SAME * np.abs(moving).max(axis=1)))


def _instead(found: Study, update: int, cell: int) -> int:
    """What a wrong formula reads where a derivative belongs: a number, or a formula without any parameter; the formula
    itself where that is not clear."""
    net, graph = found.net, found.net.graph
    right = [int(u) for u in np.flatnonzero(found.match.ok) if u != update][:MOST_RIGHT]
    common: set[int] = set()
    for way in {int(found.successor[u]) for u in right} if cell == found.successor[update] else _beside(found, right):
        common.update(net.reads(way))
    raw = graph.meaning[cell].refs.values() if cell in graph.meaning else []
    own = [c for c in raw if c < net.size and int(net.canon[c]) not in common and not found.order.cut[net.canon[c]]]
    own = [c for c in own if not found.depends[net.canon[c]]]
    if len(own) != 1:
        return cell
    return _instead(found, update, own[0]) if own[0] in graph.meaning and own[0] != cell else own[0]


def _beside(found: Study, updates: list[int]) -> set[int]:
    """The cells of the way back of some updates."""
    return {cell for update in updates[:MOST_BESIDE] for cell in on_the_way(found, update)}
