"""Conditions: which side is taken, and what is chosen by a measured figure."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter.changed_figures import (
    breaks,
    figure_compared,
    keeps,
    note_choice,
    note_preferred,
)
from tinyproof.check.code.interpreter.events import Choosing
from tinyproof.check.code.interpreter.expressions import evaluate
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.kept_states import keeps_network
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.operators import truth
from tinyproof.check.code.interpreter.row_answers import counted
from tinyproof.check.code.interpreter.values import Scope
from tinyproof.check.code.interpreter.ways import merged_modes, merged_names


def branch(machine: Machine, node: ast.If, scope: Scope) -> bool:
    figure = figure_compared(machine, node.test, scope)
    tested = evaluate(machine, node.test, scope)
    if isinstance(tested, Quantity) and (any(map(_counts, node.body)) or _on_a_card(node)):
        counted(machine, tested, machine.place(node, scope))
    known = truth(tested)
    if known is False and _first_turn_only(machine, node):
        known = None
    if machine.loops and not machine.passes and keeps([*node.body, *node.orelse]):
        note_preferred(machine, figure, machine.place(node, scope))
    if figure is not None and keeps_network(node.body):
        note_choice(machine, figure, machine.place(node, scope))
    elif figure is not None and machine.loops and not machine.passes and breaks(node.body):
        machine.events.choices.append(Choosing(figure, machine.place(node, scope), ends=True))
    chosen = bool(machine.frames) and (known is None or _asks_an_argument(machine, node.test))
    machine.conditions += chosen
    if known is None:
        ended = _either(machine, node, scope)
    else:
        ended = machine.execute(node.body if known else node.orelse, scope)
    machine.conditions -= chosen
    return ended


def _first_turn_only(machine: Machine, node: ast.If) -> bool:
    """Whether a condition asks if a name is None that the loop around it gives a value: from the second turn on it is
    another.
    """
    asked = {
        part.left.id
        for part in ast.walk(node.test)
        if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.IsNot) and isinstance(part.left, ast.Name)
    }
    if not asked or not machine.loops:
        return False
    around = [part for statement in machine.loops[-1].body for part in ast.walk(statement)]
    given = {part.id for part in around if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return bool(asked & given) and any(part is node for part in around)


def _counts(statement: ast.stmt) -> bool:
    """`hits += 1`."""
    return isinstance(statement, ast.AugAssign)


def _on_a_card(node: ast.If) -> bool:
    """`card.append(1)`, else `card.append(0)` to the same: without that its mean is 1, whatever was right."""
    then, other = map(_appended, node.body), [_appended(statement) for statement in node.orelse]
    return any(kept is not None and kept[1] in (1, True) and (kept[0], 0) in other for kept in then)


def _appended(statement: ast.stmt) -> tuple[str, object] | None:
    """The list that a statement puts a constant into, and the constant."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or len(call.args) != 1 or not isinstance(call.args[0], ast.Constant):
        return None
    to = call.func
    return (
        (ast.unparse(to.value), call.args[0].value) if isinstance(to, ast.Attribute) and to.attr == "append" else None
    )


def _asks_an_argument(machine: Machine, test: ast.expr) -> bool:
    """Whether a condition looks at what the running function was given."""
    given = machine.frames[-1].arguments
    return any(isinstance(part, ast.Name) and part.id in given for part in ast.walk(test))


def _on_side(machine: Machine, node: ast.If, scope: Scope, side: str) -> bool:
    """Walk one side of a condition; whether the way ends there."""
    depth = len(machine.sides)
    machine.sides.append((_asked(machine, node, scope), side))
    ended = machine.execute(node.body if side == "yes" else node.orelse, scope)
    del machine.sides[depth:]
    return ended


def _asked(machine: Machine, node: ast.If, scope: Scope) -> tuple[object, ...]:
    """What tells one asking of a condition from others: where, in which calls, in which loops."""
    frames = tuple(frame.place for frame in machine.frames)
    return ("if", machine.place(node, scope), frames, tuple(id(loop) for loop in machine.loops))


def _either(machine: Machine, node: ast.If, scope: Scope) -> bool:
    """Both sides of a condition that is not known, each from the same names and modes; then what they share."""
    before, modes = dict(scope.names), dict(machine.modes)
    machine.doubt += 1
    ended_body = _on_side(machine, node, scope, "yes")
    after_body, scope.names = scope.names, before.copy()
    modes_body, machine.modes = machine.modes, modes
    ended_else = _on_side(machine, node, scope, "no")
    machine.doubt -= 1
    if ended_body != ended_else:  # what follows in this turn of a loop stands on the other side
        machine.sides.append((_asked(machine, node, scope), "no" if ended_body else "yes"))
    if ended_else:
        scope.names, machine.modes = after_body, modes_body
    elif not ended_body:
        scope.names = merged_names(after_body, scope.names)
        machine.modes = merged_modes([modes_body, machine.modes])
    return ended_body and ended_else
