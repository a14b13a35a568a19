"""Random orders: permutations of rows or of their places, drawn or made in place, and which stream they come from."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter import made_arrays
from tinyproof.check.code.interpreter.column_masks import set_anew
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import MAX_CUTS, Cut, Drawn, Path, Root, Rows, rows_in
from tinyproof.check.code.interpreter.values import Const, Made, Scope, Value

_ORDERS = frozenset(("numpy.random.permutation", "torch.randperm", "jax.random.permutation", "random.sample"))
_IN_PLACE = frozenset(("numpy.random.shuffle", "random.shuffle"))
_GENERATORS = frozenset(("numpy.random.default_rng", "numpy.random.RandomState", "random.Random"))


def note_seed(machine: Machine, short: str) -> None:
    """A stream of random numbers begins anew: two orders that are drawn around it may be the same."""
    if "seed" in short or short in ("set_state", "setstate", "key", "PRNGKey", "get_state"):
        machine.seedings += 1


def of_function(
    machine: Machine, path: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """A random order that a function of a library draws, or puts rows in; None for any other function."""
    if path in _IN_PLACE and args:
        return _shuffled(machine, args[0], _drawn(machine, (path.partition(".")[0],), node, scope))
    if path not in _ORDERS or not args:
        return None
    told = path.startswith("jax") or "generator" in kwargs
    return _order(machine, args, None if told else _drawn(machine, (path,), node, scope), node, scope)


def of_generator(
    machine: Machine, owner: Made, name: str, args: list[Value], node: ast.AST, scope: Scope
) -> Value | None:
    """`rng.permutation(...)`, `rng.shuffle(...)`; None for anything else."""
    if owner.path not in _GENERATORS or name not in ("permutation", "shuffle") or not args:
        return None
    machine.keep.append(owner)
    drawn = _drawn(machine, ("generator", id(owner)), node, scope)
    return _shuffled(machine, args[0], drawn) if name == "shuffle" else _order(machine, args, drawn, node, scope)


def _drawn(machine: Machine, stream: tuple[object, ...], node: ast.AST, scope: Scope) -> Drawn:
    calls = tuple(frame.place for frame in machine.frames)
    return Drawn(machine.place(node, scope), calls, (*stream, machine.seedings))


def _order(machine: Machine, args: list[Value], drawn: Drawn | None, node: ast.AST, scope: Scope) -> Rows:
    orders = () if drawn is None else (drawn,)
    rows = next((found for found in map(rows_in, args) if found is not None), None)
    if rows is not None and len(args) > 1 and _a_sample(rows, args[1]):
        return rows.cut(Cut("filter", ("sample", machine.place(node, scope)), "yes"))
    if rows is not None:
        return replace(rows, names=[], orders=(*rows.orders, *orders)[-MAX_CUTS:])
    place = machine.place(node, scope)
    return Rows((Path(Root(("order", place), "all", "the places", "rows", place)),), "index", orders=orders)


def _a_sample(rows: Rows, size: Value) -> bool:
    """Whether a number of rows is drawn that is not that of all of them."""
    return not isinstance(size, Quantity) or size.loader is not rows


def _shuffled(machine: Machine, value: Value, drawn: Drawn) -> Value | None:
    """Rows are put in another order where they lie."""
    rows = rows_in(value) or made_arrays.places(value)
    if rows is None and isinstance(value, Made):
        made_arrays.reorder(value)
    if rows is None:
        return None
    rows.orders = (*rows.orders, drawn)[-MAX_CUTS:]
    set_anew(machine, rows, None)
    return Const(None)
