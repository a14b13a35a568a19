"""The distributions that statistics need: Student's t, the beta distribution and fair coins, in Python alone.

The first two are one function, the regularised incomplete beta function, by its continued fraction (NIST Digital
Library of Mathematical Functions, 8.17.22), evaluated as Lentz does (Applied Optics 15, 1976). What stands before the
fraction would lose digits as a difference of large logarithms; it is taken from Stirling's error and the deviance
(Loader, Fast and Accurate Computation of Binomial Probabilities, 2000). Quantiles are Newton's, from a point from which
every step goes the same way. The tests hold all of it against scipy, and against mpmath where scipy has fewer digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from sys import float_info


def student_tail(t: float, freedom: float) -> float:
    """Student's t: the probability of more than `t`, with all its digits also far out. `freedom` above 0.

    >>> round(student_tail(1.0, 1), 15)
    0.25
    """
    if t <= 0:
        return 0.5 if t == 0 else 1 - student_tail(-t, freedom)
    return _student(t, freedom)[0] / 2


@lru_cache(maxsize=256)
def student_quantile(level: float, freedom: float) -> float:
    """Student's t: the value that is not exceeded with probability `level` (above 0, 1 at most). `freedom` above 0.

    >>> round(student_quantile(0.975, 9), 12)
    2.262157162798
    """
    if level <= 0.5:
        return 0.0 if level == 0.5 else -student_quantile(1 - level, freedom)
    if level == 1:
        return math.inf
    centre, outside = level - 0.5, 1 - level
    # The density is nowhere above 1 / sqrt(2 pi) and falls from 0 on: the start is too near, and so is every step.
    t = centre * math.sqrt(2 * math.pi)
    while True:
        beyond, within, power = _student(t, freedom)
        missing = beyond / 2 - outside if outside < centre else centre - within / 2
        further = t + missing * t / power
        if not further > t:
            return t
        t = further


def beta_quantile(level: float, a: float, b: float) -> float:
    """The beta distribution: the value (0 to 1) that is not exceeded with probability `level` (above 0, 1 at most).

    `a` and `b` from 1 on.

    >>> round(beta_quantile(0.5, 2, 2), 15)
    0.5
    """
    if level == 1:
        return 1.0
    if a == 1:
        return -math.expm1(math.log1p(-level) / b)
    if b == 1:
        return math.pow(level, 1 / a)
    # The density rises up to here and falls from here on, so that no step from here leads beyond what is looked for.
    x = (a - 1) / (a + b - 2)
    way = 0.0
    while True:
        below, above, power = _beta(a, b, x, 1 - x)
        missing = level - below if level < 0.5 else above - (1 - level)
        way = way or math.copysign(1, missing)
        further = x + missing * x * (1 - x) / power
        if not way * further > way * x:
            return x
        x = further


def coins(heads: int, tosses: int) -> float:
    """The probability of at most so many heads where a coin is fair; exact but for the last rounding.

    >>> coins(1, 3)
    0.5
    """
    ways = total = 1
    for head in range(heads):
        ways = ways * (tosses - head) // (head + 1)
        total += ways
    return total / (1 << tosses)


def _student(t: float, freedom: float) -> tuple[float, float, float]:
    """Of t above 0: the probability outside of -t to t, the one within, and t times the density."""
    root = math.sqrt(freedom)
    far = math.hypot(t, root)
    return _beta(freedom / 2, 0.5, (root / far) ** 2, (t / far) ** 2)


def _beta(a: float, b: float, x: float, y: float) -> tuple[float, float, float]:
    """The regularised incomplete beta function at x = 1 - y, what is missing to 1, and x y times the slope."""
    if x == 0 or y == 0:
        return (0.0, 1.0, 0.0) if x == 0 else (1.0, 0.0, 0.0)
    power = _power(a, b, x, y)
    if x * (a + b + 2) < a + 1:
        below = power / (a * _fraction(a, b, x))
        return below, 1 - below, power
    above = power / (b * _fraction(b, a, y))
    return 1 - above, above, power


def _power(a: float, b: float, x: float, y: float) -> float:
    """x^a y^b divided by the beta function of a and b."""
    whole = a + b
    error = _stirling(whole) - _stirling(a) - _stirling(b)
    deviance = _deviance(a, whole * x) + _deviance(b, whole * y)
    return math.sqrt(a / whole * b / (2 * math.pi)) * math.exp(error - deviance)


def _stirling(z: float) -> float:
    """How much the logarithm of z! is above Stirling's formula, sqrt(2 pi z) (z / e)^z."""
    more = 0.0
    while z < 16:
        more += (z + 0.5) * math.log1p(1 / z) - 1
        z += 1
    s = z * z
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / s) / s) / s) / s) / z + more


def _deviance(k: float, expected: float) -> float:
    """k log(k / expected) + expected - k, with all its digits also where both are nearly equal."""
    v = (k - expected) / (k + expected)
    if abs(v) > 0.1:
        return k * math.log(k / expected) + expected - k
    total, term = (k - expected) * v, 2 * k * v
    for j in count(3, 2):
        term *= v * v
        total += term / j
        if not abs(term) > float_info.epsilon * total:
            break
    return total


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)): the continued fraction of the incomplete beta function, for x below the mean."""
    found, c, d = 1.0, 1.0, 0.0
    for part in _parts(a, b, x):
        c, d = 1 + part / c, 1 / (1 + part * d)
        found *= c * d
        if not abs(c * d - 1) > float_info.epsilon:
            break
    return found


def _parts(a: float, b: float, x: float) -> Iterator[float]:
    for m in count():
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        yield (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))
