"""Statistics of repeated runs: mean, spread, intervals; tests against a target, of pairs, of two samples.

The distributions are in `distributions`; nothing here needs more than Python.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from tinyproof.core.distributions import beta_quantile, coins, student_quantile, student_tail
from tinyproof.core.errors import InputError


@dataclass(frozen=True)
class Interval:
    """A confidence interval, `low` to `high`, in the unit of the data; `confidence` between 0 and 1."""

    low: float
    high: float
    confidence: float


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean (correctly rounded sum). Raises InputError on an empty sequence.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    if not values:
        raise InputError("values", None, "give at least one", problem="are missing")
    return math.fsum(values) / len(values)


def sd(values: Sequence[float]) -> float:
    """The sample standard deviation (n - 1). Raises InputError below two values.

    >>> sd([1.0, 3.0])
    1.4142135623730951
    """
    if len(values) < 2:
        raise InputError("values", f"{len(values)} value(s)", "at least two values for a standard deviation")
    centre = mean(values)
    return math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (len(values) - 1))


def mean_interval(values: Sequence[float], confidence: float = 0.95, resolution: float = 0.0) -> Interval:
    """Student's t interval of the mean, two-sided. Needs two values or more (InputError).

    `resolution`: the step of the scale on which the values were read (one image in percent, for an accuracy). A spread
    below that of rounding alone (step / sqrt 12) is not believed: two equal counts do not make the mean certain.
    """
    half = _quantile((1 + _level(confidence)) / 2, len(values) - 1) * _error(values, resolution)
    return Interval(mean(values) - half, mean(values) + half, confidence)


def never_above(bound: float, digits: int) -> str:
    """A lower bound with so many decimals, rounded down: what is printed is never more than what is known.

    >>> never_above(99.4999, 2), never_above(99.5, 2), never_above(96.43, 3)
    ('99.49', '99.50', '96.430')
    """
    return str(Decimal(repr(float(bound))).quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR))


def mean_bound(values: Sequence[float], confidence: float = 0.95, resolution: float = 0.0) -> Interval:
    """One-sided t bounds of the mean, each alone with the given confidence: (lower bound, upper bound)."""
    half = _quantile(_level(confidence), len(values) - 1) * _error(values, resolution)
    return Interval(mean(values) - half, mean(values) + half, confidence)


def mean_above_p(values: Sequence[float], target: float, resolution: float = 0.0) -> float:
    """p-value of the one-sided t test of "the mean is at most `target`" against "it is above"."""
    error = _error(values, resolution)
    if error == 0:
        return 0.0 if mean(values) > target else 1.0
    return student_tail((mean(values) - target) / error, len(values) - 1)


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact binomial interval of a proportion (0 to 1), for one accuracy on `trials` images.

    Source: Clopper and Pearson, Biometrika 26 (1934).

    >>> interval = clopper_pearson(9940, 10000)
    >>> f"{interval.low:.4f} {interval.high:.4f}"
    '0.9923 0.9954'
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise InputError("successes", f"{successes} of {trials}", "0 <= successes <= trials, trials >= 1")
    tail = (1 - _level(confidence)) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, trials - successes + 1)
    high = 1.0 if successes == trials else beta_quantile(1 - tail, successes + 1, trials - successes)
    return Interval(low, high, confidence)


@dataclass(frozen=True)
class Paired:
    """Differences `first - second` on the same seeds: their mean, interval, two-sided p-value, count."""

    mean: float
    interval: Interval
    p_value: float
    n: int


def paired(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95, resolution: float = 0.0
) -> Paired:
    """Paired t test of two equally long sequences. Raises InputError where the lengths differ or are below two."""
    if len(first) != len(second):
        raise InputError("values", f"{len(first)} and {len(second)} values", "as many of one as of the other")
    differences = [a - b for a, b in zip(first, second, strict=True)]
    interval = mean_interval(differences, confidence, resolution)
    centre = mean(differences)
    p_value = _two_sided(centre, _error(differences, resolution), len(differences) - 1)
    return Paired(centre, interval, p_value, len(differences))


@dataclass(frozen=True)
class Unpaired:
    """The difference of two means, `first - second`: its interval, two-sided p-value, degrees of freedom."""

    mean: float
    interval: Interval
    p_value: float
    freedom: float


def welch(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95, resolution: float = 0.0
) -> Unpaired:
    """Welch's t test of two independent samples, which may differ in length and spread. Two values or more of each.

    Source: Welch, Biometrika 34 (1947). `resolution`: as in `mean_interval`.
    """
    ours, theirs = _error(first, resolution), _error(second, resolution)
    error = math.hypot(ours, theirs)
    share = (ours / error) ** 2 if error else 0.5
    freedom = 1 / (share**2 / (len(first) - 1) + (1 - share) ** 2 / (len(second) - 1))
    return _unpaired(mean(first) - mean(second), error, max(1.0, freedom), confidence)


def pooled(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95, resolution: float = 0.0
) -> Unpaired:
    """Student's t test of two independent samples of one common spread; one of them may be a single value.

    Three values or more in all (InputError). `resolution`: as in `mean_interval`.
    """
    freedom = len(first) + len(second) - 2
    if not first or not second or freedom < 1:
        raise InputError("values", f"{len(first)} and {len(second)} value(s)", "at least two of one, one of the other")
    squares = math.fsum((v - mean(side)) ** 2 for side in (first, second) for v in side)
    spread = max(math.sqrt(squares / freedom), resolution / math.sqrt(12))
    error = spread * math.sqrt(1 / len(first) + 1 / len(second))
    return _unpaired(mean(first) - mean(second), error, freedom, confidence)


def _unpaired(difference: float, error: float, freedom: float, confidence: float) -> Unpaired:
    half = _quantile((1 + _level(confidence)) / 2, freedom) * error
    interval = Interval(difference - half, difference + half, confidence)
    return Unpaired(difference, interval, _two_sided(difference, error, freedom), freedom)


def _two_sided(difference: float, error: float, freedom: float) -> float:
    """Student's t: the probability of a difference at least as large, either way, by chance alone."""
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * student_tail(abs(difference) / error, freedom)


def _error(values: Sequence[float], resolution: float) -> float:
    """The standard error of the mean."""
    return max(sd(values), resolution / math.sqrt(12)) / math.sqrt(len(values))


def _quantile(level: float, freedom: float) -> float:
    """Student's t: the value that is not exceeded with probability `level`."""
    if freedom < 1:
        raise InputError("values", f"{freedom + 1:g} value(s)", "at least two values for an interval")
    return student_quantile(level, freedom)


def _level(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InputError("confidence", confidence, "a number between 0 and 1, for example 0.95")
    return confidence


def sign_test(better: int, worse: int) -> float:
    """The two-sided probability of so uneven a split, or a more uneven one, if better and worse were equally likely.

    >>> sign_test(1, 6)
    0.125
    """
    return min(1.0, 2 * coins(min(better, worse), better + worse))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number, in their order: all of those at or below 0.05 are false with a
    probability of 5 % at most that any is (Holm, Scandinavian Journal of Statistics 6, 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected
