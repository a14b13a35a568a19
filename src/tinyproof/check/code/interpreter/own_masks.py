"""Masks and lists of places that a notebook makes of its own: an array of False with some set to True, `range(140)`."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Cut, Path, Root, Rows
from tinyproof.check.code.interpreter.values import Const, Made, Scope, Unknown, Value, constant, number
from tinyproof.check.finding import CodePlace

_MASK = "(mask)"  # what was set to True in an array that was made of zeros
_EMPTY = frozenset(("numpy.zeros", "torch.zeros", "numpy.zeros_like", "torch.zeros_like"))
_TYPED = frozenset(("LongTensor", "tensor", "array", "asarray", "as_tensor", "list", "bool_", "BoolTensor"))


def is_mask(owner: Made, value: Value) -> bool:
    """Whether setting an element to this value makes a mask of an array of zeros."""
    known = constant(value)
    return owner.path in _EMPTY and (_MASK in owner.attrs or known is True or (known == 1 and not owner.attrs))


def let_through(machine: Machine, owner: Made, node: ast.expr, value: Value, scope: Scope) -> None:
    """`mask[:140] = True`, `mask[places] = True`: once, what it lets through is known; after more it is not."""
    cuts = _cuts(machine, node, scope) if _MASK not in owner.attrs and not machine.doubt and not machine.loops else ()
    true = constant(value) is True or constant(value) == 1
    root = Root(("mask", id(owner)), "all", "a mask", "rows", owner.place)
    machine.keep.append(owner)
    owner.attrs[_MASK] = Rows((Path(root, cuts),), "mask", names=list(owner.names)) if cuts and true else Unknown()


def changed(mask: Rows, place: CodePlace) -> tuple[Path, ...]:
    """The way to what a mask picks after some of its elements were set: nothing is known of it."""
    root = Root(("mask", id(mask), place), "all", "a mask", "rows", place)
    return (Path(root, (Cut("filter", ("changed", id(mask), place)),)),)


def _cuts(machine: Machine, node: ast.expr, scope: Scope) -> tuple[Cut, ...]:
    if isinstance(node, ast.Slice):
        bounds = [None if end is None else number(machine.evaluate(end, scope)) for end in (node.lower, node.upper)]
        given = [end for end in (node.lower, node.upper) if end is not None]
        if node.step is not None or not given:
            return ()
        low, high = (
            None if end is None else int(bound) if bound is not None else ("text", ast.unparse(end))
            for end, bound in zip((node.lower, node.upper), bounds, strict=True)
        )
        return (Cut("slice", ("slice",), low=None if low == 0 else low, high=high),)
    index = as_places(machine.evaluate(node, scope), machine.place(node, scope))
    if isinstance(index, Rows) and index.side in ("index", "mask") and len(index.paths) == 1:
        return index.paths[0].cuts
    return ()


def as_places(value: Value, place: CodePlace) -> Value:
    """The rows that a value picks where it stands between brackets; the value itself where that is not known."""
    if not isinstance(value, Made):
        return value
    if _MASK in value.attrs:
        return value.attrs[_MASK]
    inner = value.args[0] if value.short in _TYPED and len(value.args) == 1 else value
    if isinstance(inner, Made) and _MASK in inner.attrs:
        return inner.attrs[_MASK]
    if isinstance(inner, Made) and inner.path == "builtins.range" and 0 < len(inner.args) <= 2:
        bounds = [number(arg) for arg in ([Const(0), *inner.args] if len(inner.args) == 1 else inner.args)]
        if None not in bounds:
            low, high = (int(bound or 0) for bound in bounds)
            root = Root(("range", low, high), "all", "places", "rows", place)
            return Rows((Path(root, (Cut("slice", ("slice",), low=low or None, high=high),)),), "index")
    return value
