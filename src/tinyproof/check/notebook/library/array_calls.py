"""Methods and functions of arrays, tables and data sets: which rows they leave."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.row_expressions import compare, product
from tinyproof.check.notebook.interpreter.rows import Cut, Path, Root, Rows, Step, rows_in
from tinyproof.check.notebook.interpreter.values import Const, Made, Scope, Unknown, Value, constant, number
from tinyproof.check.notebook.library.facts.numpy import NOTHING, SAME, SOME

_ORDERS = frozenset(("numpy.random.permutation", "torch.randperm", "jax.random.permutation"))
_PRODUCTS = frozenset(["dot", "matmul", "einsum", "tensordot", "inner"])


def method(
    machine: Machine, owner: Rows, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """A method of an array, a table or a data set."""
    if name in ("eq", "equal", "__eq__") and args:
        found = compare(machine, ast.Eq(), owner, args[0], machine.place(node, scope))
        return found if found is not None else Unknown()
    if name in _PRODUCTS and args:
        return product(owner, args[0], True)
    if name in ("take", "head"):
        return _first_of(owner, args, kwargs, keep=True)
    if name in ("skip", "tail"):
        return _first_of(owner, args, kwargs, keep=False)
    if name == "sample":
        return _sampled(machine, owner, kwargs, node, scope)
    if name == "drop":
        return _dropped(machine, owner, args, kwargs)
    if name == "select" and args:
        machine.keep.append(args[0])
        return owner.cut(Cut("filter", ("index", id(args[0]))))
    if name in SOME:
        return owner.cut(Cut("filter", (name, ast.unparse(node)[:80])))
    if name in NOTHING or name.startswith("reduce_"):
        return Unknown()
    if name in ("max", "min", "argmax", "argmin") and not (args or kwargs) and owner.side != "scores":
        return Unknown()
    if name in ("max", "min", "argmax", "argmin", "topk") or name in SAME or owner.side in ("scores", "y"):
        return replace(owner, names=[])
    return owner.after(Step("opaque", name))


def _first_of(owner: Rows, args: list[Value], kwargs: dict[str, Value], keep: bool) -> Rows:
    value = args[0] if args else next(iter(kwargs.values()), Const(5))
    known = constant(value)
    bound: object = known if isinstance(known, int) else ("value", id(value))
    return owner.cut(Cut("slice", ("slice",), low=None if keep else bound, high=bound if keep else None))


def _sampled(machine: Machine, owner: Rows, kwargs: dict[str, Value], node: ast.AST, scope: Scope) -> Rows:
    """A share of a table, drawn at random; all of it where the share is 1."""
    share = number(kwargs.get("frac"))
    if share == 1:
        return replace(owner, names=[])
    return owner.cut(Cut("filter", ("sample", machine.place(node, scope)), "yes"))


def _dropped(machine: Machine, owner: Rows, args: list[Value], kwargs: dict[str, Value]) -> Rows:
    """`table.drop(other.index)`: the rows that the other table has not; without columns it is the same rows."""
    other = rows_in(args[0]) if args else rows_in(kwargs.get("index"))
    if other is None:
        return replace(owner, names=[])
    if len(other.paths) == 1 and other.paths[0].cuts:
        last = other.paths[0].cuts[-1]
        if last.part == "yes":
            return owner.cut(replace(last, part="no"))
    machine.keep.append(other)
    return owner.cut(Cut("filter", ("drop", id(other))))


def picked(whole: Rows, places: Value | None) -> Rows:
    """The rows at certain places: those of a cut through all places, else some of them."""
    if isinstance(places, Rows) and len(places.paths) == 1:
        for cut in places.paths[0].cuts:
            whole = whole.cut(cut)
        return whole
    bounds = [number(arg) for arg in places.args] if isinstance(places, Made) and places.short == "range" else []
    if bounds and len(bounds) < 3 and all(bound is not None for bound in bounds):
        low, high = (None, bounds[0]) if len(bounds) == 1 else (bounds[0] or None, bounds[1])
        return whole.cut(Cut("slice", ("slice",), low=low if low is None else int(low), high=int(high or 0)))
    return whole.cut(Cut("filter", ("index", id(places))))


def order(path: str, args: list[Value], place: CodePlace) -> Value | None:
    """A random order: of rows, or of their places."""
    if path not in _ORDERS or not args:
        return None
    rows = next((found for found in map(rows_in, args) if found is not None), None)
    if rows is not None:
        return replace(rows, names=[])
    return Rows((Path(Root(("order", place), "all", "the places", "rows", place)),), "index")


def numpy_function(
    machine: Machine, path: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """A function of numpy (or JAX, TensorFlow, pandas) of rows; None where none of its arguments is."""
    rows = next((found for found in map(_direct, args) if found is not None), None)
    if rows is None:
        return None
    name = path.rpartition(".")[2]
    if name == "Subset":
        machine.keep.extend(args[1:])
        return picked(rows, args[1]) if isinstance(args[0], Rows) and len(args) > 1 else None
    if name in _PRODUCTS:
        others = [arg for arg in args if not isinstance(arg, Rows) and constant(arg) is None]
        return product(rows, others[0] if others else rows, args[0] is rows)
    if name in ("equal", "array_equal") and len(args) > 1:
        return compare(machine, ast.Eq(), args[0], args[1], machine.place(node, scope))
    return method(machine, rows, name, args[1:], kwargs, node, scope)


def _direct(value: Value) -> Rows | None:
    return value if isinstance(value, Rows) else None
