"""Expressions: the value of each, as far as it can be known without running it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable

from tinyproof.check.code.interpreter import columns, made_arrays, picking, row_expressions
from tinyproof.check.code.interpreter.attributes import OF_DATA_PATHS, attribute
from tinyproof.check.code.interpreter.calls import call
from tinyproof.check.code.interpreter.comprehensions import comprehension
from tinyproof.check.code.interpreter.flows import Batch, Flow, Op, Quantity
from tinyproof.check.code.interpreter.imports import normal
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.maps import one_map
from tinyproof.check.code.interpreter.operators import binary_node, boolean, compare, conditional, unary
from tinyproof.check.code.interpreter.own_losses import own_loss, scores
from tinyproof.check.code.interpreter.own_masks import as_places
from tinyproof.check.code.interpreter.rows import Rows, rows_in
from tinyproof.check.code.interpreter.star_names import module_of
from tinyproof.check.code.interpreter.values import (
    MAX_ITEMS,
    Const,
    Function,
    Made,
    Map,
    Method,
    Name,
    Namespace,
    Scope,
    Seq,
    Unknown,
    Value,
    call_it,
    constant,
    join,
    options,
)
from tinyproof.check.finding import CodePlace

# What `from fastai... import *` brings of other libraries.
_BROUGHT_ALONG = {"pd": "pandas", "np": "numpy", "plt": "matplotlib.pyplot", "torch": "torch", "nn": "torch.nn"}
_BROUGHT_ALONG |= {"F": "torch.nn.functional", "optim": "torch.optim", "Path": "pathlib.Path", "os": "os"}
_BUILTINS = frozenset(dir(builtins))


def evaluate(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    """The value of an expression; Unknown where it cannot be known."""
    machine.tick()
    handler = _HANDLERS.get(type(node))
    value = handler(machine, node, scope) if handler is not None else Unknown()
    if isinstance(value, Seq | Map) and not isinstance(node, ast.Name | ast.Attribute):
        machine.copied(len(value.items))
    return value


def _name(machine: Machine, node: ast.Name, scope: Scope) -> Value:
    value = lookup(node.id, scope)
    if isinstance(value, Quantity) and id(value) in machine.replaced:
        event = machine.replaced[id(value)]
        if event.turn not in machine.passes:
            del machine.replaced[id(value)]
            machine.events.overwritten.append(event)
    return value


def lookup(name: str, scope: Scope) -> Value:
    """What a name stands for here: local, enclosing, module, star import of a library, built in."""
    here: Scope | None = scope.module if name in scope.globals else scope
    stars: list[str] = []
    while here is not None:
        if name in here.names:
            return here.names[name]
        stars = here.stars or stars
        here = here.parent
    if name == "__name__":
        return Const("__main__") if scope.module.cell is not None or scope.module.main else Const(scope.file)
    if name in _BUILTINS or name == "get_ipython":
        return Name(f"builtins.{name}")
    known = sorted((star for star in stars if star != "?"), key=lambda star: star.startswith("fastai."))
    # What else is imported whole, and is not here, seldom brings names of fastai anew.
    if known and ("?" not in stars or known[-1].startswith("fastai.")):
        usual = _BROUGHT_ALONG.get(name) if known[-1].startswith("fastai.") else None
        home = known[-1] if known[-1].startswith("fastai.") else module_of(name, known)
        return Name(usual or normal(f"{home}.{name}"))
    return Unknown(name)


def _constant(machine: Machine, node: ast.Constant, scope: Scope) -> Value:
    return Unknown() if node.value is ... else Const(node.value)


def _attribute(machine: Machine, node: ast.Attribute, scope: Scope) -> Value:
    owner = evaluate(machine, node.value, scope)
    found = [attribute(machine, option, node.attr, node, scope) for option in options(owner)]
    return join([columns.by_attribute(_field(value)) for value in found])


def _field(value: Value) -> Value:
    """What is no call of a method of a batch is a part of it by the name of a field: `batch.Label`."""
    of_batch = isinstance(value, Method) and isinstance(value.owner, Batch)
    return Batch(value.owner.loader, "part") if of_batch else value  # type: ignore[attr-defined]


def _sequence(machine: Machine, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    items: list[Value] = []
    whole = True
    for element_node in node.elts[:2_000]:
        if isinstance(element_node, ast.Starred):
            inner = evaluate(machine, element_node.value, scope)
            if isinstance(inner, Seq) and inner.whole:
                items.extend(inner.items[: MAX_ITEMS + 1 - len(items)])
            else:
                items.extend(inner.items[: MAX_ITEMS + 1 - len(items)] if isinstance(inner, Seq) else [])
                whole = False
        else:
            items.append(evaluate(machine, element_node, scope))
    made = Seq(items, whole and len(node.elts) <= 2_000)
    if machine.passes and not items:
        machine.keep.append(made)
        machine.emptied[id(made)] = machine.passes[-1]
    return made


def _dict(machine: Machine, node: ast.Dict, scope: Scope) -> Value:
    made = Map({})
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(machine, value_node, scope)
        if key_node is None:
            given = one_map(value)
            machine.copied(len(given.items) * len(options(value)) ** 2)  # what it costs to join them
            made.items.update(given.items)
            made.whole = made.whole and given.whole
            continue
        named = evaluate(machine, key_node, scope)
        key = constant(named)
        if isinstance(key, str | int):
            made.items[key] = value
            if isinstance(key, str):
                call_it(value, key)
        else:
            made.whole = False
            made.others.append(Seq([named, value]))
    return made


def _subscript(machine: Machine, node: ast.Subscript, scope: Scope) -> Value:
    owner = machine.meaning.array(machine, evaluate(machine, node.value, scope))
    if isinstance(owner, Name) and owner.path == "sys.modules":
        key = constant(evaluate(machine, node.slice, scope))
        return Namespace(scope.module) if key == "__main__" else Unknown()
    if isinstance(owner, Name) and owner.path in ("numpy.c_", "numpy.r_"):
        return machine.call_value(owner, [evaluate(machine, node.slice, scope)], {}, node, scope)
    if isinstance(owner, Rows):
        return row_expressions.subscript(machine, owner, node.slice, scope)
    collected = rows_in(owner) if isinstance(owner, Seq) and not owner.whole else None
    if collected is not None and not isinstance(constant(_key(machine, node.slice, scope)), int):
        return row_expressions.subscript(machine, collected, node.slice, scope)  # of a list with an element for each
    is_slice = isinstance(node.slice, ast.Slice)
    first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    cut = isinstance(first, ast.Slice) or isinstance(_key(machine, node.slice, scope), Rows)
    made = made_arrays.as_rows(owner, machine.place(node, scope)) if cut and isinstance(owner, Made) else None
    if made is not None:
        machine.keep.append(owner)
        return row_expressions.subscript(machine, made, node.slice, scope)
    index = Const(None) if is_slice else evaluate(machine, node.slice, scope)
    if isinstance(index, Made):
        index = as_places(index, machine.place(node, scope))
    machine.keep.append(index)
    return join([_element(machine, option, index, is_slice) for option in options(owner)])


def _key(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    return Unknown() if isinstance(node, ast.Slice | ast.Tuple) else evaluate(machine, node, scope)


def _element(machine: Machine, owner: Value, index: Value, is_slice: bool) -> Value:
    key = constant(index)
    if isinstance(owner, Seq):
        if isinstance(key, int) and -len(owner.items) <= key < len(owner.items) and (owner.whole or key in (-1, 0)):
            return owner.items[key]
        if is_slice:
            return Seq(list(owner.items), False)
        return join(list(owner.items)) if owner.items and key is None else Unknown()
    if isinstance(owner, Map):
        if isinstance(key, str | int) and key in owner.items:
            return owner.items[key]
        return join(list(owner.items.values())) if key is None and owner.whole and owner.items else Unknown()
    if isinstance(owner, Batch):
        return Batch(owner.loader, "part")
    if isinstance(owner, Namespace):
        return owner.scope.names.get(key, Unknown(key)) if isinstance(key, str) else Unknown()
    if isinstance(owner, Made):
        if owner.path in OF_DATA_PATHS:
            return owner  # some of them
        if owner.path == ".shape" and isinstance(owner.args[0], Rows) and key == int(owner.args[0].across):
            return Quantity("images", "unknown", "total", owner.args[0])
        if owner.path == ".shape":
            return Quantity("images", "unknown", "batch") if key == 0 else Unknown()
        if owner.path == "torch.nn.Sequential" and isinstance(key, int) and -len(owner.args) <= key < len(owner.args):
            return owner.args[key]
        if owner.path == "torch.utils.data.random_split" and isinstance(key, int) and 0 <= key < _MOST_PARTS:
            return Made(owner.path, [*owner.args, Const(key)], owner.kwargs, owner.place)
        if "load_dataset" in owner.path and isinstance(key, str):
            return Made(owner.path, owner.args, {**owner.kwargs, "split": Const(key)}, owner.place)
        return Unknown()
    if isinstance(owner, Flow):
        loss = own_loss(machine, owner, _NOWHERE) if key == 0 or is_slice else None
        if loss is not None:
            return Seq([loss, scores(owner)]) if is_slice else loss
        owner = scores(owner)
        return Flow((*owner.ops, Op("getitem", _NOWHERE)), owner.model, _source(owner, index), straight=False)
    return owner if isinstance(owner, Quantity) else Unknown()


def _source(flow: Flow, index: Value) -> Value | None:
    """The rows that answers are for, of which a mask or a list of places picks some: `answers[train_mask]`."""
    whole = flow.source
    if not isinstance(whole, Batch) or not isinstance(whole.loader, Rows) or not isinstance(index, Rows | Unknown):
        return whole
    return Batch(picking.picked(whole.loader, index), whole.part)


_MOST_PARTS = 8
_NOWHERE = CodePlace("")


def _formatted(machine: Machine, node: ast.JoinedStr, scope: Scope) -> Value:
    parts = [
        evaluate(machine, part.value if isinstance(part, ast.FormattedValue) else part, scope) for part in node.values
    ]
    plain = all(not isinstance(part, ast.FormattedValue) or part.format_spec is None for part in node.values)
    if plain and all(isinstance(part, Const) for part in parts):
        return Const("".join(str(constant(part)) for part in parts)[:2_000])
    named = [part for part in parts if isinstance(part, Rows) and part.paths[0].root.form == "folder"]
    if named:
        return named[-1]  # the path of a file that stands for all those of a folder
    if any("/" in str(constant(part)) for part in parts if isinstance(part, Const)):
        return Made("(path)", parts, {}, machine.place(node, scope))
    return Unknown()


def _lambda(machine: Machine, node: ast.Lambda, scope: Scope) -> Value:
    return Function(node, scope, "lambda", scope.cell)


def _walrus(machine: Machine, node: ast.NamedExpr, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    machine.bind(node.target, value, scope)
    return value


def _inner(machine: Machine, node: ast.Await | ast.Starred, scope: Scope) -> Value:
    return evaluate(machine, node.value, scope)


def _yield(machine: Machine, node: ast.Yield, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope) if node.value is not None else Const(None)
    if machine.returns:
        machine.returns[-1].append(Seq([value], whole=False))
    return Unknown()


_HANDLERS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.Call: call,
    ast.BinOp: binary_node,
    ast.UnaryOp: unary,
    ast.BoolOp: boolean,
    ast.Compare: compare,
    ast.IfExp: conditional,
    ast.Subscript: _subscript,
    ast.JoinedStr: _formatted,
    ast.Lambda: _lambda,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.GeneratorExp: comprehension,
    ast.DictComp: comprehension,
    ast.NamedExpr: _walrus,
    ast.Await: _inner,
    ast.Starred: _inner,
    ast.Yield: _yield,
}
