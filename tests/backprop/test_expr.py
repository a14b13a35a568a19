"""Evaluation on floats and arrays, chains, names; tidying leaves the value alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyproof.backprop.expr import Call, Expr, Num, Var, call, evaluate, names, substitute, total, walk
from tinyproof.backprop.tidy import add_up, product
from tinyproof.core.errors import InputError

x, y, z = Var("x"), Var("y"), Var("z")


@st.composite
def expressions(draw: st.DrawFn, depth: int = 4) -> Expr:
    """Sums, products, quotients, signs and powers of x, y, z and numbers, well away from overflow."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        numbers = st.sampled_from([1.0, 2.0, -1.0, 0.5, 0.1, 3.0, -0.25, 7.0])
        return draw(st.one_of(st.sampled_from([x, y, z]), numbers.map(Num)))
    inner = expressions(depth - 1)
    kind = draw(st.sampled_from(["add", "sub", "mul", "div", "neg", "pow"]))
    if kind == "neg":
        return -draw(inner)
    if kind == "pow":
        return draw(inner) ** draw(st.sampled_from([2, 3]))
    a, b = draw(inner), draw(inner)
    return {"add": a + b, "sub": a - b, "mul": a * b, "div": a / b}[kind]


VALUES = {"x": 0.7, "y": -1.3, "z": 2.9}


def test_a_chain_is_one_call_and_a_bracket_is_kept() -> None:
    assert x + y + z == Call("add", (x, y, z)) == total([x, y, z])
    assert x * y * z == Call("mul", (x, y, z))
    assert x + (y + z) == Call("add", (x, Call("add", (y, z))))


def test_a_sum_of_many_terms_is_not_deep() -> None:
    assert evaluate(total([x] * 5000), {"x": 1.0}) == 5000.0
    chain = x
    for _ in range(3000):
        chain = chain + y
    assert evaluate(chain, {"x": 1.0, "y": 1.0}) == 3001.0


def test_arrays_broadcast_and_give_the_same_bits_as_floats() -> None:
    values = np.linspace(-30, 30, 101)
    for function in ("sigmoid", "tanh", "softplus", "exp"):
        whole = evaluate(call(function, x), {"x": values})
        assert [float(v) for v in whole] == [evaluate(call(function, x), {"x": float(v)}) for v in values]


def test_sigmoid_softplus_and_softmax_do_not_overflow() -> None:
    assert evaluate(call("sigmoid", x), {"x": -800.0}) == 0.0
    assert evaluate(call("sigmoid", x), {"x": -40.0}) == pytest.approx(math.exp(-40), rel=1e-15)
    assert evaluate(call("softplus", x), {"x": 800.0}) == 800.0
    assert evaluate(call("softmax", 2, x, y), {"x": 0.0, "y": 900.0}) == 1.0


def test_division_by_zero_follows_ieee() -> None:
    assert evaluate(1 / x, {"x": 0.0}) == math.inf
    assert math.isnan(evaluate(x / x, {"x": 0.0}))


def test_functions_and_names_that_are_not_there_are_named() -> None:
    with pytest.raises(InputError, match="function: 'sinh' is not allowed"):
        call("sinh", x)
    with pytest.raises(InputError, match="arguments of exp: 2"):
        call("exp", x, y)
    with pytest.raises(InputError, match="name: 'w9' is not allowed"):
        evaluate(Var("w9"), {"w1": 1.0})


def test_names_walk_and_substitute() -> None:
    expr = y * x + y
    assert names(expr) == ("y", "x")
    assert [node for node in walk(expr) if isinstance(node, Var)] == [y, x, y]
    assert substitute(expr, {"y": z - 1}) == (z - 1) * x + (z - 1)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(expressions(2), min_size=1, max_size=4))
def test_tidied_products_and_sums_have_the_same_value(parts: list[Expr]) -> None:
    values = [evaluate(part, VALUES) for part in parts]
    if all(map(math.isfinite, values)):
        assert evaluate(product(*parts), VALUES) == pytest.approx(math.prod(values), rel=1e-13, abs=1e-300)
        scale = sum(map(abs, values))
        assert evaluate(add_up(parts), VALUES) == pytest.approx(math.fsum(values), rel=1e-13, abs=1e-15 * scale)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (product(Num(1.0), x), x),
        (product(Num(0.5), Num(2.0), x), x),
        (product(Num(-1.0), x - y), y - x),
        (product(Num(-1.0), x), -x),
        (product(-x, -y), x * y),
        (product(x, 1 / y), x / y),
        (product(Num(2.0), x, Num(1.0) / 3), 2 * x / 3),
        (product(Num(0.01), x), 0.01 * x),
        (product(x, y / z), x * (y / z)),
        (product(Num(0.0), x), Num(0.0)),
        (add_up([Num(0.0), x, -y, z]), x - y + z),
        (add_up([]), Num(0.0)),
    ],
)
def test_what_a_person_would_write(given: Expr, expected: Expr) -> None:
    assert given == expected
