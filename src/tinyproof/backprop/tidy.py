"""Products and sums as a person would write them: no factor 1, no term 0, one sign, numbers gathered.

Only rewrites that leave the value alone are made: `1*x` is `x`, `-(a-b)` is `b-a`, `1/2*2*x` is `x`. Nothing is
expanded, cancelled or reordered, so a tidied gradient still shows which factor came from where.

>>> from tinyproof.backprop.expr import Num, Var
>>> product(Num(0.5), Num(2.0), -(Var("t1") - Var("a_o1"))) == Var("a_o1") - Var("t1")
True
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tinyproof.backprop.expr import Call, Expr, Num, total

ZERO, ONE = Num(0.0), Num(1.0)
Factor = tuple[Expr, bool]  # an expression, and whether it divides


def product(*factors: Expr) -> Expr:
    """The product: whole numbers and simple fractions gathered in front (a divisor goes behind), one sign at most."""
    coefficient, rest = Fraction(1), list[Factor]()
    for factor in factors:
        number, parts = _split(factor)
        coefficient *= number
        rest += parts
    if coefficient == 0:
        return ZERO
    if not rest:
        return quotient(coefficient)
    if coefficient < 0:
        # -(t-a) becomes a-t; 1-t stays: the complement is how it is known
        flipped = next((i for i, (part, divides) in enumerate(rest) if not divides and _difference(part)), None)
        if flipped is not None:
            part, divides = rest[flipped]
            assert isinstance(part, Call)
            rest[flipped] = part.args[1] - part.args[0], divides
            coefficient = -coefficient
    return _assemble(coefficient, rest)


def add_up(terms: Sequence[Expr]) -> Expr:
    """The sum, without zeros; a negative term is taken away."""
    kept = [term for term in terms if term != ZERO]
    if not kept:
        return ZERO
    if not any(_is(term, "neg") for term in kept[1:]):
        return total(kept)
    result = kept[0]
    for term in kept[1:]:
        result = result - term.args[0] if isinstance(term, Call) and term.function == "neg" else result + term
    return result


def quotient(value: Fraction) -> Expr:
    """A fraction as a number, or as `p/q` where its float would be rounded."""
    if value.denominator & (value.denominator - 1) == 0:
        return Num(float(value))
    return Num(float(value.numerator)) / Num(float(value.denominator))


def _assemble(coefficient: Fraction, rest: list[Factor]) -> Expr:
    sign, top, bottom = coefficient < 0, abs(coefficient.numerator), coefficient.denominator
    result: Expr | None = Num(float(top)) if top != 1 or rest[0][1] else None
    for factor, divides in rest:
        if result is None:
            result = factor
        else:
            result = result / factor if divides else result * factor
    assert result is not None
    if bottom != 1:
        result = result / Num(float(bottom))
    return -result if sign else result


def _split(expr: Expr) -> tuple[Fraction, list[Factor]]:
    """`expr` as a simple fraction times factors without one; a division by anything but a number stays whole."""
    if isinstance(expr, Num):
        # 0.01 is no simple fraction in binary: it stays a factor, so that no rounding is added.
        simple = Fraction(expr.value) if abs(expr.value) < 2**53 else None
        return (simple, []) if simple is not None and simple.denominator <= 64 else (Fraction(1), [(expr, False)])
    if not isinstance(expr, Call):
        return Fraction(1), [(expr, False)]
    if expr.function == "neg":
        number, parts = _split(expr.args[0])
        return -number, parts
    if expr.function == "mul":
        number, parts = Fraction(1), []
        for arg in expr.args:
            more, factors = _split(arg)
            number *= more
            parts += factors
        return number, parts
    if expr.function == "div":
        number, parts = _split(expr.args[0])
        divisor, others = _split(expr.args[1])
        if not others and divisor != 0:
            return number / divisor, parts
        if not parts:  # 1/x: what stands before it is divided by x
            return number, [(expr.args[1], True)]
    return Fraction(1), [(expr, False)]


def _difference(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.function == "sub" and not isinstance(expr.args[0], Num)


def _is(expr: Expr, function: str) -> bool:
    return isinstance(expr, Call) and expr.function == function
