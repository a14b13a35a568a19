"""The verdict of a proof: proved, refuted or undecided, computed from the predictions of every declared run.

Nothing here is read from a record that says how good a run was: accuracies are counted again, from predicted classes
and labels. No torch, no data set, no figure that somebody typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tinyproof.core import stats
from tinyproof.core.errors import InputError
from tinyproof.core.stats import Interval

Word = Literal["proved", "refuted", "undecided"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Score:
    """One finished run: its seed, how many of `images` test images it got right after its last epoch."""

    seed: int
    correct: int
    images: int

    def __post_init__(self) -> None:
        if self.images < 1 or not 0 <= self.correct <= self.images:
            raise InputError("correct", f"{self.correct} of {self.images}", "0 <= correct <= images, images >= 1")

    @property
    def percent(self) -> float:
        """Accuracy, 0 to 100."""
        return 100 * self.correct / self.images

    @property
    def interval(self) -> Interval:
        """What this one run on so many images says of its own accuracy: Clopper-Pearson, in percent."""
        exact = stats.clopper_pearson(self.correct, self.images, CONFIDENCE)
        return Interval(100 * exact.low, 100 * exact.high, CONFIDENCE)


def score(seed: int, predictions: np.ndarray, labels: np.ndarray) -> Score:
    """Count the right answers; both arrays hold whole numbers, shape [N]. Raises InputError where they differ in shape.

    >>> score(1, np.array([7, 2, 1]), np.array([7, 2, 0])).correct
    2
    """
    if predictions.ndim != 1 or predictions.shape != labels.shape:
        raise InputError("predictions", f"shape {predictions.shape}", f"one for each of the {len(labels)} labels")
    return Score(seed, int((predictions == labels).sum()), len(labels))


@dataclass(frozen=True)
class Verdict:
    """The answer, with everything that it stands on. All accuracies in percent.

    `declared`: how many runs were declared before the first; `scores`: those that ended, in the declared order;
    `failed`: seed and reason of those that cannot end (not a number, for example). `interval`: two-sided 95 % of the
    mean; `lower`, `upper`: one-sided 95 % bounds; `p_value`: of "the mean is below the target". None below two runs.
    """

    word: Word
    reason: str
    target: float
    declared: int
    scores: tuple[Score, ...]
    failed: tuple[tuple[int, str], ...] = ()
    mean: float | None = None
    sd: float | None = None
    interval: Interval | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None

    @property
    def minimum(self) -> float | None:
        """The worst run, in percent."""
        return min((s.percent for s in self.scores), default=None)

    @property
    def maximum(self) -> float | None:
        """The best run, in percent; never the result."""
        return max((s.percent for s in self.scores), default=None)

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        return {
            "verdict": self.word,
            "reason": self.reason,
            "target_percent": self.target,
            "declared": self.declared,
            "finished": len(self.scores),
            "failed": [{"seed": seed, "reason": why} for seed, why in self.failed],
            "mean": self.mean,
            "sd": self.sd,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "interval_95": None if self.interval is None else [self.interval.low, self.interval.high],
            "lower_bound_95": self.lower,
            "upper_bound_95": self.upper,
            "p_value": self.p_value,
            "runs": [
                {
                    "seed": s.seed,
                    "correct": s.correct,
                    "images": s.images,
                    "percent": s.percent,
                    "interval_95": [s.interval.low, s.interval.high],
                }
                for s in self.scores
            ],
        }


def judge(scores: Sequence[Score], target: float, declared: int, failed: Sequence[tuple[int, str]] = ()) -> Verdict:
    """Judge `declared` runs against `target` percent.

    proved: every declared run ended, and the one-sided 95 % lower bound of their mean is at or above the target.
    refuted: the upper bound is below it. Anything else is undecided; so is a proof with a run missing or failed: to
    judge a part of the runs would let one choose which. Raises InputError on a target outside 0 to 100, fewer than one
    declared run, more scores than that, a seed twice, or runs on different numbers of images.
    """
    _check(scores, target, declared, failed)
    values = [s.percent for s in scores]
    images = scores[0].images if scores else 1
    if len(values) < 2:
        reason = _missing(len(values), declared, failed) or "one run says nothing about the spread; declare two or more"
        return Verdict(
            "undecided", reason, target, declared, tuple(scores), tuple(failed), values[0] if values else None
        )
    step = 100 / images
    bounds = _within(stats.mean_bound(values, CONFIDENCE, step))
    word, reason = _word(bounds, target, _missing(len(values), declared, failed))
    return Verdict(
        word=word,
        reason=reason,
        target=target,
        declared=declared,
        scores=tuple(scores),
        failed=tuple(failed),
        mean=stats.mean(values),
        sd=stats.sd(values),
        interval=_within(stats.mean_interval(values, CONFIDENCE, step)),
        lower=bounds.low,
        upper=bounds.high,
        p_value=stats.mean_above_p(values, target, step),
    )


def _within(interval: Interval) -> Interval:
    """No mean of accuracies lies outside 0 to 100 percent, whatever the normal distribution says."""
    return Interval(max(0.0, interval.low), min(100.0, interval.high), interval.confidence)


def _word(bounds: Interval, target: float, missing: str) -> tuple[Word, str]:
    if missing:
        return "undecided", missing
    if bounds.low >= target:
        return "proved", f"the mean is at least {bounds.low:.3f} % with 95 % confidence, and the target is {target:g} %"
    if bounds.high < target:
        return (
            "refuted",
            f"the mean is at most {bounds.high:.3f} % with 95 % confidence, and the target is {target:g} %",
        )
    return (
        "undecided",
        f"the target {target:g} % lies between the one-sided 95 % bounds of the mean, "
        f"{bounds.low:.3f} % and {bounds.high:.3f} %",
    )


def _missing(finished: int, declared: int, failed: Sequence[tuple[int, str]]) -> str:
    if failed:
        seed, why = failed[0]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return f"the run with seed {seed} failed{more}: {why}"
    return "" if finished == declared else f"{finished} of {declared} declared runs have ended"


def _check(scores: Sequence[Score], target: float, declared: int, failed: Sequence[tuple[int, str]]) -> None:
    if not 0 <= target <= 100:
        raise InputError("target", target, "an accuracy from 0 to 100 percent")
    if declared < 1 or len(scores) + len(failed) > declared:
        raise InputError("seeds", declared, f"at least the {max(1, len(scores) + len(failed))} runs there are")
    seeds = [s.seed for s in scores] + [seed for seed, _ in failed]
    twice = {seed for seed in seeds if seeds.count(seed) > 1}
    if twice:
        raise InputError("seeds", min(twice), "each seed once")
    if len({s.images for s in scores}) > 1:
        raise InputError("runs", "different numbers of test images", "all runs evaluated on the same images")
