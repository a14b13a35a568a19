"""The learning-rate range test and the sweep: on training images alone, with the rate that they should find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.prove.proving import ALONE, TINY, call

from tinyproof.api import lr_sweep
from tinyproof.api import lr_test as job
from tinyproof.api.lr_sweep import LrSweepResult, TriedRate
from tinyproof.api.lr_test import LrTestResult, lr_test
from tinyproof.core.errors import InputError, Stopped, TinyproofError
from tinyproof.core.printed import printed
from tinyproof.data.dataset import subset
from tinyproof.data.load import load_digits
from tinyproof.prove.declare import Ask
from tinyproof.train.engine import Batch, Tally
from tinyproof.train.lr_range import range_test
from tinyproof.train.recipe import Recipe

ASKED: dict[str, Any] = {"dataset": "digits", "engine": "torch", "device": "cpu"}
FEW = subset(load_digits(), 100, 20)


class Valley:
    """An engine whose loss is a known function of the rate: it falls fastest at 0.01 and is lowest at 0.1."""

    def __init__(self) -> None:
        self.rate = 0.0

    def step(self, batch: Batch, rate: float) -> None:
        self.rate = rate

    def tally(self) -> Tally:
        x = np.log10(self.rate)
        fall = 1 / (1 + np.exp(6 * (x + 2)))
        explosion = np.exp(8 * (x + 0.3)) if x > -1 else 0.0
        return Tally(float(0.1 + fall + explosion), 0, 1)


def test_it_finds_the_steepest_fall_and_the_lowest_loss_and_stops_at_the_explosion() -> None:
    found = range_test(Valley(), Recipe("any"), FEW, steps=400, low=1e-5, high=10)  # type: ignore[arg-type]
    # Smoothing over about ten steps delays what is seen: 400 steps over six decades are 1.035 a step.
    assert found.steepest == pytest.approx(0.01, rel=0.6)
    assert 0.05 < found.lowest < 0.5
    assert found.exploded
    assert found.rates[-1] < 10


def test_a_loss_that_never_falls_has_no_steepest_fall() -> None:
    class Level(Valley):
        def tally(self) -> Tally:
            return Tally(2.3 + 0.02 * float(np.sin(1e4 * self.rate)), 0, 1)

    level = range_test(Level(), Recipe("any"), FEW, steps=100, low=1e-4, high=1e-2)  # type: ignore[arg-type]
    assert (level.steepest, level.lowest) == (None, None)
    assert (
        printed(LrTestResult, level)
        .words()
        .startswith("the loss never falls between the rates 0.0001 and 0.01, and did not explode")
    )
    rising = range_test(Valley(), Recipe("any"), FEW, steps=100, low=0.2, high=10)  # type: ignore[arg-type]
    assert rising.steepest is None
    assert "and exploded" in printed(LrTestResult, rising).words()


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"low": 1.0, "high": 0.1}, "high: 0.1"),
        ({"low": 0.0}, "low: 0.0"),
        ({"steps": 3}, "steps: 3"),
    ],
)
def test_a_range_that_is_none_is_refused(asked: dict[str, float], match: str) -> None:
    with pytest.raises(InputError, match=match):
        range_test(Valley(), Recipe("any"), FEW, **{"steps": 400, **asked})  # type: ignore[arg-type]


def test_a_loss_that_is_never_a_number_is_refused() -> None:
    class Broken(Valley):
        def tally(self) -> Tally:
            return Tally(float("nan"), 0, 1)

    with pytest.raises(InputError, match="does not explode"):
        range_test(Broken(), Recipe("any"), FEW)  # type: ignore[arg-type]


def test_choices_never_see_the_test_images() -> None:
    digits = load_digits()
    part = lr_sweep.held_out(Ask(model="s7-8k", recipe=Recipe("any"), dataset="digits"))
    seen = {image.tobytes() for image in np.concatenate([part.train_images, part.test_images])}
    assert len(part.train_images) + len(part.test_images) == len(digits.train_images)
    assert not seen & {image.tobytes() for image in digits.test_images}
    assert np.bincount(part.test_labels).min() >= 10  # stratified


@pytest.mark.parametrize("rates", [None, [0.1]])
@pytest.mark.parametrize(
    ("place", "match"),
    [("rates.txt", "ends in .png"), ("folder.png", "a folder of that name"), ("file/a.png", "cannot be written")],
)
def test_a_picture_that_cannot_be_written_is_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rates: Any, place: str, match: str
) -> None:
    def begun(*_: object, **__: object) -> None:
        raise AssertionError("it has begun to train")

    monkeypatch.setattr(job, "held_out", begun)
    monkeypatch.setattr(lr_sweep, "run_bounded", begun)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TinyproofError, match=match):
        lr_test(TINY, Recipe("any"), rates=rates, picture=tmp_path / place, **ASKED)


def test_ctrl_c_in_the_range_test_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "range_test", stopped)
    with pytest.raises(Stopped, match="a range test keeps nothing"):
        lr_test(TINY, Recipe("any"), picture=None, **ASKED)


def test_the_command_sweeps_rates_and_draws_them(tmp_path: Path) -> None:
    done = call(
        "lr-test", TINY, "--recipe", "s6-19k,epochs=2", "--dataset", "digits", "--engine", "torch", *ALONE,
        "--rates", "0.05,1e30", "--picture", tmp_path / "rates.png",
    )  # fmt: skip
    assert done.returncode == 2
    assert "rate: 1e+30" in done.stderr
    done = call(
        "lr-test", TINY, "--recipe", "s6-19k,epochs=2", "--dataset", "digits", "--engine", "torch", *ALONE,
        "--rates", "0.05,1000", "--picture", tmp_path / "rates.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "training diverged" in done.stdout
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")


def _range(steepest: float, lowest: float, exploded: bool) -> LrTestResult:
    return LrTestResult((1e-4, 1e-3, 1e-2, 1e-1, 1.0), (1.0,) * 5, steepest, lowest, exploded)


def test_a_rate_is_named_and_why() -> None:
    found = _range(0.02, 0.2, True)
    assert (found.suggested, found.edge) == (pytest.approx(0.02), "")
    assert "try 0.02 as the peak rate, a tenth of the lowest loss's" in found.words()
    assert found.to_json()["suggested"] == found.suggested


@pytest.mark.parametrize(
    ("found", "edge", "told"),
    [
        (_range(0.02, 0.7, False), "high", "where the range ends: the best rate may lie beyond, so try a higher"),
        (_range(0.02, 0.7, True), "", "try 0.07"),
        (_range(0.00015, 0.01, True), "low", "where the range begins: the best rate may lie beyond, so try a lower"),
    ],
)  # fmt: skip
def test_an_answer_at_the_edge_of_the_range_is_said_to_be_that(found: LrTestResult, edge: str, told: str) -> None:
    assert found.edge == edge
    assert told in found.words()


@pytest.mark.parametrize(
    ("percents", "told"),
    [
        ((90.0, 95.0, 92.0), "best: 0.02, 95.00 % of the held-out images, one seed, 3.00 points before 0.04;"),
        (
            (95.0, 95.0, None),
            "as at 0.02; `prove` or `compare` says whether that is more than chance\nit is",
        ),
        ((1.0, 2.0, 3.0), "it is the highest rate that was tried: try higher ones too"),
        ((None, None, None), "no rate ended in a number"),
    ],
)
def test_a_sweep_says_which_rate_was_best(percents: tuple[float | None, ...], told: str) -> None:
    tried = tuple(TriedRate(rate, percent) for rate, percent in zip((0.01, 0.02, 0.04), percents, strict=True))
    assert told in LrSweepResult(tried).words()
