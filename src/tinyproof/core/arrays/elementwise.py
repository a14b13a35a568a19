"""Functions of one or two arrays, element by element."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from tinyproof.core.arrays.array_places import named_by, spread
from tinyproof.core.arrays.element_kinds import CAST, higher, scalar
from tinyproof.core.arrays.plain_array import asarray, columns, made, ndarray, paired
from tinyproof.core.arrays.scalars import INF, NAN, exponential, logarithm, square_root


def of_each(quick: Callable[[Any], Any], careful: Callable[[Any], Any], kind: str = "f") -> Callable[[Any], Any]:
    """A function of each element; `careful` takes the place of `quick` where that one raises."""

    def function(values: Any) -> Any:
        given = asarray(values)
        try:
            flat = list(map(quick, given.flat))
        except (ValueError, OverflowError):
            flat = list(map(careful, given.flat))
        return made(flat, given.shape, kind)

    return function


exp = of_each(math.exp, exponential)
log = of_each(math.log, logarithm(math.log))
log10 = of_each(math.log10, logarithm(math.log10))
log1p = of_each(math.log1p, logarithm(math.log1p, -1.0))
sqrt = of_each(math.sqrt, square_root)
tanh = of_each(math.tanh, math.tanh)
floor = of_each(lambda x: float(math.floor(x)), lambda x: float(math.floor(x)) if math.isfinite(x) else x)
isfinite = of_each(math.isfinite, math.isfinite, "b")
isnan = of_each(math.isnan, math.isnan, "b")


def absolute(values: Any) -> Any:
    """Without the sign."""
    given = asarray(values)
    return made(list(map(abs, given.flat)), given.shape, given.kind)


def sign(values: Any) -> Any:
    """-1, 0 or 1; nan stays nan."""
    given = asarray(values)
    of = CAST[given.kind]
    return made([x if x != x else of((x > 0) - (x < 0)) for x in given.flat], given.shape, given.kind)


def rounded(values: Any, digits: int = 0) -> Any:
    """To so many decimals, by way of a multiple that is rounded to the even one of two as near."""
    given = asarray(values)
    try:
        by = 10.0 ** abs(digits)
    except OverflowError:
        by = INF
    return made([_rounded(float(x), by, digits < 0) for x in given.flat], given.shape, "f")


def _rounded(x: float, by: float, tens: bool) -> float:
    scaled = x / by if tens else x * by
    whole = float(round(scaled)) if math.isfinite(scaled) else scaled
    return whole * by if tens else whole / by if by != INF else NAN


def nan_to_num(values: Any, nan: float = 0.0, posinf: float = 1.7976931348623157e308, neginf: float = 0.0) -> Any:
    """Numbers for nan and the infinities: 0, the largest and the smallest float64 where nothing else is said."""
    given, low = asarray(values, float), neginf or -posinf
    if all(map(math.isfinite, given.flat)):
        return given.copy() if given.shape else scalar(given.flat[0])
    flat = [x if math.isfinite(x) else nan if x != x else posinf if x > 0 else low for x in given.flat]
    return made(flat, given.shape, "f")


def where(holds: Any, yes: Any, no: Any) -> Any:
    """Of two operands the one or the other, by element."""
    (c, x, y), shape, (_, *kinds) = columns(holds, yes, no)
    kind = higher(*kinds)
    flat = [a if t else b for t, a, b in zip(c, x, y, strict=True)]
    return ndarray(flat if kinds[0] == kinds[1] else list(map(CAST[kind], flat)), shape, kind)


class Pairwise:
    """A function of two arrays, which can also be taken along a list of them, or be applied in place."""

    def __init__(self, of: Callable[[Any, Any], Any], kind: str = "") -> None:
        self.of, self.kind = of, kind

    def __call__(self, a: Any, b: Any) -> Any:
        """Element by element."""
        return paired(self.of, a, b, self.kind)

    def reduce(self, values: Sequence[Any]) -> Any:
        """From the first to the last."""
        return reduce(self, values)

    def at(self, target: ndarray, where: Any, values: Any) -> None:
        """One after the other into the places of `target`; a place may come several times."""
        numbers, width, shape = named_by(target.shape, where)
        given, flat, of = asarray(values, target.kind), target.flat, self.of
        moved = spread(given.flat, given.shape, shape)
        if width == 1 and of is operator.add:
            for number, one in zip(numbers, moved, strict=True):
                flat[number] += one
        elif width == 1:
            for number, one in zip(numbers, moved, strict=True):
                flat[number] = of(flat[number], one)
        else:
            for at, number in enumerate(numbers):
                own = slice(number * width, (number + 1) * width)
                flat[own] = map(of, flat[own], moved[at * width : (at + 1) * width])


add = Pairwise(operator.add)
multiply = Pairwise(operator.mul)
maximum = Pairwise(lambda a, b: a if a >= b or a != a else b)
minimum = Pairwise(lambda a, b: a if a <= b or a != a else b)
logical_or = Pairwise(lambda a, b: bool(a or b), "b")
greater = Pairwise(operator.gt, "b")
greater_equal = Pairwise(operator.ge, "b")
equal = Pairwise(operator.eq, "b")
not_equal = Pairwise(operator.ne, "b")


def clip(values: Any, low: Any, high: Any) -> Any:
    """Between two bounds."""
    return minimum(maximum(values, low), high)
