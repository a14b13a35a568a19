"""JAX and its kin: functions that are compiled, mapped and differentiated, networks that are handed their weights."""

from __future__ import annotations

import ast

from tinyproof.check.notebook.interpreter.attributes import library_bases
from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.row_expressions import guesses
from tinyproof.check.notebook.interpreter.rows import Rows, rows_in
from tinyproof.check.notebook.interpreter.values import Made, Method, Name, Object, Scope, Seq, Unknown, Value
from tinyproof.check.notebook.library.passes import learn, note_backward
from tinyproof.check.notebook.library.tensors import apply_unknown

# What gives back a function that does the same: compiled, mapped over rows, with less memory.
_SAME = frozenset(("jit", "vmap", "pmap", "checkpoint", "remat", "filter_jit", "filter_vmap", "named_call"))
_GRADIENTS = frozenset(("grad", "value_and_grad", "filter_grad", "filter_value_and_grad"))
_HOMES = ("jax.", "flax.", "equinox.", "haiku.")


def call(
    machine: Machine, function: Value, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """The value of a call that JAX gives a meaning of its own; None for any other."""
    if isinstance(function, Name) and function.path.startswith(_HOMES):
        short = function.path.rpartition(".")[2]
        return args[0] if short in _SAME and args else None
    if isinstance(function, Made) and function.path.startswith(_HOMES) and function.short in _GRADIENTS:
        return _differentiated(machine, function, args, kwargs, node, scope) if function.args else None
    if isinstance(function, Method) and len(args) + len(kwargs) > 1:
        if function.name == "apply_fn" or (function.name == "apply" and _is_functional(function.owner)):
            return _applied(machine, args[1:], kwargs, node, scope)
    return None


def _differentiated(
    machine: Machine, function: Made, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """The gradient of a function: the function is gone through, and what it measured is learned from."""
    place = machine.place(node, scope)
    value = machine.call_value(function.args[0], args, kwargs, node, scope)
    note_backward(machine, value.items[0] if isinstance(value, Seq) and value.items else value, place)
    rows = next((arg for arg in args if isinstance(arg, Rows) and arg.side in ("x", "both")), None)
    if rows is not None:
        learn(machine, machine.events.weights, rows, place)
    for turn in machine.passes:
        turn.backward, turn.zeroed = turn.backward or place, True
    if function.short.endswith("value_and_grad"):
        return Seq([value, Unknown("gradients")])
    return Seq([Unknown("gradients"), value]) if isinstance(value, Seq) else Unknown("gradients")


def _applied(
    machine: Machine, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """`network.apply(weights, rows)`: what the network says of rows."""
    weights = machine.events.weights
    rows = rows_in(args[0] if args else next(iter(kwargs.values()), None))
    if rows is not None:
        return guesses(machine, weights, rows)
    return apply_unknown(machine, weights, args, kwargs, node, scope)


def _is_functional(value: Value) -> bool:
    """Whether it is a network whose weights are given with each call."""
    if isinstance(value, Object):
        return any(path.startswith(_HOMES) for path in library_bases(value.cls))
    return isinstance(value, Made) and value.path.startswith(_HOMES)
