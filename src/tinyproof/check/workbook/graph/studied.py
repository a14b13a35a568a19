"""From a graph to the trainings in it: updates, steps, random values, and the objective that each follows."""

from __future__ import annotations

from tinyproof.backprop.tape import Array, Tape
from tinyproof.check.workbook.graph.agree import STEPPED, match
from tinyproof.check.workbook.graph.carried import by_place
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.found_training import Study, labels
from tinyproof.check.workbook.graph.order import Order, order
from tinyproof.check.workbook.graph.residuals import Residual, find_comparisons, find_margins, find_residuals, measure
from tinyproof.check.workbook.graph.running_sums import running_sums
from tinyproof.check.workbook.graph.sample import PLAIN, draw, has_thresholds, is_stepped
from tinyproof.check.workbook.graph.steps import Update, find_updates
from tinyproof.check.workbook.graph.which_objective import choose
from tinyproof.core.arrays import np

MOSTLY = 0.7  # of the changes are numbers; where fewer are, positive values are tried


def study(net: Net) -> Study | None:
    """The trainings of the workbook; None where nothing is updated."""
    updates = _updates(net)
    if not updates:
        return None
    found = _studied(net, updates)
    sums = running_sums(found)
    if sums:
        found = _studied(net, [update for number, update in enumerate(updates) if number not in sums])
    choose(found)
    return found


def _studied(net: Net, updates: list[Update]) -> Study:
    """These updates, on random values; nothing is known yet of what they follow."""
    parameter = np.array([u.parameter for u in updates])
    successor = np.array([u.successor for u in updates])
    cut = np.zeros(net.size, dtype=bool)
    cut[parameter] = cut[successor] = True
    cut_order = order(net, cut)
    depends = cut_order.reach(np.flatnonzero(cut))
    label, step = _parts(net, cut_order, depends, parameter, successor)
    lineage = labels(net.size, parameter, successor)[parameter]
    residuals = find_residuals(cut_order, depends)
    way = cut_order.cone(successor)
    way[successor] = True
    comparisons = find_comparisons(cut_order, depends, way)
    limits = find_margins(cut_order, depends, way)
    forward, random, held = kinds_of_leaves(cut_order, residuals or comparisons or limits)
    values, final = _computed(cut_order, depends, random, held)
    change = final[successor] - values[parameter]
    if _finite(change) < MOSTLY:
        others, others_final = _computed(cut_order, depends, random, held, positive=True)
        others_change = others_final[successor] - others[parameter]
        if _finite(others_change) > _finite(change):
            values, final, change = others, others_final, others_change
    measure(cut_order, [*residuals, *comparisons, *limits], values)
    blank = np.zeros_like(change)
    return Study(
        net=net,
        order=cut_order,
        updates=updates,
        parameter=parameter,
        successor=successor,
        depends=depends,
        values=values,
        final=final,
        change=change,
        label=label,
        training=label[successor],
        step=step,
        lineage=lineage,
        gradient=blank,
        match=match(change, blank),
        residuals=residuals,
        comparisons=comparisons,
        limits=limits,
        forward=forward,
        given=random,
    )


def _updates(net: Net) -> list[Update]:
    """The updates of a workbook; of one that stops before them those that its gradients lack, and no others."""
    if net.graph.imagined:
        return [Update(net.graph.meaning[cell].refs["leaf"], cell, "leaf") for cell in net.graph.imagined]
    found_updates, dropped, roles = find_updates(net)
    return by_place(net, roles, found_updates, dropped)


def _computed(
    cut_order: Order, depends: np.ndarray, random: np.ndarray, held: np.ndarray, positive: bool = False
) -> tuple[Array, Array]:
    """Random values for every cell, and what the updates make of them."""
    samples = STEPPED if is_stepped(cut_order, depends) else PLAIN
    wide = has_thresholds(cut_order, depends)
    values = draw(cut_order, random, held, samples, 7, positive=positive, wide=wide)
    values[[cell for cell in cut_order.net.graph.opaque if depends[cell]]] = np.nan  # made in a way that is not read
    return values, cut_order.compute(values)


def _finite(change: Array) -> float:
    """Which share of the changes is a number on every sample."""
    return float(np.isfinite(change).all(axis=1).mean())


def _parts(
    net: Net, cut_order: Order, depends: np.ndarray, parameter: np.ndarray, successor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which training and which step each update belongs to."""
    both = depends[net.src] & depends[net.dst]
    src, dst = net.src[both], net.dst[both]
    label = labels(net.size, src, dst)
    cone = cut_order.cone(successor)
    inside = (cone[dst] | cut_order.cut[dst]) & (cone[src] | cut_order.cut[src])
    src, dst = src[inside], dst[inside]
    sink = np.where(cut_order.cut[dst], dst + net.size, dst)  # a successor is the end of its step, not of the next
    step = labels(2 * net.size, src, sink)[successor + net.size]
    return label, step


def _asked(tape: Tape) -> list[int]:
    """The slots that a formula compares with a number, `IF(t=1, ...)`."""
    sides = [[tape.steps[int(a)] for a in step[1:]] for step in tape.steps if step[0] == "eq"]
    pairs = [(a, b) for two in sides for a, b in (two, two[::-1])]
    return [int(a[1]) for a, b in pairs if a[0] == "var" and b[0] == "num"]


def kinds_of_leaves(cut_order: Order, residuals: list[Residual]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells upstream of an output or a target; leaves that are drawn; targets that keep their 0 or 1."""
    net = cut_order.net
    outputs, targets = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)]
    for residual in residuals:
        form = net.forms[residual.form]
        slots = form.tape.below
        for group, into in ((residual.parts[0], outputs), (residual.parts[1], targets)):
            used = sorted(frozenset().union(*(slots[step] for _, step in group)))
            into.append(form.reads[residual.rows][:, used].ravel())
    forward = cut_order.reach(np.concatenate(outputs), upwards=True)
    target = cut_order.reach(np.concatenate(targets), upwards=True)
    typed = np.array(net.graph.typed)
    direct = np.zeros(net.size, dtype=bool)
    direct[np.concatenate(targets)] = True
    # a target that is 0 or 1 stays so (a choice may hang on it), and so does what a target is looked up from
    held = target & ~forward & (np.isin(typed, (0.0, 1.0, -1.0)) | ~direct)
    for form in net.forms:
        for slot in form.tape.levels:  # the two answers of a threshold unit
            cells = form.reads[:, slot]
            held[cells[np.isin(typed[cells], (0.0, 1.0, -1.0))]] = True
        for slot in _asked(form.tape):
            held[form.reads[:, slot]] = True
        for slot in form.tape.slopes:
            cells = form.reads[:, slot]
            held[cells[~cut_order.cut[cells]]] = True
    return forward, forward | target, held
