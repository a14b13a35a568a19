"""One number with the arithmetic of IEEE 754, where Python's own raises: a division by zero, an overflow."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

NAN, INF = math.nan, math.inf


def divided(a: float, b: float) -> float:
    """a / b; by zero it is an infinity, or nan."""
    if b:
        return a / b
    return NAN if not a or a != a else math.copysign(INF, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """a**b; nan where that is no real number, an infinity where it is too large."""
    try:
        return a * a if b == 2 else math.pow(a, b)
    except OverflowError:
        return -INF if a < 0 and b % 2 == 1 else INF
    except ValueError:
        if a:
            return NAN
        return -INF if math.copysign(1.0, a) < 0 and b % 2 == 1 else INF


def exponential(x: float) -> float:
    """e**x."""
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def logarithm(of: Callable[[float], float], lowest: float = 0.0) -> Callable[[float], float]:
    """A logarithm that is minus infinity at `lowest`, and nan below it."""
    return lambda x: of(x) if x > lowest or x != x else -INF if x == lowest else NAN


def square_root(x: float) -> float:
    """The root; nan of a negative number."""
    return math.sqrt(x) if x >= 0 else NAN


class float64(float):
    """A float whose arithmetic follows IEEE 754."""

    __slots__ = ()
    shape: tuple[int, ...] = ()

    def tolist(self) -> float:
        """The plain number."""
        return float(self)

    def __neg__(self) -> float64:
        return float64(-float(self))

    def __abs__(self) -> float64:
        return float64(abs(float(self)))


def _method(of: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    def method(self: float64, other: Any) -> Any:
        if not isinstance(other, float | int):
            return NotImplemented
        pair = (float(other), float(self)) if reflected else (float(self), float(other))
        return float64(of(*pair))

    return method


for _name, _of in {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": divided,
    "pow": power,
}.items():
    setattr(float64, f"__{_name}__", _method(_of, reflected=False))
    setattr(float64, f"__r{_name}__", _method(_of, reflected=True))
