"""A call that leaves the notebook's own code: of a network, a library, a thing that a library made, or the unknown."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter.attributes import is_network
from tinyproof.check.code.interpreter.changed_in_place import note_given_away, note_written
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Parts
from tinyproof.check.code.interpreter.values import Made, Method, Name, Object, Scope, Value
from tinyproof.check.code.library import graph_rows, jax, lightning
from tinyproof.check.code.library.functions import call_library
from tinyproof.check.code.library.methods import call_method
from tinyproof.check.code.library.tensors import apply_made, apply_network, apply_unknown


def call_foreign(
    machine: Machine,
    function: Value,
    args: list[Value],
    kwargs: dict[str, Value],
    node: ast.AST,
    scope: Scope,
    is_open: bool,
) -> Value:
    """The value of the call. `is_open`: there may be further keyword arguments, which are not known."""
    known = jax.call(machine, function, args, kwargs, node, scope)
    if known is not None:
        return known
    note_given_away(machine, function, [*args, *kwargs.values()], node, scope)
    if isinstance(function, Object) and is_network(function.cls):
        return apply_network(machine, function, args, kwargs, node, scope)
    if isinstance(function, Parts):
        return graph_rows.called(function, args)
    if isinstance(function, Name):
        of_graphs = function.path.startswith("torch_geometric.")
        note_written(machine, function.path, args, node, scope)
        nodes = graph_rows.loader(function.path, args, kwargs, machine.place(node, scope)) if of_graphs else None
        return nodes or call_library(machine, function.path, args, kwargs, node, scope, is_open)
    if isinstance(function, Made):
        return apply_made(machine, function, args, kwargs, node, scope)
    if isinstance(function, Method):
        handled = lightning.call(machine, function, args, kwargs, node, scope)
        return handled if handled is not None else call_method(machine, function, args, kwargs, node, scope)
    return apply_unknown(machine, function, args, kwargs, node, scope)
