"""Confusion, classes, hardest images and calibration against scikit-learn and by hand; recipes in one line."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tinyproof.core.errors import InputError
from tinyproof.prove import analysis
from tinyproof.train.recipe import named
from tinyproof.train.recipe_text import parse

RNG = np.random.default_rng(8)
LABELS = RNG.integers(0, 5, 400)
PREDICTIONS = np.where(RNG.random((6, 400)) < 0.8, LABELS, RNG.integers(0, 5, (6, 400))).astype(np.uint8)


def test_confusion_and_accuracy_by_class_are_scikit_learns() -> None:
    counts = analysis.confusion(PREDICTIONS, LABELS, 5)
    theirs = metrics.confusion_matrix(np.tile(LABELS, 6), PREDICTIONS.ravel())
    assert np.array_equal(counts, theirs)
    recall = metrics.recall_score(np.tile(LABELS, 6), PREDICTIONS.ravel(), average=None)
    assert analysis.by_class(counts) == pytest.approx(recall)


def test_a_class_without_images_has_no_accuracy() -> None:
    assert np.isnan(analysis.by_class(analysis.confusion(np.array([[0]]), np.array([0]), 2))[1])


def test_the_hardest_image_is_the_one_most_runs_got_wrong() -> None:
    predictions = np.tile(np.arange(4), (3, 1))
    predictions[:, 2] = (7, 7, 5)
    predictions[0, 1] = 9
    found = analysis.hardest(predictions, np.arange(4), 10)
    assert [(h.row, h.truth, h.wrong, h.said) for h in found] == [(2, 2, 3, 7), (1, 1, 1, 9)]


def test_calibration_of_a_network_that_says_what_it_knows() -> None:
    confidence = RNG.random(200_000)
    bins = analysis.calibration(confidence, RNG.random(200_000) < confidence)
    assert bins.error < 0.01
    sure = analysis.calibration(np.full(1000, 0.99), RNG.random(1000) < 0.5)
    assert sure.error == pytest.approx(0.49, abs=0.06)
    assert sum(bins.images) == 200_000


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("s7-8k,rate=0.01", "rate", 0.01),
        ("best,ema=none", "ema", None),
        ("best,dropout=0.1", "dropout", 0.1),
        ("s6-19k,nesterov=true", "nesterov", True),
        ("best,optimizer=sgd", "optimizer", "sgd"),
    ],
)
def test_a_recipe_in_one_line(text: str, field: str, value: object) -> None:
    assert getattr(parse(text), field) == value
    assert parse(text.partition(",")[0]) == named(text.partition(",")[0])


def test_parts_of_a_recipe_are_reached_with_a_point() -> None:
    found = parse("s7-8k,schedule.kind=cosine,augment.max_degrees=9")
    assert (found.schedule.kind, found.augment.max_degrees, found.augment.crop_to) == ("cosine", 9, 22)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("worst", "recipe: 'worst'"),
        ("best,rate", "field=value"),
        ("best,raet=1", "did you mean rate"),
        ("best,rate.x=1", "no parts"),
        ("best,schedule.kid=step", "did you mean kind"),
        ("best,epochs=2.5", "epochs: 2.5"),
        ("best,rate=quick", "rate: 'quick'"),
    ],
)
def test_a_wrong_recipe_is_refused(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse(text)
