"""Each notation reads back as the same arithmetic; brackets and signs stand where the language needs them."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings

from tinyproof.backprop.equations import forward, gradients
from tinyproof.backprop.expr import Equation, Expr, Num, Var, call, evaluate
from tinyproof.backprop.mathematics import latex, mathml, name_parts
from tinyproof.backprop.notation import (
    equation_text,
    excel,
    javascript,
    javascript_lines,
    number,
    partial_signs,
    text,
    unicode,
)
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.core.errors import InputError

from .test_expr import VALUES, expressions

x, y, z = Var("x"), Var("y"), Var("z")


@settings(max_examples=400, deadline=None, derandomize=True)
@given(expressions())
def test_plain_text_reads_back_as_the_same_value(expr: Expr) -> None:
    """Python reads it as written, with ** for ^."""
    expected = evaluate(expr, VALUES)
    if math.isfinite(expected):
        code = text(expr).replace("^", "**")
        with np.errstate(all="ignore"):
            found = eval(code, {}, {name: np.float64(value) for name, value in VALUES.items()})
        assert found == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (-(x**2), "-(x^2)"),  # -x^2 is (-x)^2 in Excel
        (-(x**2 * y), "-(x^2*y)"),
        ((-x) ** 2, "(-x)^2"),
        ((x**2) ** 3, "(x^2)^3"),
        (x ** (y**2), "x^(y^2)"),
        (x - (y - z), "x-(y-z)"),
        (x - (-y), "x-(-y)"),
        (x / (y * z), "x/(y*z)"),
        (x * (y / z), "x*(y/z)"),
        (x / y / z, "x/y/z"),
        (1 - call("sigmoid", x), "1-1/(1+EXP(-x))"),
        (x / call("sigmoid", -x), "x/(1/(1+EXP(-(-x))))"),
        (call("if", call("gt", x, 0), 1, 0.01), "IF(x>0,1,0.01)"),
        (call("gt", x, y) * 2, "IF(x>y,1,0)*2"),
        (call("softmax", 2, x, y), "EXP(y)/(EXP(x)+EXP(y))"),
        (call("softplus", x), "LN(1+EXP(x))"),
        (call("max", x, 0), "MAX(x,0)"),
        (Num(-2.0) * x, "-2*x"),
        (x * Num(-2.0), "x*(-2)"),
    ],
)
def test_excel(expr: Expr, expected: str) -> None:
    assert excel(expr, str) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (-(x**2), "-Math.pow(x,2)"),
        (x - (-y), "x-(-y)"),
        (call("neg", -x), "-(-x)"),
        (-(-x * y), "-(-x*y)"),
        (call("if", call("eq", x, 0), 1, y), "((x===0?1:0)?1:y)"),
        (call("softmax", 2, x, y), "softmax(2,x,y)"),
    ],
)
def test_javascript(expr: Expr, expected: str) -> None:
    assert javascript(expr, str) == expected


def test_javascript_lines_assign_in_order() -> None:
    assert javascript_lines([Equation("a_h1", call("sigmoid", Var("h1")))]) == 'v["a_h1"]=sigmoid(v["h1"]);'


def test_a_name_without_a_cell_is_refused() -> None:
    with pytest.raises(InputError, match="name: 'w3' is not allowed; allowed: a name that has a cell: w1, w2"):
        excel(Var("w3"), {"w1": "A1", "w2": "B1"})


def test_unicode_and_gradient_signs() -> None:
    assert unicode(Num(1.0) / 2 * (Var("t1") - Var("a_o1")) ** 2) == "½·(t1 − a_o1)²"
    assert unicode(Var("dE/dw5") * call("sigmoid", x)) == "∂E/∂w5·σ(x)"
    assert partial_signs("a/b") == "a/b"


def test_latex_of_the_course_network() -> None:
    found = {e.name: latex(e.expr) for e in (*forward(preset("course")), *gradients(preset("course"), "course"))}
    assert found["h1"] == "w_{1} i_{1}+w_{2} i_{2}"
    assert found["E1"] == r"\frac{1}{2} \left(t_{1}-a_{o1}\right)^{2}"
    assert found["dE/dw5"] == r"\left(a_{o1}-t_{1}\right) a_{o1} \left(1-a_{o1}\right) a_{h1}"
    assert latex(Var("dE/da_h1[2]")) == r"\frac{\partial E}{\partial a_{h1}^{(2)}}"
    assert latex(Var("E_total")) == r"E_{\mathrm{total}}"


@pytest.mark.parametrize("name", PRESETS)
def test_mathml_is_well_formed_and_shows_every_name(name: str) -> None:
    for equation in (*forward(preset(name)), *gradients(preset(name))):
        root = ET.fromstring(mathml(equation.expr).replace("&#160;", " "))
        assert root.tag == "math"
        shown = "".join(root.itertext())
        assert shown
        assert {tag.tag for tag in root.iter()} <= {
            "math", "mrow", "mi", "mn", "mo", "mfrac", "msub", "msup", "msubsup", "mtable", "mtr", "mtd", "mtext"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("w5", ("w", "5", "")),
        ("w12[3]", ("w", "12", "3")),
        ("a_h1", ("a", "h1", "")),
        ("h2_1", ("h", "2,1", "")),
        ("a_h2_1[4]", ("a", "h2,1", "4")),
        ("E_total", ("E", "total", "")),
        ("learning rate?", ("learning rate?", "", "")),
    ],
)
def test_name_parts(name: str, parts: tuple[str, str, str]) -> None:
    assert name_parts(name) == parts


@pytest.mark.parametrize("value", [0.1, 1e-300, 123456789.0, 1e22, -0.3, 5e-324])
def test_a_number_reads_back(value: float) -> None:
    assert float(number(value)) == value


def test_equation_text() -> None:
    assert equation_text(Equation("h1", x * y + z)) == "h1 = x*y+z"
