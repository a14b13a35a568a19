"""What statements do to a figure that was measured: compare it, choose by it, add to it."""

from __future__ import annotations

import ast
import re

from tinyproof.check.notebook.interpreter.binding import as_load
from tinyproof.check.notebook.interpreter.events import Tampered
from tinyproof.check.notebook.interpreter.expressions import evaluate
from tinyproof.check.notebook.interpreter.flows import Quantity
from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.values import Scope, Value, number, options

_BEST = re.compile(r"best|max|top|high|peak", re.IGNORECASE)


def note_maximum(machine: Machine, node: ast.Assign, scope: Scope) -> None:
    """`correct = max(correct, ...)`: the measured figure gives way to a larger one, under its own name."""
    call, target = node.value, node.targets[0]
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


def note_addition(machine: Machine, node: ast.AugAssign, before: Value, change: Value, scope: Scope) -> None:
    """A number added to a measured figure outside the loop that measures it."""
    added = number(change)
    if machine.passes or not added or not isinstance(node.op, ast.Add | ast.Sub) or not isinstance(before, Quantity):
        return
    if before.kind in ("hits", "accuracy") and before.reach != "batch":
        machine.events.tampered.append(Tampered(before, "added", machine.place(node, scope), added))


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
                            if value.reach in ("final", "total"):
                                return value
    return None


def one_more_batch(machine: Machine, node: ast.AugAssign, before: Value, change: Value) -> Quantity | None:
    """`n += 1` in each turn of a loop over batches counts batches."""
    turn = machine.passes[-1] if machine.passes else None
    if turn is None or number(change) != 1 or number(before) != 0 or not any(node is part for part in turn.each):
        return None
    return Quantity("batches", "unknown", "total", turn.loader)
