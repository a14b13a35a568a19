"""Edits of a formula that a search tries: another function, a range that is shifted or short, factors."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence

from tinyproof.backprop.expr import Call, Expr, Num, Var, names, substitute, walk
from tinyproof.check.workbook.rules.repair import Repair


def factors(words: Sequence[str], computed: Container[str]) -> list[Expr]:
    """What may be missing in a product: cells, and slopes and gates of those that are computed."""
    found: list[Expr] = [Var(word) for word in words]
    for word in (word for word in words[:40] if word in computed):
        a = Var(word)
        found += [1 - a, a * (1 - a), 1 - a * a, Call("gt", (a, Num(0.0)))]
    return found


def other_functions(expr: Expr) -> Iterator[Repair]:
    """MEDIAN for a sum, an average for a sum, a function too many."""
    for node in dict.fromkeys(walk(expr)):
        if not isinstance(node, Call):
            continue
        options: list[Expr] = []
        if node.function in ("median", "max", "min") and len(node.args) > 2:
            whole = Call("add", node.args)
            options = [whole, whole / Num(float(len(node.args)))]
        elif node.function == "add" and len(node.args) > 2:
            options = [node / Num(float(len(node.args)))]
        elif (node.function == "div" and isinstance(node.args[1], Num) and node.args[1].value > 1) or node.function in (
            "tanh",
            "sigmoid",
            "exp",
            "sqrt",
            "abs",
        ):
            options = [node.args[0]]
        for new in options:
            yield Repair("function", node, new, put(expr, node, new))
        if node.function == "tanh":
            yield Repair("function", node, node.args[0], _all(expr, node, node.args[0]))


def put(expr: Expr, old: Expr, new: Expr) -> Expr:
    if expr == old:
        return new
    if isinstance(expr, Call):
        return Call(expr.function, tuple(put(arg, old, new) for arg in expr.args))
    return expr


def _all(expr: Expr, old: Expr, new: Expr) -> Expr:
    """Every call of the same function replaced by what it is called with."""
    if isinstance(expr, Call):
        args = tuple(_all(arg, old, new) for arg in expr.args)
        return args[0] if isinstance(old, Call) and expr.function == old.function else Call(expr.function, args)
    return expr


def shifted(
    expr: Expr, words: dict[str, tuple[int, int]], beside: Callable[[str, int, int], str | None]
) -> Iterator[Repair]:
    """A range that is one cell too short or too long, or stands one cell off.

    `beside`: the word for the cell that stands so many rows below and columns beside what a name reads.
    """
    for node in dict.fromkeys(walk(expr)):
        if isinstance(node, Call) and node.function in ("add", "median") and len(node.args) > 2:
            for word in words:
                more = Call(node.function, (*node.args, Var(word)))
                yield Repair("lost term", node, Var(word), put(expr, node, more))
    for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        swap: dict[str, Expr] = {}
        for name in names(expr):
            moved = beside(name, down, across)
            if moved is not None:
                swap[name] = Var(moved)
        if len(swap) > 1:
            yield Repair("shifted", expr, expr, substitute(expr, swap))
            for kept in list(swap):
                rest = {name: new for name, new in swap.items() if name != kept}
                if len(rest) < 2:
                    continue
                yield Repair("shifted", expr, expr, substitute(expr, rest))


def continued(expr: Expr, beside: Callable[[str, int, int], str | None]) -> Iterator[Repair]:
    """A sum of like terms that leaves out the one after its last or before its first, as a sum over examples may."""
    for node in dict.fromkeys(walk(expr)):
        if not (isinstance(node, Call) and node.function == "add" and len(node.args) > 2):
            continue
        for last, before in ((node.args[-1], node.args[-2]), (node.args[0], node.args[1])):
            moving = [name for name in names(last) if name not in names(before)]
            if not moving or _shape(last) != _shape(before):
                continue
            for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                swap = {name: beside(name, down, across) for name in moving}
                if all(swap.values()):
                    term = substitute(last, {name: Var(word) for name, word in swap.items() if word})
                    yield Repair("lost term", node, term, put(expr, node, Call("add", (*node.args, term))))


def _shape(expr: Expr) -> Expr:
    """A term with all names alike."""
    return substitute(expr, dict.fromkeys(names(expr), Var("x")))
