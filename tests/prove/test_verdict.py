"""The verdict: three words, what each stands on, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from tinyproof.core.errors import InputError
from tinyproof.prove.verdict import Score, judge, score


def scores(*correct: int, images: int = 10_000) -> list[Score]:
    return [Score(seed, c, images) for seed, c in enumerate(correct, 1)]


@pytest.mark.parametrize(
    ("target", "word"),
    [(99.40, "proved"), (99.50, "undecided"), (99.90, "refuted"), (0.0, "proved"), (100.0, "refuted")],
)
def test_the_word_follows_from_the_bounds(target: float, word: str) -> None:
    verdict = judge(scores(9956, 9954, 9945, 9947, 9957), target, 5)
    assert verdict.word == word
    assert verdict.mean == pytest.approx(99.518)
    assert verdict.minimum == 99.45
    assert verdict.p_value is not None
    assert (verdict.p_value <= 0.05) == (word == "proved")


def test_a_mean_above_the_target_is_not_yet_a_proof() -> None:
    verdict = judge(scores(9945, 9960), 99.50, 2)
    assert verdict.mean is not None
    assert verdict.mean > 99.50
    assert verdict.word == "undecided"


def test_a_bound_that_meets_the_target_exactly_proves_and_does_not_refute() -> None:
    runs = scores(9956, 9954, 9945, 9947, 9957)
    bounds = judge(runs, 99.5, 5)
    assert bounds.lower is not None
    assert bounds.upper is not None
    assert judge(runs, bounds.lower, 5).word == "proved"
    assert judge(runs, math.nextafter(bounds.lower, 100), 5).word == "undecided"
    assert judge(runs, bounds.upper, 5).word == "undecided"
    assert judge(runs, math.nextafter(bounds.upper, 100), 5).word == "refuted"


@pytest.mark.parametrize("count", [0, 1, 4])
def test_nothing_is_judged_before_every_declared_run_has_ended(count: int) -> None:
    verdict = judge(scores(*[9990] * count), 99.0, 5)
    assert verdict.word == "undecided"
    assert f"{count} of 5" in verdict.reason


def test_a_failed_run_is_never_left_out() -> None:
    verdict = judge(scores(9990, 9991, 9992), 99.0, 4, [(9, "the loss is not a number at step 12")])
    assert verdict.word == "undecided"
    assert "seed 9 failed: the loss is not a number at step 12" in verdict.reason


def test_one_declared_run_decides_nothing() -> None:
    verdict = judge(scores(10_000), 99.0, 1)
    assert verdict.word == "undecided"
    assert "spread" in verdict.reason


def test_two_equal_runs_on_few_images_prove_only_with_room_to_spare() -> None:
    assert judge(scores(355, 355, images=360), 98.6, 2).word == "undecided"
    assert judge(scores(355, 355, images=360), 98.0, 2).word == "proved"


def test_right_answers_are_counted_from_predictions() -> None:
    labels = np.arange(10_000) % 10
    predictions = labels.astype(np.uint8).copy()
    predictions[:37] = (predictions[:37] + 1) % 10
    assert score(4, predictions, labels) == Score(4, 9963, 10_000)


def test_a_missing_prediction_is_refused() -> None:
    with pytest.raises(InputError, match="one for each of the 10 labels"):
        score(1, np.zeros(9, np.uint8), np.zeros(10, np.uint8))


@pytest.mark.parametrize(
    ("runs", "target", "declared", "match"),
    [
        (scores(9950, 9950), 101, 2, "target"),
        (scores(9950, 9950), 99.5, 1, "seeds"),
        ([Score(1, 1, 2), Score(1, 1, 2)], 99.5, 2, "each seed once"),
        ([Score(1, 1, 2), Score(2, 1, 3)], 99.5, 2, "same images"),
        ([], 99.5, 0, "seeds"),
    ],
    ids=["target", "more-runs-than-declared", "seed-twice", "other-images", "none-declared"],
)
def test_what_cannot_be_judged_is_refused(runs: list[Score], target: float, declared: int, match: str) -> None:
    with pytest.raises(InputError, match=match):
        judge(runs, target, declared)


def test_a_verdict_needs_neither_torch_nor_scipy() -> None:
    code = (
        "import sys; from tinyproof.prove.verdict import Score, judge; "
        "judge([Score(1, 9950, 10000), Score(2, 9951, 10000)], 99, 2).to_json(); "
        "print([m for m in ('torch', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
