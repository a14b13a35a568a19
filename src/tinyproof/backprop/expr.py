"""Arithmetic as plain data: an expression is a number, a name, or a function of expressions.

Everything in this half starts here: an expression is evaluated (numbers), differentiated (`diff`), printed
(`notation`) and written into cells (`sheet`), so table, derivation, workbook and audit cannot disagree.

>>> net = Var("w1") * Var("i1") + Var("w2") * Var("i2")
>>> evaluate(net, {"w1": 0.15, "i1": 0.05, "w2": 0.20, "i2": 0.10})
0.027500000000000004
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tinyproof.core.arrays import np
from tinyproof.core.errors import InputError

Number = Any  # a float or a numpy array of floats; evaluation works on either


class Expr:
    """An arithmetic expression. Build it with `Num`, `Var`, the operators + - * / ** and the functions below.

    A chain of + (or of *) is one call with many arguments, added from left to right: `a + b + c` is
    `Call("add", (a, b, c))`, so a sum of a thousand terms is no deeper than one of two.
    """

    __slots__ = ()

    def __add__(self, other: Expr | float) -> Expr:
        return Call("add", (*_chain("add", self), wrap(other)))

    def __radd__(self, other: float) -> Expr:
        return Call("add", (wrap(other), self))

    def __sub__(self, other: Expr | float) -> Expr:
        return Call("sub", (self, wrap(other)))

    def __rsub__(self, other: float) -> Expr:
        return Call("sub", (wrap(other), self))

    def __mul__(self, other: Expr | float) -> Expr:
        return Call("mul", (*_chain("mul", self), wrap(other)))

    def __rmul__(self, other: float) -> Expr:
        return Call("mul", (wrap(other), self))

    def __truediv__(self, other: Expr | float) -> Expr:
        return Call("div", (self, wrap(other)))

    def __rtruediv__(self, other: float) -> Expr:
        return Call("div", (wrap(other), self))

    def __pow__(self, other: Expr | float) -> Expr:
        return Call("pow", (self, wrap(other)))

    def __neg__(self) -> Expr:
        return Call("neg", (self,))


def _chain(function: str, expr: Expr) -> tuple[Expr, ...]:
    """The arguments of `expr` when it is a call of `function` (what follows joins them), else `expr` alone."""
    return expr.args if isinstance(expr, Call) and expr.function == function else (expr,)


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Var(Expr):
    """A named quantity, in textbook words: `w5`, `a_h1`, `E_total`."""

    name: str


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function of expressions; `function` is a key of FUNCTIONS."""

    function: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """`name = expr`. A list of equations is evaluated from first to last; each may use the names before it."""

    name: str
    expr: Expr


def _sigmoid(x: Number) -> Number:
    # exp of a negative number only: never overflows, and equals 1/(1+e^-x) to the last bit or two.
    e = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1 / (1 + e), e / (1 + e))


def _softplus(x: Number) -> Number:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _softmax(which: Number, logits: tuple[Number, ...]) -> Number:
    largest = _fold(np.maximum, logits)  # taken off every exponent: nothing overflows, and the quotient is the same
    shifted = [np.exp(x - largest) for x in logits]
    return shifted[int(which) - 1] / _fold(np.add, tuple(shifted))


# name -> (number of arguments, or None for one or more; how to compute it). Comparisons give 1.0 or 0.0.
# softmax(k, x1, x2, ..) is exp(xk) / (exp(x1) + exp(x2) + ..): its first argument is the number k, counted from 1.
FUNCTIONS: dict[str, tuple[int | None, Callable[..., Number]]] = {
    "add": (None, lambda *a: _fold(np.add, a)),
    "sub": (2, lambda a, b: a - b),
    "mul": (None, lambda *a: _fold(np.multiply, a)),
    "div": (2, lambda a, b: a / b),
    "pow": (2, lambda a, b: a**b),
    "neg": (1, lambda a: -a),
    "exp": (1, np.exp),
    "ln": (1, np.log),
    "sqrt": (1, np.sqrt),
    "abs": (1, np.abs),
    "sigmoid": (1, _sigmoid),
    "tanh": (1, np.tanh),
    "softplus": (1, _softplus),
    "softmax": (None, lambda which, *a: _softmax(which, a)),
    "max": (None, lambda *a: _fold(np.maximum, a)),
    "min": (None, lambda *a: _fold(np.minimum, a)),
    "gt": (2, lambda a, b: np.where(np.greater(a, b), 1.0, 0.0)),
    "ge": (2, lambda a, b: np.where(np.greater_equal(a, b), 1.0, 0.0)),
    "eq": (2, lambda a, b: np.where(np.equal(a, b), 1.0, 0.0)),
    "if": (3, lambda c, a, b: np.where(np.not_equal(c, 0), a, b)),
}


def _fold(pick: Callable[[Number, Number], Number], values: tuple[Number, ...]) -> Number:
    result = values[0]
    for value in values[1:]:
        result = pick(result, value)
    return result


def wrap(value: Expr | float) -> Expr:
    """A number as an expression; an expression as it is."""
    return value if isinstance(value, Expr) else Num(float(value))


def call(function: str, *args: Expr | float) -> Expr:
    """`call("exp", x)`. Raises InputError for an unknown function or a wrong number of arguments."""
    if function not in FUNCTIONS:
        raise InputError("function", function, ", ".join(FUNCTIONS))
    count = FUNCTIONS[function][0]
    if (count is not None and len(args) != count) or not args:
        raise InputError(f"arguments of {function}", len(args), str(count or "one or more"))
    return Call(function, tuple(wrap(arg) for arg in args))


def total(terms: Iterable[Expr]) -> Expr:
    """The sum, from left to right; 0 when there is no term."""
    parts = tuple(terms)
    return (Call("add", parts) if len(parts) > 1 else parts[0]) if parts else Num(0.0)


def evaluate(expr: Expr, values: Mapping[str, Number]) -> Number:
    """The value of `expr` in float64, where each name stands for a float or for an array (arrays broadcast).

    Division by zero and overflow follow IEEE 754 (inf, nan), without a warning. Raises InputError for a name without
    a value.
    """
    with np.errstate(all="ignore"):
        result = _evaluate(expr, values, {})
    return float(result) if np.ndim(result) == 0 else result


def _evaluate(expr: Expr, values: Mapping[str, Number], seen: dict[int, Number]) -> Number:
    if isinstance(expr, Num):
        return np.float64(expr.value)
    if isinstance(expr, Var):
        if expr.name not in values:
            raise InputError("name", expr.name, "a name that has a value: " + ", ".join(sorted(values)[:20]))
        value = values[expr.name]
        return np.float64(value) if isinstance(value, float | int) else value
    assert isinstance(expr, Call)
    key = id(expr)  # shared sub-expressions are computed once; `expr` keeps them alive, so an id is never reused
    if key not in seen:
        args = [_evaluate(arg, values, seen) for arg in expr.args]
        seen[key] = FUNCTIONS[expr.function][1](*args)
    return seen[key]


def evaluate_all(equations: Iterable[Equation], values: Mapping[str, Number]) -> dict[str, Number]:
    """The values given, and after them the value of every equation in turn."""
    known = dict(values)
    for equation in equations:
        known[equation.name] = evaluate(equation.expr, known)
    return known


def names(expr: Expr) -> tuple[str, ...]:
    """The names in an expression, each once, in order of first appearance.

    >>> names(Var("b") * Var("a") + Var("b"))
    ('b', 'a')
    """
    found: dict[str, None] = {}
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, Var):
            found[node.name] = None
        elif isinstance(node, Call):
            stack += node.args[::-1]
    return tuple(found)


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, from the top down and from left to right (without recursion, so depth is no danger)."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Call):
            stack.extend(reversed(node.args))


def substitute(expr: Expr, replacements: Mapping[str, Expr]) -> Expr:
    """`expr` with names replaced by expressions."""
    if isinstance(expr, Var):
        return replacements.get(expr.name, expr)
    if isinstance(expr, Call):
        return Call(expr.function, tuple(substitute(arg, replacements) for arg in expr.args))
    return expr
