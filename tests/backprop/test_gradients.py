"""The equations' gradients against torch autograd, central differences and SymPy."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyproof.backprop.diff import backward, partial
from tinyproof.backprop.equations import forward, gradients
from tinyproof.backprop.expr import Call, Equation, Expr, Num, Var, call, evaluate_all
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.core.errors import InputError

from .nets import nets
from .oracles import torch_answer

pytestmark = pytest.mark.numerics

STYLES = ["course", "chain"]


def ours(net: Net, style: str, values: dict[str, float] | None = None) -> dict[str, float]:
    return evaluate_all(gradients(net, style), evaluate_all(forward(net), values or net.givens()))


def assert_equal_to_torch(net: Net, style: str) -> None:
    answer = torch_answer(net, net.parameters, 0 if not net.together else None)
    found = ours(net, style)
    assert found["E_total"] == pytest.approx(answer.loss, rel=1e-12, abs=1e-15)
    assert {f"dE/d{name}" for name in net.trained} <= found.keys()
    size = max([abs(v) for v in answer.gradients.values()] or [0.0])
    for name in net.trained:
        # 1e-12 of the value, or of the largest gradient where large parts cancel
        assert found[f"dE/d{name}"] == pytest.approx(answer.gradients[name], rel=1e-12, abs=1e-13 * size + 1e-300)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", PRESETS)
def test_presets_equal_torch_autograd(name: str, style: str) -> None:
    assert_equal_to_torch(preset(name), style)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(nets(), st.sampled_from(STYLES))
def test_random_networks_equal_torch_autograd(net: Net, style: str) -> None:
    assert_equal_to_torch(net, style)


@pytest.mark.parametrize("name", PRESETS)
def test_central_differences(name: str) -> None:
    net, step = preset(name), 1e-6
    found = ours(net, "chain")
    for parameter in net.trained:
        up, down = net.givens(), net.givens()
        up[parameter] += step
        down[parameter] -= step
        slope = (ours(net, "chain", up)["E_total"] - ours(net, "chain", down)["E_total"]) / (2 * step)
        assert found[f"dE/d{parameter}"] == pytest.approx(slope, rel=2e-6, abs=2e-9)


SYMPY = {
    "add": sympy.Add, "mul": sympy.Mul, "sub": lambda a, b: a - b, "div": lambda a, b: a / b, "pow": sympy.Pow,
    "neg": lambda a: -a, "exp": sympy.exp, "ln": sympy.log, "sqrt": sympy.sqrt, "tanh": sympy.tanh,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)), "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "softmax": lambda k, *x: sympy.exp(x[int(k) - 1]) / sympy.Add(*map(sympy.exp, x)),
}  # fmt: skip


def to_sympy(expr: Expr, values: dict[str, sympy.Expr] | None = None) -> sympy.Expr:
    if isinstance(expr, Num):
        return sympy.Rational(expr.value)
    if isinstance(expr, Var):
        return (values or {}).get(expr.name, sympy.Symbol(expr.name))
    assert isinstance(expr, Call)
    return SYMPY[expr.function](*(to_sympy(arg, values) for arg in expr.args))


@pytest.mark.parametrize("name", ["course", "worked-example"])
def test_written_out_gradients_are_sympys_derivatives(name: str) -> None:
    """As expressions in the weights, not only in their numbers."""
    net = preset(name)
    known: dict[str, sympy.Expr] = {}
    for equation in forward(net):
        known[equation.name] = to_sympy(equation.expr, known)
    for equation, parameter in zip(gradients(net, "course"), net.trained, strict=True):
        difference = to_sympy(equation.expr, known) - sympy.diff(known["E_total"], sympy.Symbol(parameter))
        # each exp(..) is one unknown of its own, which leaves a quotient of polynomials to be shown zero
        powers = {power: sympy.Dummy() for power in sorted(difference.atoms(sympy.exp), key=sympy.count_ops)[::-1]}
        assert sympy.cancel(sympy.together(difference.subs(powers))) == 0


x, y = Var("x"), Var("y")
FUNCTIONS = [
    x * y, x / y, y / x, x**3, x**y, x**0.5, 2 - x, -x, call("exp", x * y), call("ln", x), call("sqrt", x + y),
    call("sigmoid", x * x), call("tanh", x / y), call("softplus", x - y), call("softmax", 2, x, y, x * y),
    call("sigmoid", x) / call("tanh", y) * x, x - (y - x) * (x - 2 * y), 3 * x * x * y / 7, 1 / x,
]  # fmt: skip


@pytest.mark.parametrize("expr", FUNCTIONS, ids=lambda e: str(to_sympy(e)))
def test_partial_derivative_is_sympys(expr: Expr) -> None:
    known = {call("sigmoid", x * x): "s"}
    mine = to_sympy(partial(expr, "x", known), {"s": to_sympy(call("sigmoid", x * x))})
    assert sympy.simplify(mine - sympy.diff(to_sympy(expr), sympy.Symbol("x"))) == 0


def test_slopes_at_kinks_are_torchs() -> None:
    """ReLU and leaky ReLU at exactly 0; max of two equals."""
    at_zero = {"x": 0.0, "y": 0.0}
    relu, leaky = call("max", x, 0), call("if", call("gt", x, 0), x, 0.1 * x)
    for expr, expected in ((relu, 0.0), (leaky, 0.1), (call("abs", x), 0.0)):
        assert evaluate_all([Equation("slope", partial(expr, "x"))], at_zero)["slope"] == expected
    both = [evaluate_all([Equation("s", partial(call("max", x, y), n))], at_zero)["s"] for n in "xy"]
    assert sum(both) == 1


def test_a_quantity_used_twice_gets_both_terms() -> None:
    equations = [Equation("a", x * y), Equation("b", Var("a") + x), Equation("E_total", Var("b") * Var("a"))]
    found = evaluate_all(backward(equations, ["x"]), evaluate_all(equations, {"x": 2.0, "y": 3.0}))
    assert found["dE/dx"] == 3 * (6 + 2) + 6 * (3 + 1)


def test_what_the_loss_does_not_depend_on_has_gradient_zero() -> None:
    (equation,) = backward([Equation("E_total", x)], ["y"])
    assert equation == Equation("dE/dy", Num(0.0))


def test_no_equations_and_a_name_defined_twice_are_refused() -> None:
    with pytest.raises(InputError, match="give at least one, the loss"):
        backward([], ["x"])
    with pytest.raises(InputError, match="each name defined once"):
        backward([Equation("a", x), Equation("a", y)], ["x"])


def test_a_gradient_with_one_wrong_unit_is_seen() -> None:
    """The mistake of the published sheets (a_h1 where a_h2 belongs) is far beyond these tolerances."""
    net = preset("course")
    found = ours(net, "course")
    wrong = found["dE/dw3"] / (found["a_h2"] * (1 - found["a_h2"])) * found["a_h1"] * (1 - found["a_h1"])
    assert wrong != pytest.approx(torch_answer(net, net.parameters).gradients["w3"], rel=1e-5)
