"""Claims read out of prose."""

from __future__ import annotations

import pytest

from tinyproof.check.prose import Claim, read_claims


def claims(text: str) -> list[Claim]:
    return list(read_claims("README.md", [(None, text)]))


@pytest.mark.parametrize(
    ("text", "value", "phase", "is_target", "best", "last", "epoch"),
    [
        ("Test accuracy: 99.41 %", 99.41, "test", False, False, False, None),
        ("- Best Test Accuracy : **99.43%** (16th epoch)", 99.43, "test", False, True, False, 16),
        ("Final validation accuracy of 99.38%", 99.38, "test", False, False, True, None),
        ("Train accuracy: 98.90%", 98.90, "train", False, False, False, None),
        ("Target: 99.4% test accuracy", 99.4, "test", True, False, False, None),
        ("The goal is to get more than 99.4% accuracy", 99.4, "", True, False, False, None),
        ("Accuracy 0.9941 on the test set", 99.41, "test", False, False, False, None),
        ("- Final **test accuracy = 0.8317**, close to the validation", 83.17, "test", False, False, True, None),
        ("It came to 0.7725 test accuracy.", 77.25, "test", False, False, False, None),
        ("| Model | 99.46 % test acc |", 99.46, "test", False, False, False, None),
    ],
)
def test_an_accuracy_is_read_with_what_is_said_of_it(
    text: str, value: float, phase: str, is_target: bool, best: bool, last: bool, epoch: int | None
) -> None:
    claim = claims(text)[0]
    assert (claim.kind, claim.value, claim.phase, claim.is_target) == ("accuracy", value, phase, is_target)
    assert (claim.best, claim.last, claim.epoch) == (best, last, epoch)


@pytest.mark.parametrize(
    ("text", "count", "is_target"),
    [
        ("The network has 7,904 parameters.", 7904, False),
        ("Parameters: 13808", 13808, False),
        ("* Total params - 6,379", 6379, False),
        ("less than 20,000 parameters", 20000, True),
        ("Target: under 8000 params", 8000, True),
        ("Total parameters 7,890, test accuracy high", 7890, False),
        ("| Params | Test |\n| --- | --- |\n| **7,890** | good |", 7890, False),
    ],
)
def test_a_parameter_count_is_read(text: str, count: int, is_target: bool) -> None:
    (claim,) = claims(text)
    assert (claim.kind, claim.value, claim.is_target) == ("parameters", count, is_target)


@pytest.mark.parametrize(
    "text",
    [
        "The fc alone has 4,096 parameters.",
        "The first layer takes 4,096 parameters",
        "We came from 13,808 parameters",
        "4,096 parameters fewer than before",
        "| Layer | Params |\n| --- | --- |\n| conv7 | 4,096 |",
        "| Layer | Params |\n| --- | --- |\n| Conv2d-7 | 4,096 |",
    ],
)
def test_a_count_of_a_part_is_not_the_networks(text: str) -> None:
    (claim,) = claims(text)
    assert claim.kind == "parameters"
    assert claim.elsewhere


@pytest.mark.parametrize(
    "text",
    [
        "```python\nTest accuracy: 99.41 %\n```",
        "```\nTest set: Average loss: 0.0199, Accuracy: 9941/10000 (99.41%)\n```",
        "![99.41%](https://img.shields.io/badge/acc-99.41%25-green)",
        "Dropout of 5% and 20% of the batch",
        "see https://example.org/accuracy-99.41%",
        "Python 3.11, torch 2.4, 10.5 GB",
    ],
)
def test_what_is_no_claim_is_passed_over(text: str) -> None:
    assert claims(text) == []


def test_results_listed_in_a_plain_block_are_claims() -> None:
    text = "```\nParameters: 13808\nBest Test Accuracy: 99.50 (12th Epoch)\n```"
    assert [claim.value for claim in claims(text)] == [13808, 99.5]


def test_epochs_are_read_as_targets_and_as_facts() -> None:
    found = [c for c in claims("Target: less than 15 epochs\n\nIt was trained for 14 epochs.") if c.kind == "epochs"]
    assert [(c.value, c.is_target) for c in found] == [(15, True), (14, False)]


def test_a_section_called_target_makes_targets() -> None:
    text = "## Target\n99.4% accuracy\n## Result\n99.41% accuracy"
    assert [(c.value, c.is_target) for c in claims(text)] == [(99.4, True), (99.41, False)]


def test_the_place_is_the_line() -> None:
    (claim,) = claims("one\ntwo\nTest accuracy 99.41%")
    assert (claim.place.file, claim.place.cell, claim.place.line) == ("README.md", None, 3)


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("We achieved 99.4% test accuracy", True),
        ("The target of 99.4% was reached", True),
        ("The model reached 99.4 % in the last epochs", True),
        ("We were able to achieve 99.4% accuracy", True),
        ("Target: achieve 99.4% accuracy", False),
        ("99.4% should be achieved in 15 epochs", False),
        ("The goal is to get 99.4% accuracy", False),
        ("We could not reach 99.4%", False),
        ("The model never achieved 99.4%", False),
        ("Train until 99.4% is reached", False),
        ("99.4% has to be met", False),
    ],
)
def test_what_was_reached_is_told_from_what_is_wanted(text: str, reached: bool) -> None:
    assert claims(text)[0].reached is reached
