"""JAX and its kin: functions that are compiled, mapped and differentiated, networks that are handed their weights."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter.attributes import find_member, library_bases
from tinyproof.check.code.interpreter.events import LossCall
from tinyproof.check.code.interpreter.flows import Flow, Op
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.pairs import note_pair
from tinyproof.check.code.interpreter.row_answers import guesses
from tinyproof.check.code.interpreter.rows import Rows, rows_in
from tinyproof.check.code.interpreter.turns import Mode
from tinyproof.check.code.interpreter.values import (
    Const,
    Function,
    Made,
    Method,
    Name,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    constant,
)
from tinyproof.check.code.library.passes import learn, note_backward
from tinyproof.check.code.library.tensors import apply_unknown
from tinyproof.check.finding import CodePlace

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
    if isinstance(function, Name) and function.path.startswith("optax.softmax_cross_entropy"):
        _note_loss(machine, node, scope)
        _note_function(machine, node, scope)
        return None
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
    before = len(machine.events.asked)
    value = machine.call_value(function.args[0], args, kwargs, node, scope)
    note_backward(machine, value.items[0] if isinstance(value, Seq) and value.items else value, place)
    given = [arg for arg in args if isinstance(arg, Rows) and arg.side in ("x", "both")]
    labels = [arg for arg in args if isinstance(arg, Rows) and arg.side == "y"]
    note_pair(machine, given[0] if given else None, labels[0] if labels else None, place)
    for rows in [*given[:1], *machine.events.asked[before:]]:
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
        machine.keep.append(weights)
        machine.events.answered[id(weights)] = (_told_mode(kwargs), machine.place(node, scope))
        machine.events.asked.append(rows)
        return guesses(machine, weights, rows)
    return apply_unknown(machine, weights, args, kwargs, node, scope)


def _is_functional(value: Value) -> bool:
    """Whether it is a network whose weights are given with each call."""
    if isinstance(value, Object):
        return any(path.startswith(_HOMES) for path in library_bases(value.cls))
    return isinstance(value, Made) and value.path.startswith(_HOMES)


def _told_mode(kwargs: dict[str, Value]) -> Mode:
    """Whether the network is told to work as in training: `training=True`, `deterministic=False`."""
    said = {constant(kwargs[name]) for name in ("train", "training", "is_training") if name in kwargs}
    said |= {not constant(kwargs[name]) for name in ("deterministic",) if isinstance(kwargs.get(name), Const)}
    return "train" if said == {True} else "eval" if said == {False} else "unknown"


def _note_loss(machine: Machine, node: ast.AST, scope: Scope) -> None:
    """A loss that takes a softmax itself; where all networks here end in one, that is one too many."""
    found = [made for made in machine.events.networks if isinstance(made, Object) and _is_functional(made)]
    ends = [_softmax_at_the_end(network) for network in found]
    if ends and all(end is not None for end in ends):
        place = CodePlace(found[-1].cls.file, found[-1].cls.cell, ends[-1])
        scores = Flow((Op("softmax", place),), machine.events.weights)
        machine.events.losses.append(LossCall("cross_entropy", scores, machine.place(node, scope), None))


def _note_function(machine: Machine, node: ast.AST, scope: Scope) -> None:
    """`loss(net(params, x), y)` of a function that ends in a softmax."""
    answer = node.args[0] if isinstance(node, ast.Call) and node.args else None
    known = machine.evaluate(answer.func, scope) if isinstance(answer, ast.Call) else None
    end = _end_of(known) if isinstance(known, Function) else None
    if isinstance(known, Function) and end is not None:
        flow = Flow((Op("softmax", CodePlace(known.scope.file, known.cell, end)),), machine.events.weights)
        machine.events.losses.append(LossCall("cross_entropy", flow, machine.place(node, scope), None))


def _softmax_at_the_end(network: Object) -> int | None:
    """The line of the softmax that the network gives back; None where it gives back something else."""
    return _end_of(find_member(network.cls, "__call__"))


def _end_of(call: Value | None) -> int | None:
    body = call.node.body if isinstance(call, Function) and isinstance(call.node, ast.FunctionDef) else []
    last = body[-1] if body else None
    value = last.value if isinstance(last, ast.Return) else None
    ends = (
        isinstance(value, ast.Call)
        and ast.unparse(value.func).endswith("softmax")
        and "log" not in ast.unparse(value.func)
    )
    return value.lineno if ends and value is not None else None
