"""Reverse mode on equations: every gradient is again a named equation.

Given equations in order, the last of which is the loss, `backward` walks them from the end: the gradient of a
quantity is the sum, over the equations that use it, of (gradient of that equation's name) x (its partial derivative).
Partial derivatives are written with the names on the page: the slope of `a_h1 = sigmoid(h1)` is `a_h1*(1-a_h1)`.

Source: Griewank and Walther, "Evaluating Derivatives" (2008), chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from tinyproof.backprop.expr import Call, Equation, Expr, Num, Var, call, names, substitute
from tinyproof.backprop.tidy import ONE, ZERO, add_up, product
from tinyproof.core.errors import InputError

Known = Mapping[Expr, str]  # an expression -> the name that stands for it on the page


def gradient_name(loss: str, name: str) -> str:
    """What the gradient of `loss` with respect to `name` is called; the total loss is `E` on the page.

    >>> gradient_name("E_total", "w5")
    'dE/dw5'
    """
    return f"d{'E' if loss == 'E_total' else loss}/d{name}"


def backward(equations: Sequence[Equation], wanted: Sequence[str]) -> list[Equation]:
    """Gradient equations of the last equation's name, for every quantity between it and `wanted`, from the loss back.

    A gradient that is a plain number (dE_total/dE1 = 1) is multiplied in and has no equation of its own unless it is
    wanted. A name in `wanted` that the loss does not depend on has the gradient 0. Raises InputError where
    `equations` is empty or names one quantity twice.
    """
    if not equations:
        raise InputError("equations", None, "give at least one, the loss", problem="are missing")
    loss = equations[-1].name
    known: dict[Expr, str] = {}
    for equation in equations:
        known.setdefault(equation.expr, equation.name)
    needed = _between(equations, wanted)
    terms: dict[str, list[Expr]] = {loss: [ONE]}
    gradients: dict[str, Expr] = {}
    for equation in reversed(equations):
        if equation.name not in needed or equation.name not in terms:
            continue
        gradient = gradients[equation.name] = _sum(terms[equation.name])
        upstream = gradient if not names(gradient) else Var(gradient_name(loss, equation.name))
        for name, inner in partials(equation.expr, needed, known).items():
            terms.setdefault(name, []).append(product(upstream, inner))
    for name in wanted:
        gradients.setdefault(name, _sum(terms.get(name, [])))
    shown = {name: expr for name, expr in gradients.items() if name in wanted or names(expr)}
    return [Equation(gradient_name(loss, name), expr) for name, expr in shown.items()]


def _sum(terms: Sequence[Expr]) -> Expr:
    """The sum in the order of the equations: they were walked from the end."""
    return add_up(terms[::-1])


def _between(equations: Sequence[Equation], wanted: Sequence[str]) -> set[str]:
    """The wanted names and every equation that depends on one of them."""
    needed, defined = set(wanted), set[str]()
    for equation in equations:
        if equation.name in defined:
            raise InputError("equations", equation.name, "each name defined once")
        defined.add(equation.name)
        if any(name in needed for name in names(equation.expr)):
            needed.add(equation.name)
    return needed


def written_out(equations: Sequence[Equation], keep: Sequence[str]) -> list[Equation]:
    """The equations named in `keep`, in that order, each with every other equation's name replaced by its expression.

    Turns a chain of gradients into what the course's sheets write in one cell:
    `dE/dw5 = (a_o1-t1)*a_o1*(1-a_o1)*a_h1`. Grows with every layer: a deep network is better left as a chain.
    """
    whole: dict[str, Expr] = {}
    for equation in equations:
        whole[equation.name] = _flatten(substitute(equation.expr, whole))
    return [Equation(name, whole[name]) for name in keep]


def _flatten(expr: Expr) -> Expr:
    return product(expr) if isinstance(expr, Call) and expr.function in ("mul", "neg", "div") else expr


def partial(expr: Expr, name: str, known: Known | None = None) -> Expr:
    """The partial derivative of `expr` with respect to `name`, every other name held fixed.

    `known`: expressions that have a name; the slopes of sigmoid, tanh, softmax, exp and sqrt are written with it.

    >>> partial(Var("x") ** 2, "x") == 2 * Var("x")
    True
    """
    return partials(expr, {name}, known).get(name, ZERO)


def partials(expr: Expr, wanted: Collection[str], known: Known | None = None) -> dict[str, Expr]:
    """The partial derivatives of `expr` with respect to the wanted names in it, in one walk; zeros are left out."""
    if isinstance(expr, Var):
        return {expr.name: ONE} if expr.name in wanted else {}
    if not isinstance(expr, Call):
        return {}
    inside = [partials(arg, wanted, known) for arg in expr.args]
    if expr.function == "if":
        branches = dict.fromkeys([*inside[1], *inside[2]])
        return {n: call("if", expr.args[0], inside[1].get(n, ZERO), inside[2].get(n, ZERO)) for n in branches}
    terms: dict[str, list[Expr]] = {}
    for position, found in enumerate(inside):
        for name, inner in found.items():
            if expr.function == "mul":  # in place, so that the factors keep their order
                factors = [*expr.args[:position], inner, *expr.args[position + 1 :]]
            else:
                factors = [slope(expr, position, known), inner]
            terms.setdefault(name, []).append(product(*factors))
    sums = {name: add_up(pieces) for name, pieces in terms.items()}
    return {name: total for name, total in sums.items() if total != ZERO}


def slope(expr: Call, position: int, known: Known | None = None) -> Expr:
    """The derivative of a function call with respect to its argument at `position`.

    At a kink it is the derivative from the left for ReLU (0, as in PyTorch); 0 for abs.
    """
    f, args = expr.function, expr.args
    if f in ("add", "sub"):
        return ONE if position == 0 or f == "add" else Num(-1.0)
    if f == "mul":
        return product(*args[:position], *args[position + 1 :])
    if f in ("max", "min"):
        return _pick(expr, position)
    if f == "softmax":
        return _softmax_slope(expr, position, known)
    if f in ("gt", "ge", "eq"):
        return ZERO
    if f in ("div", "pow"):
        return _power_slope(expr, position, known)
    a, value = args[0], named(expr, known)
    unary: dict[str, Callable[[], Expr]] = {
        "neg": lambda: Num(-1.0),
        "exp": lambda: value,
        "ln": lambda: 1 / a,
        "sqrt": lambda: 1 / (2 * value),
        "abs": lambda: call("gt", a, 0) - call("gt", 0, a),
        "sigmoid": lambda: value * (1 - value),
        "tanh": lambda: 1 - value**2,
        "softplus": lambda: named(call("sigmoid", a), known),
    }
    return unary[f]()


def named(expr: Expr, known: Known | None) -> Expr:
    """The name that stands for `expr`, where it has one."""
    return Var(known[expr]) if known and expr in known else expr


def _power_slope(expr: Call, position: int, known: Known | None) -> Expr:
    a, b = expr.args
    if expr.function == "div":
        return 1 / b if position == 0 else -(a / b**2)
    if position == 1:
        return product(named(expr, known), call("ln", a))
    if isinstance(b, Num):
        return ZERO if b.value == 0 else product(b, ONE if b.value == 1 else a if b.value == 2 else a ** (b.value - 1))
    return product(b, a ** (b - 1))


def _softmax_slope(expr: Call, position: int, known: Known | None) -> Expr:
    """a_k*(1-a_k) with respect to its own logit, -a_k*a_j with respect to another."""
    which, *logits = expr.args
    assert isinstance(which, Num)
    own = named(expr, known)
    if position == which.value:
        return own * (1 - own)
    return -(own * named(call("softmax", Num(float(position)), *logits), known))


def _pick(expr: Call, position: int) -> Expr:
    """1 where this argument is the largest (smallest), else 0; of equals the last counts, so max(x, 0) is flat at 0."""
    mine = expr.args[position]
    conditions = []
    for other, arg in enumerate(expr.args):
        if other != position:
            compare = "gt" if other > position else "ge"
            conditions.append(call(compare, *((mine, arg) if expr.function == "max" else (arg, mine))))
    return call("if", product(*conditions), ONE, ZERO)
