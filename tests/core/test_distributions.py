"""The distributions against scipy to 1e-12, and against fifty digits where scipy has fewer."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import mpmath
import pytest
from scipy import special

from tinyproof.core.distributions import beta_quantile, coins, student_quantile, student_tail

LEVELS = (0.001, 0.025, 0.05, 0.3, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995, 0.9995, 1 - 1e-9)
FREEDOMS = (1, 1.5, 2, 3, 4.7, 9, 29, 99.25, 1000, 10_000)
DIGITS = 1e-12


def exact_tail(t: float, freedom: float) -> float:
    """Student's t by mpmath, with fifty digits on the way."""
    with mpmath.workdps(50):
        square, half = mpmath.mpf(t) ** 2, mpmath.mpf(freedom) / 2
        share = mpmath.mpf(freedom) / (freedom + square)
        return float(mpmath.betainc(half, mpmath.mpf("0.5"), 0, share, regularized=True) / 2)


def drawn(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("t", [-40.0, -1.5, -0.1, 0.0, 0.1, 0.5, 1.0, 2.262, 7.5, 40.0, 1e6])
def test_the_tail_of_t_is_scipys(t: float, freedom: float) -> None:
    assert student_tail(t, freedom) == pytest.approx(special.stdtr(freedom, -t), rel=DIGITS, abs=1e-300)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("level", LEVELS)
def test_the_quantile_of_t_is_scipys(level: float, freedom: float) -> None:
    assert student_quantile(level, freedom) == pytest.approx(special.stdtrit(freedom, level), rel=DIGITS, abs=1e-15)


def test_t_has_its_digits_where_scipy_loses_some() -> None:
    t = 1.5872682376912158e-06
    assert abs(special.stdtr(1, -t) / exact_tail(t, 1) - 1) > DIGITS
    source = drawn(1)
    for _ in range(60):
        t, freedom = 10 ** source.uniform(-7, 1.7), source.uniform(1, 60)
        assert student_tail(t, freedom) == pytest.approx(exact_tail(t, freedom), rel=1e-13), (t, freedom)


@pytest.mark.parametrize("trials", [1, 2, 7, 360, 10_000, 60_000, 1_000_000])
@pytest.mark.parametrize("level", LEVELS)
def test_the_quantile_of_a_proportion_is_scipys(trials: int, level: float) -> None:
    for successes in sorted(
        {1, 2, trials // 3, trials // 2, trials - 60, trials - 1, trials} & {*range(1, trials + 1)}
    ):
        theirs = special.betaincinv(successes, trials - successes + 1, level)
        assert beta_quantile(level, successes, trials - successes + 1) == pytest.approx(theirs, rel=DIGITS), successes


def test_whatever_is_drawn_both_quantiles_are_scipys() -> None:
    source = drawn(2)
    for _ in range(400):
        trials = round(10 ** source.uniform(0.5, 6))
        successes, level = source.randint(1, trials), source.uniform(1e-4, 1)
        a, b, freedom = successes, trials - successes + 1, 10 ** source.uniform(0, 4)
        assert beta_quantile(level, a, b) == pytest.approx(special.betaincinv(a, b, level), rel=DIGITS), (a, b, level)
        theirs = special.stdtrit(freedom, level)
        # Beside the middle the level itself has no more digits: half a unit in its last place moves t by 1e-16.
        assert student_quantile(level, freedom) == pytest.approx(theirs, rel=DIGITS, abs=1e-14), (freedom, level)


@pytest.mark.parametrize("tosses", [0, 1, 2, 7, 60, 300])
def test_coins_are_scipys(tosses: int) -> None:
    for heads in range(tosses + 1):
        assert coins(heads, tosses) == pytest.approx(special.bdtr(heads, tosses, 0.5), rel=DIGITS)


def test_coins_are_exact() -> None:
    assert Fraction(coins(472, 988)) == Fraction(float(Fraction(sum(math.comb(988, k) for k in range(473)), 2**988)))
    assert coins(5000, 10_000) == pytest.approx(
        0.5 + math.exp(math.log(math.comb(10_000, 5000)) - 10_001 * math.log(2))
    )
    assert coins(0, 5000) == 0.0


def test_the_ends() -> None:
    assert student_quantile(1.0, 3) == math.inf
    assert student_quantile(0.5, 3) == 0
    assert beta_quantile(1.0, 3, 5) == beta_quantile(1.0, 1, 1) == 1
    assert student_tail(1e200, 5) == 0
    assert math.isnan(student_tail(math.nan, 5))
    assert student_quantile(1 - 2**-53, 1) == pytest.approx(2**53 / math.pi)
    assert beta_quantile(2**-54, 9940, 61) == pytest.approx(special.betaincinv(9940, 61, 2**-54), rel=DIGITS)
