"""What kind of quantity an expression computes: a weighted sum, an activation of something, a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyproof.backprop.expr import Call, Expr, Num, Var, call, names, walk
from tinyproof.check.workbook.thresholds import SAMPLES
from tinyproof.check.workbook.understand.meaning import replace, same, value
from tinyproof.check.workbook.understand.remembered import remembered
from tinyproof.core.arrays import np

MAX_TERMS = 200
Term = tuple[float, tuple[str, ...]]  # a number times names, the names sorted

ACTIVATIONS: dict[str, Callable[[Expr], Expr]] = {
    "sigmoid": lambda z: call("sigmoid", z),
    "tanh": lambda z: call("tanh", z),
    "relu": lambda z: call("max", z, 0),
    "softplus": lambda z: call("softplus", z),
    "identity": lambda z: z,
}
for _slope in (0.01, 0.1, 0.2):
    ACTIVATIONS[f"leaky relu {_slope}"] = lambda z, slope=_slope: call("if", call("gt", z, 0), z, slope * z)  # type: ignore[misc]

LOSSES: dict[str, Callable[[Expr, Expr], Expr]] = {
    "half squared error": lambda t, a: Num(0.5) * (t - a) ** 2,
    "squared error": lambda t, a: (t - a) ** 2,
    "cross-entropy": lambda t, a: -(t * call("ln", a) + (1 - t) * call("ln", 1 - a)),
}

_Z = np.linspace(-2.3, 2.1, SAMPLES)


def terms(expr: Expr) -> list[Term] | None:
    """The expression as a sum of products of names; None where it is not one (a quotient, a function)."""
    if isinstance(expr, Num):
        return [(expr.value, ())]
    if isinstance(expr, Var):
        return [(1.0, (expr.name,))]
    assert isinstance(expr, Call)
    parts = [terms(arg) for arg in expr.args] if expr.function in ("add", "sub", "neg", "mul", "div") else [None]
    known = [part for part in parts if part is not None]
    if len(known) != len(parts):
        return None
    if expr.function == "add":
        return _bounded([term for part in known for term in part])
    if expr.function == "sub":
        return _bounded(known[0] + [(-c, n) for c, n in known[1]])
    if expr.function == "neg":
        return [(-c, n) for c, n in known[0]]
    if expr.function == "div":
        divisor = known[1]
        if len(divisor) != 1 or divisor[0][1] or divisor[0][0] == 0:
            return None
        return [(c / divisor[0][0], n) for c, n in known[0]]
    product: list[Term] = [(1.0, ())]
    for part in known:
        product = [(c * d, tuple(sorted(n + m))) for c, n in product for d, m in part]
        if len(product) > MAX_TERMS:
            return None
    return product


def _bounded(found: list[Term]) -> list[Term] | None:
    return found if len(found) <= MAX_TERMS else None


@dataclass(frozen=True)
class Activation:
    """`name` applied to `inner`; the name is "" for a function of one quantity that is none of the known ones."""

    name: str
    inner: Expr
    written: Expr  # over the variable z


@remembered
def activation(expr: Expr) -> Activation | None:
    """The expression as a function of one inner quantity (a name, or a weighted sum); None where it is not one."""
    if isinstance(expr, Num | Var):
        return None
    best = None
    for node in dict.fromkeys(walk(expr)):
        if isinstance(node, Num) or node == expr or terms(node) is None or not names(node):
            continue
        rest = replace(expr, node, Var("z"))
        if names(rest) != ("z",):
            continue
        found = _known(rest)
        if found:
            return Activation(found, node, rest)
        if best is None or isinstance(node, Var):
            best = Activation("", node, rest)
    return best


def _known(rest: Expr) -> str:
    written = value(rest, {"z": _Z})
    for name, build in ACTIVATIONS.items():
        if name != "identity" and same(written, value(build(Var("z")), {"z": _Z})):
            return name
    return ""


def mirrored_sigmoid(rest: Expr) -> bool:
    """Whether a function of z is sigmoid(-z)."""
    return same(value(rest, {"z": _Z}), value(call("sigmoid", -Var("z")), {"z": _Z}))


def simpler(expr: Expr) -> Expr:
    """The expression with its activation by name: `1/(1+EXP(-h1))` becomes `sigmoid(h1)`, whose slope is short."""
    found = activation(expr)
    if found is None or not found.name:
        return expr
    return ACTIVATIONS[found.name](found.inner)
