"""Statements: what each does to names, and which of them end the way they stand on."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from tinyproof.check.notebook.interpreter.binding import as_load, bind
from tinyproof.check.notebook.interpreter.events import Choosing, Loop, Pass, Tampered, saves_something
from tinyproof.check.notebook.interpreter.expressions import evaluate
from tinyproof.check.notebook.interpreter.imports import do_import, do_import_from
from tinyproof.check.notebook.interpreter.loops import Turn, turns
from tinyproof.check.notebook.interpreter.machine import Machine, merged_modes
from tinyproof.check.notebook.interpreter.operators import binary, truth
from tinyproof.check.notebook.interpreter.quantities import add
from tinyproof.check.notebook.interpreter.row_expressions import counted
from tinyproof.check.notebook.interpreter.values import (
    Class,
    Const,
    Function,
    Made,
    Name,
    Quantity,
    Scope,
    Seq,
    Unknown,
    Value,
    join,
    number,
    options,
)


def execute(machine: Machine, statements: list[ast.stmt], scope: Scope) -> bool:
    """Walk statements; True when the way certainly ends among them (return, raise, break, continue)."""
    for statement in statements:
        machine.tick()
        handler = _HANDLERS.get(type(statement))
        if handler is not None and handler(machine, statement, scope):
            return True
    return False


def _expression(machine: Machine, node: ast.Expr, scope: Scope) -> bool:
    value = evaluate(machine, node.value, scope)
    if isinstance(value, Made) and value.path.startswith("keras.layers.") and isinstance(node.value, ast.Call):
        machine.events.dropped.append((value, machine.place(node, scope)))
    return False


def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> bool:
    _maximum(machine, node, scope)
    value = evaluate(machine, node.value, scope)
    for target in node.targets:
        bind(machine, target, value, scope)
    return False


_BEST = re.compile(r"best|max|top|high|peak", re.IGNORECASE)


def _maximum(machine: Machine, node: ast.Assign, scope: Scope) -> None:
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


def _annotated(machine: Machine, node: ast.AnnAssign, scope: Scope) -> bool:
    if node.value is not None:
        bind(machine, node.target, evaluate(machine, node.value, scope), scope)
    return False


def _augmented(machine: Machine, node: ast.AugAssign, scope: Scope) -> bool:
    before = evaluate(machine, as_load(node.target), scope)
    change = evaluate(machine, node.value, scope)
    if isinstance(node.op, ast.Add) and isinstance(before, Seq) and isinstance(change, Seq):
        before.grow(change.items, change.whole)
        return False
    _tampering(machine, node, before, change, scope)
    if isinstance(node.op, ast.Add):
        after = add(before, change, accumulate=True)
        if machine.passes:
            turn = machine.passes[-1]
            figure = isinstance(change, Quantity) and change.kind in ("hits", "loss", "accuracy")
            turn.counted = turn.counted or figure or (turn.hits and isinstance(change, Const | Unknown))
            turn.sums_loss = turn.sums_loss or (
                isinstance(after, Quantity) and after.kind == "loss" and after.reach == "total"
            )
    else:
        after = binary(machine, node.op, before, change, node, scope)
    bind(machine, node.target, after, scope, accumulated=True)
    return False


def _tampering(machine: Machine, node: ast.AugAssign, before: Value, change: Value, scope: Scope) -> None:
    """A number added to a measured figure outside the loop that measures it."""
    added = number(change)
    if machine.passes or not added or not isinstance(node.op, ast.Add | ast.Sub) or not isinstance(before, Quantity):
        return
    if before.kind in ("hits", "accuracy") and before.reach != "batch":
        machine.events.tampered.append(Tampered(before, "added", machine.place(node, scope), added))


def _if(machine: Machine, node: ast.If, scope: Scope) -> bool:
    figure = _figure_compared(machine, node.test, scope)
    tested = evaluate(machine, node.test, scope)
    if isinstance(tested, Quantity) and any(isinstance(part, ast.AugAssign) for part in node.body):
        counted(machine, tested, machine.place(node, scope))
    known = truth(tested)
    if figure is not None and saves_something(node.body):
        machine.events.choices.append(Choosing(figure, machine.place(node, scope)))
    elif figure is not None and machine.loops and not machine.passes and _breaks(node.body):
        machine.events.choices.append(Choosing(figure, machine.place(node, scope), ends=True))
    machine.conditions += bool(machine.frames)
    if known is None:
        ended = _either(machine, node, scope)
    else:
        ended = execute(machine, node.body if known else node.orelse, scope)
    machine.conditions -= bool(machine.frames)
    return ended


def _breaks(body: list[ast.stmt]) -> bool:
    """Whether statements leave the loop that they stand in."""
    return any(isinstance(statement, ast.Break) for statement in body) or any(
        _breaks(statement.body) for statement in body if isinstance(statement, ast.If | ast.With)
    )


def _either(machine: Machine, node: ast.If, scope: Scope) -> bool:
    """Both sides of a condition that is not known, each from the same names and modes; then what they share."""
    before, modes = dict(scope.names), dict(machine.modes)
    machine.doubt += 1
    ended_body = execute(machine, node.body, scope)
    after_body, scope.names = scope.names, before.copy()
    modes_body, machine.modes = machine.modes, modes
    ended_else = execute(machine, node.orelse, scope)
    machine.doubt -= 1
    if ended_else:
        scope.names, machine.modes = after_body, modes_body
    elif not ended_body:
        scope.names = _merged(after_body, scope.names)
        machine.modes = merged_modes([modes_body, machine.modes])
    return ended_body and ended_else


def _figure_compared(machine: Machine, test: ast.expr, scope: Scope) -> Quantity | None:
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


def _merged(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for name in one.keys() | other.keys():
        a, b = one.get(name), other.get(name)
        merged[name] = join([v for v in (a, b) if v is not None]) if a is not b else (a or Unknown(name))
    return merged


def _for(machine: Machine, node: ast.For | ast.AsyncFor, scope: Scope) -> bool:
    iterable = evaluate(machine, node.iter, scope)
    ended = False
    for turn in turns(machine, iterable, node.iter, scope):
        with _entered(machine, turn, node, scope):
            bind(machine, node.target, turn.value, scope)
            execute(machine, node.body, scope)
    if node.orelse:
        ended = execute(machine, node.orelse, scope)
    return ended and False


class _entered:
    """The pass or loop of one turn, on the machine's stack while its body is walked."""

    def __init__(self, machine: Machine, turn: Turn, node: ast.For | ast.AsyncFor | ast.While, scope: Scope) -> None:
        self.machine, self.turn = machine, turn
        self.place = machine.place(node, scope)
        self.text = turn.text

    def __enter__(self) -> None:
        machine = self.machine
        if self.turn.loader is not None:
            turn = Pass(self.turn.loader, self.place, self.text, tuple(machine.frames), tuple(machine.loops))
            machine.passes.append(turn)
            machine.events.passes.append(turn)
        else:
            machine.loops.append(Loop(self.place, self.turn.count, self.turn.listed))

    def __exit__(self, *_: object) -> None:
        if self.turn.loader is not None:
            self.machine.meaning.passed(self.machine, self.machine.passes.pop())
        else:
            self.machine.loops.pop()


def _while(machine: Machine, node: ast.While, scope: Scope) -> bool:
    evaluate(machine, node.test, scope)
    with _entered(machine, Turn(Unknown(), None, None), node, scope):
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
            before, modes = _merged(before, scope.names), merged_modes([modes, machine.modes])
    machine.doubt -= 1
    scope.names, machine.modes = before, modes
    if not ended:
        ended = execute(machine, node.orelse, scope)
    return execute(machine, node.finalbody, scope) or (ended and not node.handlers)


def _function(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> bool:
    decorators = {ast.unparse(d).rpartition(".")[2].split("(")[0] for d in node.decorator_list}
    no_grad = bool(decorators & {"no_grad", "inference_mode"})
    function = Function(node, scope, node.name, scope.cell, no_grad=no_grad)
    for name, kind in (("staticmethod", "static"), ("classmethod", "class"), ("property", "property")):
        if name in decorators:
            function.kind = kind  # type: ignore[assignment]
    scope.names[node.name] = function
    for decorator in node.decorator_list:
        for option in options(evaluate(machine, decorator, scope)):
            if isinstance(option, Function):
                machine.call_value(option, [function], {}, node, scope)  # for what else it does
    return False


def _class(machine: Machine, node: ast.ClassDef, scope: Scope) -> bool:
    bases = [evaluate(machine, base, scope) for base in node.bases]
    body = Scope(scope.file, scope.cell, scope)
    execute(machine, node.body, body)
    cls = Class(node.name, node, bases, body.names, scope.cell, scope.file)
    for member in body.names.values():
        if isinstance(member, Function):
            member.scope, member.home = scope, cls
    scope.names[node.name] = cls
    if any("dataclass" in ast.unparse(d) for d in node.decorator_list):
        cls.members["__dataclass__"] = Const(True)
    return False


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
    return False


def _end(machine: Machine, node: ast.stmt, scope: Scope) -> bool:
    return True


def _import(machine: Machine, node: ast.Import, scope: Scope) -> bool:
    do_import(machine, node, scope)
    return False


def _import_from(machine: Machine, node: ast.ImportFrom, scope: Scope) -> bool:
    do_import_from(machine, node, scope)
    return False


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
            merged = _merged(merged, scope.names)
            modes.append(machine.modes)
    machine.doubt -= 1
    scope.names, machine.modes = merged, merged_modes(modes)
    return False


def _captured(pattern: ast.pattern) -> list[str]:
    """The names that a pattern binds."""
    found = [getattr(part, "name", None) or getattr(part, "rest", None) for part in ast.walk(pattern)]
    return [name for name in found if isinstance(name, str)]


_HANDLERS: dict[type[ast.stmt], Callable[..., bool]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Return: _return,
    ast.Global: _global,
    ast.Nonlocal: _global,
    ast.Delete: _delete,
    ast.Raise: _end,
    ast.Break: _end,
    ast.Continue: _end,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
}
