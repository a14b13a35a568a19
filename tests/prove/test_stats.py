"""Intervals and tests against scipy.stats, and by simulation: does 95 % mean 95 %?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tinyproof.core import stats
from tinyproof.core.errors import InputError
from tinyproof.prove.verdict import Score, judge

SAMPLES = [
    [99.56, 99.54, 99.45, 99.47, 99.57],
    [99.1, 99.3],
    list(np.random.default_rng(3).normal(99.5, 0.05, 40)),
]


@pytest.mark.parametrize("values", SAMPLES, ids=["five", "two", "forty"])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_the_interval_of_the_mean_is_scipys(values: list[float], confidence: float) -> None:
    ours = stats.mean_interval(values, confidence)
    theirs = scipy_stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


@pytest.mark.parametrize("values", SAMPLES, ids=["five", "two", "forty"])
@pytest.mark.parametrize("target", [99.0, 99.45, 99.5, 120.0])
def test_the_one_sided_test_and_bounds_are_scipys(values: list[float], target: float) -> None:
    above = scipy_stats.ttest_1samp(values, target, alternative="greater")
    below = scipy_stats.ttest_1samp(values, target, alternative="less")
    bounds = stats.mean_bound(values)
    assert stats.mean_above_p(values, target) == pytest.approx(above.pvalue, rel=1e-9, abs=1e-300)
    assert bounds.low == pytest.approx(above.confidence_interval(0.95).low, rel=1e-12)
    assert bounds.high == pytest.approx(below.confidence_interval(0.95).high, rel=1e-12)


@pytest.mark.parametrize(("right", "images"), [(0, 10), (10, 10), (9940, 10_000), (9999, 10_000), (355, 360)])
def test_the_interval_of_one_accuracy_is_scipys_exact_one(right: int, images: int) -> None:
    ours = stats.clopper_pearson(right, images)
    theirs = scipy_stats.binomtest(right, images).proportion_ci(0.95, method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-15)


def test_the_paired_test_is_scipys() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(99.5, 0.05, 12), rng.normal(99.45, 0.05, 12)
    ours, theirs = stats.paired(list(first), list(second)), scipy_stats.ttest_rel(first, second)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    low, high = theirs.confidence_interval(0.95)
    assert (ours.interval.low, ours.interval.high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("other", SAMPLES, ids=["five", "two", "forty"])
@pytest.mark.parametrize("values", SAMPLES, ids=["five", "two", "forty"])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_welchs_test_is_scipys(values: list[float], other: list[float], confidence: float) -> None:
    moved = [value + 0.03 for value in other]
    ours, theirs = stats.welch(values, moved, confidence), scipy_stats.ttest_ind(values, moved, equal_var=False)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert ours.freedom == pytest.approx(theirs.df, rel=1e-9)
    low, high = theirs.confidence_interval(confidence)
    assert (ours.interval.low, ours.interval.high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("values", SAMPLES, ids=["five", "two", "forty"])
def test_students_test_is_scipys_pooled_one(values: list[float]) -> None:
    ours, theirs = stats.pooled(values, SAMPLES[0]), scipy_stats.ttest_ind(values, SAMPLES[0])
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    low, high = theirs.confidence_interval(0.95)
    assert (ours.interval.low, ours.interval.high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("values", SAMPLES, ids=["five", "two", "forty"])
def test_one_value_against_many_is_scipys_pooled_test(values: list[float]) -> None:
    # scipy refuses a group of one, but takes it from summary figures.
    ours = stats.pooled([99.2], values)
    theirs = scipy_stats.ttest_ind_from_stats(99.2, 0.0, 1, np.mean(values), np.std(values, ddof=1), len(values))
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    half = ours.mean / theirs.statistic * scipy_stats.t.ppf(0.975, len(values) - 1)
    assert ours.interval.high - ours.mean == pytest.approx(half, rel=1e-6)


def test_equal_values_do_not_make_a_difference_certain_where_the_scale_is_coarse() -> None:
    assert stats.welch([98.0, 98.0], [97.5, 97.5]).p_value == 0
    assert stats.welch([98.0, 98.0], [97.5, 97.5], resolution=0.5).p_value > 0.05
    assert stats.welch([98.0, 98.0], [98.0, 98.0]).p_value == 1
    assert stats.pooled([97.5], [98.0, 98.0], resolution=0.5).p_value > 0.05


def test_equal_values_do_not_make_the_mean_certain_where_the_scale_is_coarse() -> None:
    assert stats.mean_bound([98.0, 98.0]).low == 98.0
    assert stats.mean_bound([98.0, 98.0], resolution=0.5).low < 98.0


@pytest.mark.parametrize("values", [[], [99.5]], ids=["none", "one"])
def test_too_few_values_are_refused(values: list[float]) -> None:
    with pytest.raises(InputError, match="at least"):
        stats.mean_interval(values)
    with pytest.raises(InputError, match="at least"):
        stats.welch([99.1, 99.2], values)
    with pytest.raises(InputError, match="at least"):
        stats.pooled([99.1], values)


# ---------------------------------------------------------------- by simulation

TRIALS = 4000


def _spread(share: float) -> float:
    """Three and a half standard errors of a share over TRIALS: a right method fails by chance once in 4,000 tests."""
    return 3.5 * float(np.sqrt(share * (1 - share) / TRIALS))


def _proofs(rng: np.random.Generator, truth: float, sd: float, seeds: int, images: int) -> np.ndarray:
    """TRIALS proofs of `seeds` runs: counts of right answers, [TRIALS, seeds]; `truth` and `sd` in percent."""
    percent = rng.normal(truth, sd, (TRIALS, seeds))
    return np.clip(np.rint(percent * images / 100), 0, images).astype(int)


@pytest.mark.parametrize(("seeds", "images"), [(3, 10_000), (10, 10_000), (10, 360)])
def test_the_interval_covers_the_true_mean_in_95_of_100_proofs(seeds: int, images: int) -> None:
    truth = 98.5
    counts = _proofs(np.random.default_rng(seeds), truth, 0.5, seeds, images)
    hits = 0
    for row in counts:
        interval = judge([Score(i, int(c), images) for i, c in enumerate(row)], 98.0, seeds).interval
        assert interval is not None
        hits += interval.low <= truth <= interval.high
    assert hits / TRIALS == pytest.approx(0.95, abs=_spread(0.95))


@pytest.mark.parametrize(
    ("seeds", "images", "sd"),
    [(2, 10_000, 0.05), (5, 10_000, 0.05), (10, 10_000, 0.05), (10, 10_000, 0.002), (2, 360, 0.3), (3, 360, 0.05)],
)
def test_at_most_5_of_100_are_proved_where_the_true_mean_only_just_misses(seeds: int, images: int, sd: float) -> None:
    target = 99.5
    counts = _proofs(np.random.default_rng(7), target, sd, seeds, images)
    words = [judge([Score(i, int(c), images) for i, c in enumerate(row)], target, seeds).word for row in counts]
    assert words.count("proved") / TRIALS <= 0.05 + _spread(0.05)
    assert words.count("refuted") / TRIALS <= 0.05 + _spread(0.05)


def test_looking_again_and_again_would_let_luck_in() -> None:
    """Why more seeds are a new proof: six looks (5, 10, ... 30 seeds) prove far too often."""
    counts = _proofs(np.random.default_rng(11), 99.5, 0.05, 30, 10_000)[:1500]
    lucky = 0
    for row in counts:
        looks = ([Score(i, int(c), 10_000) for i, c in enumerate(row[:n])] for n in range(5, 31, 5))
        lucky += any(judge(scores, 99.5, len(scores)).word == "proved" for scores in looks)
    assert 0.10 < lucky / len(counts) < 0.20
