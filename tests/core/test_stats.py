"""Intervals and tests against scipy's own functions, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tinyproof.core import stats
from tinyproof.core.errors import InputError

VALUES = [99.56, 99.54, 99.45, 99.47, 99.57]
OTHERS = [99.50, 99.49, 99.47, 99.41, 99.50]


def test_mean_and_sd_equal_numpy() -> None:
    assert stats.mean(VALUES) == pytest.approx(np.mean(VALUES), rel=1e-15)
    assert stats.sd(VALUES) == pytest.approx(np.std(VALUES, ddof=1), rel=1e-12)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_mean_interval_equals_scipy(confidence: float) -> None:
    ours = stats.mean_interval(VALUES, confidence)
    theirs = scipy_stats.ttest_1samp(VALUES, 0).confidence_interval(confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_one_sided_bounds_and_test_equal_scipy() -> None:
    greater = scipy_stats.ttest_1samp(VALUES, 99.45, alternative="greater")
    less = scipy_stats.ttest_1samp(VALUES, 99.45, alternative="less")
    bounds = stats.mean_bound(VALUES, 0.95)
    assert bounds.low == pytest.approx(greater.confidence_interval(0.95).low, rel=1e-12)
    assert bounds.high == pytest.approx(less.confidence_interval(0.95).high, rel=1e-12)
    assert stats.mean_above_p(VALUES, 99.45) == pytest.approx(greater.pvalue, rel=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (9940, 10_000), (1, 2), (9999, 10_000)])
def test_clopper_pearson_equals_scipy(successes: int, trials: int) -> None:
    ours = stats.clopper_pearson(successes, trials)
    theirs = scipy_stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-10)


def test_paired_equals_scipy() -> None:
    ours = stats.paired(VALUES, OTHERS)
    theirs = scipy_stats.ttest_rel(VALUES, OTHERS)
    interval = theirs.confidence_interval(0.95)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (ours.interval.low, ours.interval.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_the_95_percent_interval_covers_95_percent() -> None:
    generator = np.random.default_rng(7)
    samples = generator.normal(99.5, 0.05, size=(4000, 10))
    inside = 0
    for row in samples:
        interval = stats.mean_interval(row.tolist())
        inside += interval.low <= 99.5 <= interval.high
    # 4000 trials: a standard error of 0.34 points; four of them on either side.
    assert inside / len(samples) == pytest.approx(0.95, abs=0.0138)


def test_runs_without_any_spread() -> None:
    assert stats.mean_above_p([99.5, 99.5], 99.4) == 0.0
    assert stats.mean_above_p([99.5, 99.5], 99.5) == 1.0
    assert stats.paired([1.0, 2.0], [1.0, 2.0]).p_value == 1.0


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="give at least one"):
        stats.mean([])
    with pytest.raises(InputError, match="at least two values"):
        stats.mean_interval([99.0])
    with pytest.raises(InputError, match="as many of one as of the other"):
        stats.paired([1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="0 <= successes <= trials"):
        stats.clopper_pearson(11, 10)
    with pytest.raises(InputError, match="confidence: 95 is not allowed"):
        stats.mean_interval(VALUES, 95)
