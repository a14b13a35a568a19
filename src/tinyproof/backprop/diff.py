"""Reverse mode on equations: every gradient is again a named equation.

Given equations in order, the last of which is the loss, `backward` walks them from the end: the gradient of a
quantity is the sum, over the equations that use it, of (gradient of that equation's name) x (its partial derivative).
Partial derivatives are written with the names on the page: the slope of `a_h1 = sigmoid(h1)` is `a_h1*(1-a_h1)`.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinyproof.backprop.expr import Call, Equation, Expr, Num, Var, call, names
from tinyproof.core.errors import InputError

ONE, ZERO = Num(1.0), Num(0.0)


def gradient_name(loss: str, name: str) -> str:
    """What the gradient of `loss` with respect to `name` is called; the total loss is `E` on the page.

    >>> gradient_name("E_total", "w5")
    'dE/dw5'
    """
    return f"d{'E' if loss == 'E_total' else loss}/d{name}"


def backward(equations: Sequence[Equation], wanted: Sequence[str]) -> list[Equation]:
    """Gradient equations of the last equation's name, for every quantity between it and `wanted`, loss first.

    A name in `wanted` that the loss does not depend on has the gradient 0. Raises InputError where
    `equations` is empty.
    """
    if not equations:
        raise InputError("equations", "none", "at least one equation, the loss")
    loss = equations[-1].name
    needed = set(wanted)
    for equation in equations:
        if any(name in needed for name in names(equation.expr)):
            needed.add(equation.name)
    terms: dict[str, list[Expr]] = {loss: []}
    result: list[Equation] = []
    done: set[str] = set()

    def close(name: str) -> Expr:
        """Write the gradient of `name` down; give what others multiply by."""
        done.add(name)
        expr = ONE if name == loss else add_up(terms.get(name, []))
        if name != loss:
            result.append(Equation(gradient_name(loss, name), expr))
        return ONE if name == loss else Var(gradient_name(loss, name))

    for equation in reversed(equations):
        if equation.name not in needed or equation.name not in terms:
            continue
        upstream = close(equation.name)
        for name in names(equation.expr):
            if name in needed:
                slope = partial(equation.expr, name, equation.name)
                terms.setdefault(name, []).append(times(upstream, slope))
    for name in wanted:
        if name not in done:
            close(name)
    return result


def partial(expr: Expr, name: str, result: str | None = None) -> Expr:
    """The partial derivative of `expr` with respect to `name`, every other name held fixed.

    `result`: the name that stands for the value of `expr`; the slopes of sigmoid, tanh and exp are written with it.
    """
    if isinstance(expr, Num):
        return ZERO
    if isinstance(expr, Var):
        return ONE if expr.name == name else ZERO
    assert isinstance(expr, Call)
    value = expr if result is None else Var(result)
    pieces = []
    for position, arg in enumerate(expr.args):
        inner = partial(arg, name)
        if inner != ZERO:
            pieces.append(times(slope(expr, position, value), inner))
    return add_up(pieces)


def slope(expr: Call, position: int, value: Expr) -> Expr:
    """The derivative of a function call with respect to its argument at `position`; `value` stands for the call itself.

    At a kink (ReLU at 0, max of equals) it is the derivative from the left, as in PyTorch's ReLU.
    """
    f, args = expr.function, expr.args
    a = args[0]
    b = args[1] if len(args) > 1 else ZERO
    if f in ("add", "sub"):
        return ONE if position == 0 or f == "add" else Num(-1.0)
    if f == "mul":
        return b if position == 0 else a
    if f == "div":
        return ONE / b if position == 0 else -(a / b ** Num(2.0))
    if f == "pow":
        if position == 1:
            return times(value, call("ln", a))
        if isinstance(b, Num):
            return times(b, a if b.value == 2 else a ** Num(b.value - 1))
        return times(b, a ** (b - 1))
    if f == "if":
        return ZERO if position == 0 else call("if", a, *((ONE, ZERO) if position == 1 else (ZERO, ONE)))
    if f in ("max", "min"):
        return _pick(expr, position)
    if f in ("gt", "ge", "eq"):
        return ZERO
    unary: dict[str, Callable[[], Expr]] = {
        "neg": lambda: Num(-1.0),
        "exp": lambda: value,
        "ln": lambda: ONE / a,
        "sqrt": lambda: ONE / (2 * value),
        "abs": lambda: call("if", call("gt", a, 0), ONE, Num(-1.0)),
        "sigmoid": lambda: value * (1 - value),
        "tanh": lambda: 1 - value ** Num(2.0),
        "softplus": lambda: call("sigmoid", a),
    }
    return unary[f]()


def _pick(expr: Call, position: int) -> Expr:
    """1 where this argument is the largest (smallest), else 0; of equals the last counts, so max(x, 0) is flat at 0."""
    mine = expr.args[position]
    condition: Expr = ONE
    for other, arg in enumerate(expr.args):
        if other != position:
            compare = "gt" if other > position else "ge"
            test = call(compare, mine, arg) if expr.function == "max" else call(compare, arg, mine)
            condition = times(condition, test)
    return call("if", condition, ONE, ZERO)


def times(a: Expr, b: Expr) -> Expr:
    """The product, without factors 1 and with -1 as a sign: what a person would write."""
    if ZERO in (a, b):
        return ZERO
    if a == ONE:
        return b
    if b == ONE:
        return a
    if b == Num(-1.0):
        return -a
    if a == Num(-1.0):
        return -b
    return a * b


def add_up(terms: Sequence[Expr]) -> Expr:
    """The sum, without zeros."""
    kept = [term for term in terms if term != ZERO]
    if not kept:
        return ZERO
    result = kept[0]
    for term in kept[1:]:
        result = result + term
    return result
