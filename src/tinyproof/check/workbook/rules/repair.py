"""Small repairs: another variable, a sign, a lost or added factor, brackets, a swapped pair, a number.

A wrong formula that one such repair makes right is a mistake that can be named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinyproof.backprop.expr import Call, Expr, Num, Var, names, substitute, walk
from tinyproof.check.workbook.understand.meaning import same, value
from tinyproof.core.arrays import np

MAX_TRIALS = 6_000
MOST_UNMENDED = 40  # formulas of one workbook that no small repair made right: the rest is not searched either
MAX_WORK = 500_000  # trials times the size of the formula: a long formula gets fewer


@dataclass(frozen=True)
class Repair:
    """One repair: its kind, the part as written, the part put right, and the whole formula put right."""

    kind: str  # variable, exchanged, sign, operator, lost factor, extra factor, lost term, extra term, brackets, number
    old: Expr
    new: Expr
    whole: Expr


def find_repair(
    expr: Expr, right: np.ndarray, values: Mapping[str, np.ndarray], vocabulary: Sequence[str], factors: Sequence[Expr]
) -> Repair | None:
    """The first small repair after which `expr` has the values `right`; None where there is none.

    `vocabulary`: names that may stand in for another; `factors`: what may have been lost.
    """
    if not np.any(np.abs(right) > 1e-12):
        return None  # a gradient that is 0 has no repair: everything times 0 would do
    tried: set[Expr] = {expr}
    most = min(MAX_TRIALS, MAX_WORK // sum(1 for _ in walk(expr)))
    for count, repair in enumerate(repairs(expr, vocabulary, factors)):
        if count > most:
            return None
        if repair.whole in tried:
            continue
        tried.add(repair.whole)
        if all(name in values for name in names(repair.whole)) and same(value(repair.whole, values), right):
            return repair
    return None


def repairs(expr: Expr, vocabulary: Sequence[str], factors: Sequence[Expr]) -> Iterator[Repair]:
    """Repairs, the likeliest first."""
    used = names(expr)
    for old in used:
        for new in vocabulary:
            if new != old:
                whole = substitute(expr, {old: Var(new)})
                yield Repair("variable", Var(old), Var(new), whole)
    yield from _everywhere(expr, _another_variable, vocabulary)
    yield from _everywhere(expr, _structure, ())
    for first, second in ((a, b) for i, a in enumerate(used) for b in used[i + 1 :]):
        whole = substitute(expr, {first: Var(second), second: Var(first)})
        yield Repair("exchanged", Var(first), Var(second), whole)
    yield from _lost(expr, factors)
    yield from _parts(expr, vocabulary)


Edit = tuple[str, Expr, Expr, Expr]  # kind, old, new, the node put right


def _everywhere(expr: Expr, edit: object, vocabulary: Sequence[str]) -> Iterator[Repair]:
    """The edit at every node, one at a time."""
    for kind, old, new, whole in _walk_edits(expr, edit, vocabulary):
        yield Repair(kind, old, new, whole)


def _walk_edits(node: Expr, edit: object, vocabulary: Sequence[str]) -> Iterator[Edit]:
    yield from edit(node, vocabulary)  # type: ignore[operator]
    if isinstance(node, Call):
        for position, arg in enumerate(node.args):
            for kind, old, new, changed in _walk_edits(arg, edit, vocabulary):
                args = (*node.args[:position], changed, *node.args[position + 1 :])
                yield kind, old, new, Call(node.function, args)


def _another_variable(node: Expr, vocabulary: Sequence[str]) -> Iterator[Edit]:
    if isinstance(node, Var):
        for name in vocabulary:
            if name != node.name:
                yield "variable", node, Var(name), Var(name)
    if isinstance(node, Num):
        for number in (0.5, 1.0, 2.0, -1.0):
            if number != node.value:
                yield "number", node, Num(number), Num(number)
        for name in vocabulary:
            yield "variable", node, Var(name), Var(name)


def _structure(node: Expr, _vocabulary: Sequence[str]) -> Iterator[Edit]:
    if not isinstance(node, Call):
        return
    f, args = node.function, node.args
    if f == "neg":
        yield "sign", node, args[0], args[0]
    if f in ("add", "mul"):
        yield from _chain_edits(node)
    elif f == "sub":
        a, b = args
        yield "sign", node, a + b, a + b
        yield "exchanged sides", node, b - a, b - a
        yield "operator", node, a * b, a * b
        yield "extra term", b, a, a
        yield "extra term", a, b, b
    elif f in ("div", "pow"):
        yield "operator", node, args[0] * args[1], args[0] * args[1]
        yield "extra factor", args[1], args[0], args[0]
    if f in ("add", "sub"):
        yield from _brackets(node)
    if f not in ("add", "sub", "neg"):
        yield "sign", node, -node, -node
        yield "square", node, node ** Num(2.0), node ** Num(2.0)
    if f == "exp":
        yield "sign", args[0], -args[0], Call("exp", (-args[0],))


def _chain_edits(node: Call) -> Iterator[Edit]:
    f, args = node.function, node.args
    for i in range(len(args)):
        rest = args[:i] + args[i + 1 :]
        left = rest[0] if len(rest) == 1 else Call(f, rest)
        yield ("extra factor" if f == "mul" else "extra term"), args[i], left, left
        if f == "add":
            changed = Call(f, (*args[:i], -args[i], *args[i + 1 :]))
            yield "sign", args[i], -args[i], changed
    for i in range(len(args) - 1):
        pair = args[i : i + 2]
        old = Call(f, pair)
        for new in (pair[0] - pair[1], pair[0] * pair[1] if f == "add" else pair[0] + pair[1]):
            whole = new if len(args) == 2 else Call(f, (*args[:i], new, *args[i + 2 :]))
            yield "operator", old, new, whole


def _brackets(node: Call) -> Iterator[Edit]:
    """`p*x + y*q` for `p*(x + y)*q`: brackets that were lost (or never typed)."""
    for i in range(len(node.args) - 1):
        left, right = _factors(node.args[i]), _factors(node.args[i + 1])
        for a in range(len(left)):
            for b in range(1, len(right) + 1):
                if a == 0 and b == len(right):
                    continue
                inner = Call(node.function, (_mul(left[a:]), _mul(right[:b])))
                if len(node.args) > 2 and (i > 0 or node.function == "add"):
                    inner = Call("add", (*node.args[:i], *inner.args, *node.args[i + 2 :]))
                new = _mul([*left[:a], inner, *right[b:]])
                yield "brackets", node, new, new


def _factors(expr: Expr) -> list[Expr]:
    return list(expr.args) if isinstance(expr, Call) and expr.function == "mul" else [expr]


def _mul(parts: Sequence[Expr]) -> Expr:
    return parts[0] if len(parts) == 1 else Call("mul", tuple(parts))


def _lost(expr: Expr, factors: Sequence[Expr]) -> Iterator[Repair]:
    """A factor put back: before the whole, or in one of its terms; then a term put back."""
    for factor in (*factors, Num(2.0), Num(0.5), Num(-1.0)):
        kind = "sign" if factor == Num(-1.0) else "lost factor"
        yield Repair(kind, expr, factor, expr * factor)
        for kind_of, old, new, whole in _walk_edits(expr, _times(factor), ()):
            yield Repair(kind_of, old, new, whole)
    for factor in factors:
        if isinstance(factor, Var):
            yield Repair("lost term", expr, factor, expr + factor)


def _times(factor: Expr) -> object:
    def edit(node: Expr, _vocabulary: Sequence[str]) -> Iterator[Edit]:
        if isinstance(node, Call) and node.function in ("add", "sub"):
            for i, arg in enumerate(node.args):
                args = (*node.args[:i], arg * factor, *node.args[i + 1 :])
                yield "lost factor", arg, factor, Call(node.function, args)

    return edit


def _parts(expr: Expr, vocabulary: Sequence[str]) -> Iterator[Repair]:
    """A name replaced everywhere within one part: `a_h1*(1-a_h1)` in a formula that has a_h1 elsewhere too."""

    def edit(node: Expr, words: Sequence[str]) -> Iterator[Edit]:
        if not isinstance(node, Call):
            return
        inside = [part.name for part in walk(node) if isinstance(part, Var)]
        for old in dict.fromkeys(inside):
            if inside.count(old) > 1:
                for new in words:
                    if new != old:
                        yield "variable", Var(old), Var(new), substitute(node, {old: Var(new)})
        if node.function == "mul" and len(node.args) > 2:
            for i in range(len(node.args) - 1):
                pair = Call("mul", node.args[i : i + 2])
                for _, old_part, new_part, changed in edit(pair, words):
                    whole = Call("mul", (*node.args[:i], changed, *node.args[i + 2 :]))
                    yield "variable", old_part, new_part, whole

    for kind, old, new, whole in _walk_edits(expr, edit, vocabulary):
        yield Repair(kind, old, new, whole)
