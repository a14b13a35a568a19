"""Statements: what each does to names, and which of them end the way they stand on."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tinyproof.check.code.interpreter.binding import as_load, bind
from tinyproof.check.code.interpreter.changed_figures import (
    note_addition,
    note_descent,
    note_maximum,
    note_update,
    one_more_batch,
)
from tinyproof.check.code.interpreter.columns import taken_out
from tinyproof.check.code.interpreter.conditions import branch
from tinyproof.check.code.interpreter.definitions import define_class, define_function
from tinyproof.check.code.interpreter.expressions import evaluate
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.code.interpreter.imports import do_import, do_import_from
from tinyproof.check.code.interpreter.kept_states import note_kept
from tinyproof.check.code.interpreter.loops import Turn, entered, turns
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.operators import binary, truth
from tinyproof.check.code.interpreter.quantities import add
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.running_scores import note_counter
from tinyproof.check.code.interpreter.stepped import forget_stepped, mark_folds
from tinyproof.check.code.interpreter.values import Const, Made, Name, Scope, Seq, Unknown
from tinyproof.check.code.interpreter.ways import merged_modes, merged_names


def execute(machine: Machine, statements: list[ast.stmt], scope: Scope) -> bool:
    """Walk statements; True when the way certainly ends among them (return, raise, break, continue)."""
    for statement in statements:
        machine.tick()
        handler = _HANDLERS.get(type(statement))
        if handler is not None and handler(machine, statement, scope):
            return True
    return False


def _expression(machine: Machine, node: ast.Expr, scope: Scope) -> bool:
    machine.discarded = node.value
    value = evaluate(machine, node.value, scope)
    if isinstance(value, Made) and value.path.startswith("keras.layers.") and isinstance(node.value, ast.Call):
        machine.events.dropped.append((value, machine.place(node, scope)))
    return False


def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> bool:
    note_maximum(machine, node, scope)
    note_kept(machine, node, scope)
    note_update(machine, node, scope)
    value = evaluate(machine, node.value, scope)
    for target in node.targets:
        bind(machine, target, value, scope)
    return False


def _annotated(machine: Machine, node: ast.AnnAssign, scope: Scope) -> bool:
    if node.value is not None:
        bind(machine, node.target, evaluate(machine, node.value, scope), scope)
    return False


def _augmented(machine: Machine, node: ast.AugAssign, scope: Scope) -> bool:
    before = evaluate(machine, as_load(node.target), scope)
    change = evaluate(machine, node.value, scope)
    if isinstance(node.op, ast.Add) and isinstance(before, Seq) and isinstance(change, Seq | Flow | Batch):
        if machine.passes:
            machine.keep.append(before)
            machine.filled[id(before)] = machine.passes[-1]
        whole = machine.building > 0 or not (machine.loops or machine.passes)  # else further turns add further ones
        before.grow(change.items if isinstance(change, Seq) else [change], whole and getattr(change, "whole", False))
        return False
    note_addition(machine, node, before, change, scope)
    note_descent(machine, node, before, scope)
    if isinstance(node.op, ast.Add):
        after = one_more_batch(machine, node, before, change) or add(before, change, accumulate=True)
        if machine.passes:
            turn = machine.passes[-1]
            figure = isinstance(change, Quantity) and change.kind in ("hits", "loss", "accuracy")
            turn.counted = turn.counted or figure or (turn.hits and isinstance(change, Const | Unknown))
            turn.sums_loss = turn.sums_loss or (
                isinstance(after, Quantity) and after.kind == "loss" and after.reach == "total"
            )
    else:
        after = binary(machine, node.op, before, change, node, scope)
    note_counter(machine, node, after)
    bind(machine, node.target, after, scope, accumulated=True)
    return False


def _for(machine: Machine, node: ast.For | ast.AsyncFor, scope: Scope) -> bool:
    iterable = evaluate(machine, node.iter, scope)
    ended = False
    for turn in turns(machine, iterable, node.iter, scope):
        with entered(machine, turn, node, scope):
            if not turn.listed:
                forget_stepped(node, scope)
            bind(machine, node.target, turn.value, scope)
            mark_folds(node, scope)
            execute(machine, node.body, scope)
    if node.orelse:
        ended = execute(machine, node.orelse, scope)
    return ended and False


def _while(machine: Machine, node: ast.While, scope: Scope) -> bool:
    evaluate(machine, node.test, scope)
    with entered(machine, Turn(Unknown(), None, None), node, scope):
        forget_stepped(node, scope)
        execute(machine, node.body, scope)
    return False


def _with(machine: Machine, node: ast.With | ast.AsyncWith, scope: Scope) -> bool:
    quiet = 0
    for item in node.items:
        value = evaluate(machine, item.context_expr, scope)
        short = value.short if isinstance(value, Made) else value.path if isinstance(value, Name) else ""
        if isinstance(value, Unknown):
            short = ast.unparse(item.context_expr).partition("(")[0]  # torch.no_grad() where torch is not imported
        if short.endswith(("no_grad", "inference_mode")):
            quiet += 1
        elif short == "set_grad_enabled" and isinstance(value, Made) and value.args:
            quiet += truth(value.args[0]) is not True
        if item.optional_vars is not None:
            bind(machine, item.optional_vars, value, scope)
    machine.no_grad += quiet
    ended = execute(machine, node.body, scope)
    machine.no_grad -= quiet
    return ended


def _try(machine: Machine, node: ast.Try, scope: Scope) -> bool:
    ended = execute(machine, node.body, scope)
    before, modes = dict(scope.names), machine.modes
    machine.doubt += 1
    for handler in node.handlers:
        scope.names, machine.modes = dict(before), dict(modes)
        if not execute(machine, handler.body, scope):
            before, modes = merged_names(before, scope.names), merged_modes([modes, machine.modes])
    machine.doubt -= 1
    scope.names, machine.modes = before, modes
    if not ended:
        ended = execute(machine, node.orelse, scope)
    return execute(machine, node.finalbody, scope) or (ended and not node.handlers)


def _return(machine: Machine, node: ast.Return, scope: Scope) -> bool:
    value = evaluate(machine, node.value, scope) if node.value is not None else Const(None)
    if machine.returns:
        machine.returns[-1].append(value)
    if machine.doubt and machine.exits:
        machine.exits[-1].append(dict(machine.modes))
    return True


def _global(machine: Machine, node: ast.Global | ast.Nonlocal, scope: Scope) -> bool:
    if isinstance(node, ast.Global):
        scope.globals.update(node.names)
    return False


def _delete(machine: Machine, node: ast.Delete, scope: Scope) -> bool:
    for target in node.targets:
        if isinstance(target, ast.Name):
            scope.names.pop(target.id, None)
        elif isinstance(target, ast.Subscript):
            owner = evaluate(machine, target.value, scope)
            if isinstance(owner, Rows):
                taken_out(owner, evaluate(machine, target.slice, scope))
    return False


def _end(machine: Machine, node: ast.stmt, scope: Scope) -> bool:
    return True


def _match(machine: Machine, node: ast.Match, scope: Scope) -> bool:
    evaluate(machine, node.subject, scope)
    before, modes = dict(scope.names), [machine.modes]
    merged = dict(before)
    machine.doubt += 1
    for case in node.cases:
        scope.names, machine.modes = dict(before), dict(modes[0])
        for name in _captured(case.pattern):
            scope.names[name] = Unknown(name)
        if not execute(machine, case.body, scope):
            merged = merged_names(merged, scope.names)
            modes.append(machine.modes)
    machine.doubt -= 1
    scope.names, machine.modes = merged, merged_modes(modes)
    return False


def _captured(pattern: ast.pattern) -> list[str]:
    """The names that a pattern binds."""
    found = [getattr(part, "name", None) or getattr(part, "rest", None) for part in ast.walk(pattern)]
    return [name for name in found if isinstance(name, str)]


_HANDLERS: dict[type[ast.stmt], Callable[..., bool | None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: branch,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: define_class,
    ast.Return: _return,
    ast.Global: _global,
    ast.Nonlocal: _global,
    ast.Delete: _delete,
    ast.Raise: _end,
    ast.Break: _end,
    ast.Continue: _end,
    ast.Import: do_import,
    ast.ImportFrom: do_import_from,
    ast.Match: _match,
}
