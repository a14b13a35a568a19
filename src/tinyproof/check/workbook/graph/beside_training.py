"""What goes on from step to step beside a training that follows its gradient, and looks like a parameter.

A bias or a weight that moves by a typed number whatever the error is, one that is moved by the error and that no unit
reads, a derivative that nothing takes off its number although others are taken off theirs, and a training of one
parameter that a typed number starts anew in the middle: meant, or slips; the sheet does not say.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.backprop.expr import Call, Var, names
from tinyproof.backprop.tape import Array, forward
from tinyproof.backprop.tape_back import backward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.carried import usual_shift
from tinyproof.check.workbook.graph.derivative_cells import along, directions
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.multiplied import ALONE, Factors, Key
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.graph.rate_sources import NEAR
from tinyproof.check.workbook.graph.steps import plus_terms
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

LEAST_STEPS = 2  # of such a chain
MOST_CHAINS = 400  # cells that are looked at
MOST_READERS = 40
MOST_IDLE, MOST_UNITS = 40, 2_000
MOST_PAIRS = 4_000_000


def moved_by_numbers(found: Study) -> list[int]:
    """Cells that a unit adds, as it adds a bias, or weighs numbers with that no step moves, and that a typed number
    moves in every step."""
    chains = [pair for pair in _chains(found) if not found.depends[pair[0]]]
    still = [(cell, before) for cell, before in chains if _by_number(found, cell, before)]
    moving = {one for pair in still for one in pair}
    factors = Factors(found.net, _forwards(found), found.depends)

    def is_read(cell: int) -> bool:
        return _is_added(found, cell) or (_forward(found, cell) and _weighs(found, factors.of_leaf(cell), moving))

    chain = [cell for cell, before in still if is_read(cell) and is_read(before)]
    return [*(chain if len(chain) >= LEAST_STEPS else []), *_round_for_nothing(found)]


def _round_for_nothing(found: Study) -> list[int]:
    """Numbers of the forward pass that iterative calculation carries round as it carries the parameters, and that no
    change by the error moves."""
    moved = {int(cell) for cell in found.parameter}
    cells = [int(found.net.canon[cell]) for cell in found.net.graph.carried if cell < found.net.size]
    some = any(cell in moved for cell in cells)
    return [cell for cell in cells if cell not in moved and _forward(found, cell)] if some else []


def not_taken(found: Study) -> list[int]:
    """Cells that are the derivative by a number of the forward pass that no step moves, and that nothing uses, although
    the derivatives by others are taken off these."""
    used = found.order.cone(found.successor) | found.order.cut
    idle = np.flatnonzero(found.depends & ~_forwards(found) & ~used & (found.net.form_of >= 0))[:MOST_UNITS]
    still = np.flatnonzero(_forwards(found) & ~found.depends & ~found.order.cut)
    if not len(idle) or not len(still) or len(idle) * len(still) > MOST_PAIRS:
        return []
    plain = _directions_of_errors(found)
    own = directions(found.values[idle])
    left = idle[~along(own, plain)] if len(plain) else idle
    loose: list[int] = []
    for training in found.trainings():
        if found.kinds[training] != "shown" and found.match.ok[found.training == training].any():
            slope = found.order.adjoints(found.values, seeds_of(found, found.chosen[training], found.kinds[training]))
            loose += left[along(directions(found.values[left]), directions(slope[still]))].tolist()
    return loose


def _directions_of_errors(found: Study) -> Array:
    """The errors of all examples, each as a direction."""
    values = [one.value for one in found.residuals if one.value is not None]
    return directions(np.concatenate(values)) if values else np.zeros((0, found.values.shape[1]))


def _weighs(found: Study, factors: Key, moving: set[int]) -> bool:
    """Whether what a number is multiplied with is no parameter itself."""
    return bool(factors) and not any(one != ALONE and (found.order.cut[one] or one in moving) for one in factors)


def moved_for_nothing(found: Study) -> list[int]:
    """Cells that are moved by an error, at the rate of the parameters, as a bias is, and that no unit reads."""
    chains = [(cell, before) for cell, before in _chains(found) if found.depends[cell] and not _forward(found, cell)]
    if not chains or len(chains) > MOST_IDLE:
        return []
    moved = _written_alike(found, chains)
    if moved:
        return moved
    for training in found.trainings():
        mine = found.training == training
        rates = found.match.rate[mine & found.match.ok]
        rates = rates[np.isfinite(rates)]
        if not len(rates):
            continue
        slope = found.order.adjoints(found.values, seeds_of(found, found.chosen[training], found.kinds[training]))
        units = np.flatnonzero(found.depends & np.any(slope != 0, axis=1) & ~found.order.cut)[:MOST_UNITS]
        slopes = np.concatenate([slope[units], _over_examples(found, units, slope)])
        for cell, before in chains:
            change = found.values[cell] - found.values[before]
            new = match(np.broadcast_to(change, slopes.shape), slopes)
            if (new.ok & (np.abs(new.rate[:, None] / rates - 1) < NEAR).any(axis=1)).any():
                moved.append(cell)
    return moved if len(moved) >= LEAST_STEPS else []


def _over_examples(found: Study, units: np.ndarray, slope: Array) -> Array:
    """The slopes of units that read the same parameters in the same way, summed: what a bias of theirs would have."""
    net, sums = found.net, dict[tuple[int, ...], Array]()
    counts: dict[tuple[int, ...], int] = {}
    for unit in units[net.form_of[units] >= 0].tolist():
        own = sorted(cell for cell in set(net.reads(unit)) if found.order.cut[cell])
        if own:
            key = int(net.form_of[unit]), *own
            sums[key] = sums[key] + slope[unit] if key in sums else slope[unit]
            counts[key] = counts.get(key, 0) + 1
    several = [held for key, held in sums.items() if counts[key] > 1]
    return np.array(several) if several else slope[:0]


def _written_alike(found: Study, chains: list[tuple[int, int]]) -> list[int]:
    """Those whose formula, and that of the change that it takes off, says what the same of some parameter says: a
    running total of errors says another thing."""
    ends = found.updates_that_follow()
    usual = {_spelled(found, update.successor, update.parameter) for update in ends} - {None}
    moved = [cell for cell, before in chains if _spelled(found, cell, before) in usual]
    return moved if len(moved) >= LEAST_STEPS else []


def _spelled(found: Study, cell: int, before: int) -> tuple[int, ...] | None:
    """What an update computes, and what the formulas do that it reads; None of one that adds something as it is."""
    net = found.net
    read = [one for one in net.reads(cell) if one != before and found.depends[one] and not found.order.cut[one]]
    forms = [int(net.form_of[cell]), *sorted(int(net.form_of[one]) for one in read if net.form_of[one] >= 0)]
    scaled = any(step[0] in ("mul", "div") for form in forms for step in net.forms[form].tape.steps)
    return tuple(forms) if scaled else None


def starts_anew(found: Study) -> list[int]:
    """The one typed number in the middle of the only parameter of a training, where an update would stand."""
    graph, shift = found.net.graph, usual_shift(found.net, found.updates, made=True)
    if shift is None:
        return []
    typed: list[int] = []
    ends = {int(s) for s in found.successor} - {int(p) for p in found.parameter}
    here = np.unique(found.step).tolist()
    if len(here) != len(found.updates):
        return []  # several parameters: all of them start anew, or one is missing
    for parameter in found.parameter.tolist():
        place = graph.places[parameter]
        before = graph.number.get(Place(place.sheet - shift[0], place.row - shift[1], place.col - shift[2]), -1)
        if parameter not in graph.meaning and not np.isnan(graph.typed[parameter]) and before in ends:
            typed.append(parameter)
    return typed if len(typed) == 1 else []


def _chains(found: Study) -> Iterator[tuple[int, int]]:
    """Cells that are another cell of the same kind and something more, and are no parameters: the cell, and the one
    that it starts from; where they stand as far apart as parameters do."""
    graph, canon, cut = found.net.graph, found.net.canon, found.order.cut
    shift = usual_shift(found.net, found.updates, made=True)
    looked = 0
    for cell, meaning in graph.meaning.items():
        if cell >= found.net.size or cut[cell] or isinstance(meaning.expr, Var) or looked > MOST_CHAINS:
            continue
        for bare in plus_terms(meaning.expr):
            looked += 1
            before = int(canon[meaning.refs[bare]])
            a, b = graph.places[before], graph.places[cell]
            if not cut[before] and (b.sheet - a.sheet, b.row - a.row, b.col - a.col) == shift:
                yield cell, before


def _by_number(found: Study, cell: int, before: int) -> bool:
    """`P + 0.05`, `P - 0.05`, or `P` and a number that hangs neither on it nor on anything that is trained."""
    net, meaning = found.net, found.net.graph.meaning[cell]
    expr, canon = meaning.expr, {name: int(net.canon[ref]) for name, ref in meaning.refs.items()}
    if not (isinstance(expr, Call) and expr.function in ("add", "sub") and len(expr.args) == 2):
        return False
    others = [arg for arg in expr.args if not (isinstance(arg, Var) and canon[arg.name] == before)]
    read = [canon[name] for other in others for name in names(other)]
    return len(others) == 1 and before not in read and not found.order.reach(read, upwards=True)[before]


def _is_added(found: Study, cell: int) -> bool:
    """Whether a unit of the forward pass reads a cell as a term of its sum: by itself, beside what is weighed."""
    if not _forward(found, cell):
        return False
    for user in found.order.down.after(np.array([cell]))[:MOST_READERS].tolist():
        form = found.net.forms[found.net.form_of[user]]
        reads = form.reads[found.net.row_of[user]]
        inputs = found.values[reads][:, None]
        values = forward(form.tape, inputs)
        slopes = backward(form.tape, values, {form.tape.top: np.ones(inputs.shape[1:])}, inputs)[:, 0]
        own = slopes[reads == cell].sum(axis=0)
        if found.depends[user] and len(reads) > 1 and np.all(np.abs(own - own[0]) < NEAR) and abs(own[0]) > NEAR:
            return True
    return False


def _forwards(found: Study) -> np.ndarray:
    return found.forward if found.forward is not None else np.zeros(found.net.size, dtype=bool)


def _forward(found: Study, cell: int) -> bool:
    return found.forward is not None and bool(found.forward[cell])
