"""What statements do to a figure that was measured: compare it, choose by it, add to it."""

from __future__ import annotations

import ast
import re

from tinyproof.check.code.interpreter.binding import as_load
from tinyproof.check.code.interpreter.events import Choosing, Preferred, Tampered
from tinyproof.check.code.interpreter.expressions import evaluate
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.row_expressions import GRADIENT
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.uses import Chosen, Measured
from tinyproof.check.code.interpreter.values import Const, Made, Scope, Value, number, options
from tinyproof.check.finding import CodePlace

_MOST = 100  # places at which a figure is preferred
_BEST = re.compile(r"best|max|top|high|peak", re.IGNORECASE)


def note_maximum(machine: Machine, node: ast.Assign, scope: Scope) -> None:
    """`correct = max(correct, ...)`: the measured figure gives way to a larger one, under its own name."""
    call, target = node.value, node.targets[0]
    _note_best_told(machine, node, scope)
    if isinstance(call, ast.IfExp) and machine.loops:
        note_preferred(machine, figure_compared(machine, call.test, scope), machine.place(node, scope), alone=True)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "max":
        return
    if not isinstance(target, ast.Name) or _BEST.search(target.id) or machine.passes:
        return
    given = call.args[0].elts if call.args and isinstance(call.args[0], ast.List | ast.Tuple) else call.args
    if not any(isinstance(arg, ast.Name) and arg.id == target.id for arg in given):
        return
    for figure in options(evaluate(machine, as_load(target), scope)):
        if isinstance(figure, Quantity) and figure.kind in ("hits", "accuracy") and figure.reach != "batch":
            machine.events.tampered.append(Tampered(figure, "maximum", machine.place(node, scope)))


def _note_best_told(machine: Machine, node: ast.Assign, scope: Scope) -> None:
    """`best = max(best, accuracy(x_test, y_test))` in a loop: the best of all its turns is kept."""
    target = node.targets[0]
    if not machine.loops or machine.passes or not isinstance(target, ast.Name):
        return
    for call in ast.walk(node.value):
        if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "max" or len(call.args) != 2:
            continue
        others = [arg for arg in call.args if not (isinstance(arg, ast.Name) and arg.id == target.id)]
        if len(others) == 1:
            for figure in options(evaluate(machine, others[0], scope)):
                if isinstance(figure, Quantity) and figure.kind == "accuracy" and figure.reach == "final":
                    note_choice(machine, figure, machine.place(node, scope), told=target.id)


def note_choice(machine: Machine, figure: Quantity, place: CodePlace, told: str = "") -> None:
    """Something is chosen by a measured figure: on images of a loader, on rows, or on both."""
    machine.events.choices.append(Choosing(figure, place, told=told))
    rows = machine.meaning.behind(figure.loader) if figure.loader is not None else None
    if rows is not None:
        what = "the figure that is told" if told else "the network that is kept"
        machine.events.uses.append(Chosen(what, rows, None, place, "the best figure", told))


def note_preferred(machine: Machine, figure: Quantity | None, place: CodePlace, alone: bool = False) -> None:
    """One of the figures that a loop measures on whole arrays, or by hand, is preferred to the others."""
    done = figure.turn if figure is not None else None
    if not isinstance(done, Measured) or not done.repeated or done.crossed or len(machine.events.preferred) >= _MOST:
        return
    if done.name in ("loss", "==", "off") or done.text == f"{done.name}(...)":
        machine.events.preferred.append(Preferred(done, place, alone))


def keeps(body: list[ast.stmt]) -> bool:
    """Whether statements give names to something, or leave the loop that they stand in."""
    parts = [part for statement in body for part in ast.walk(statement)]
    return any(isinstance(part, ast.Assign | ast.AugAssign | ast.Break) for part in parts)


def note_addition(machine: Machine, node: ast.AugAssign, before: Value, change: Value, scope: Scope) -> None:
    """A number added to a measured figure outside the loop that measures it."""
    added = number(change)
    if machine.passes or not added or not isinstance(node.op, ast.Add | ast.Sub) or not isinstance(before, Quantity):
        return
    if before.kind in ("hits", "accuracy") and before.reach != "batch":
        machine.events.tampered.append(Tampered(before, "added", machine.place(node, scope), added))


def note_descent(machine: Machine, node: ast.AugAssign, before: Value, scope: Scope) -> None:
    """`W -= rate * x.T @ slope` in a loop: weights that no object holds learn from the rows in it."""
    if isinstance(node.op, ast.Sub) and machine.loops and not isinstance(before, Rows | Quantity | Const):
        _learn_by(machine, node.value, scope)


def note_update(machine: Machine, node: ast.Assign, scope: Scope) -> None:
    """`W = W - rate * slope` in a loop."""
    value = node.value
    if not machine.loops or not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Sub):
        return
    if any(ast.unparse(target) == ast.unparse(value.left) for target in node.targets):
        _learn_by(machine, value.right, scope, slopes_only=True)


def _learn_by(machine: Machine, change: ast.expr, scope: Scope, slopes_only: bool = False) -> None:
    """The weights learn from the rows that are named in what is taken off them, or of which it is a slope."""
    named = [part for part in ast.walk(change) if isinstance(part, ast.Name | ast.Attribute | ast.Subscript)]
    products = [part for part in ast.walk(change) if isinstance(part, ast.expr) and _is_product(part)][:4]
    slopes_only = slopes_only and not any(
        isinstance(value, Made) and value.path == GRADIENT
        for part in products
        for value in options(evaluate(machine, part, scope))
    )
    used = [option for part in named[:20] for option in options(evaluate(machine, part, scope))]
    slopes = [value.args[0] for value in used if isinstance(value, Made) and value.path == GRADIENT]
    rows = [value for value in (*slopes, *([] if slopes_only else used)) if isinstance(value, Rows)]
    taught = next((one for one in rows if one.side in ("x", "both", "scores")), None)
    if taught is not None:
        machine.meaning.learned(machine, machine.events.weights, taught, machine.place(change, scope))


def _is_product(node: ast.AST) -> bool:
    """`x.T.dot(slope)`, `np.dot(x.T, slope)`, `x.T @ slope`."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "matmul")
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)


def breaks(body: list[ast.stmt]) -> bool:
    """Whether statements leave the loop that they stand in."""
    return any(isinstance(statement, ast.Break) for statement in body) or any(
        breaks(statement.body) for statement in body if isinstance(statement, ast.If | ast.With)
    )


def figure_compared(machine: Machine, test: ast.expr, scope: Scope) -> Quantity | None:
    """The measured figure that a condition compares with something, if it does."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Gt | ast.Lt | ast.GtE | ast.LtE) for op in node.ops
        ):
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.Name | ast.Attribute | ast.Subscript):
                    for value in options(evaluate(machine, side, scope)):
                        if isinstance(value, Quantity) and value.kind in ("accuracy", "loss", "hits"):
                            if value.reach in ("final", "total") or isinstance(value.turn, Measured):
                                return value
    return None


def one_more_batch(machine: Machine, node: ast.AugAssign, before: Value, change: Value) -> Quantity | None:
    """`n += 1` in each turn of a loop over batches counts batches."""
    turn = machine.passes[-1] if machine.passes else None
    if turn is None or number(change) != 1 or number(before) != 0 or not any(node is part for part in turn.each):
        return None
    return Quantity("batches", "unknown", "total", turn.loader)
