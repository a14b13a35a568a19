"""The audit on a sample of the layouts. `python -m tests.workbook.layouts` measures at length.

Three figures below say what the reader reaches; they are raised as it learns, never lowered.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.workbook.layouts.catalogue import LAYOUTS, make
from tests.workbook.layouts.measure import broken_ones, judged, right_ones
from tests.workbook.layouts.mistakes import MISTAKES, broken

HOLDING = ("columns", "lists-down", "worked-example", "matrices")  # layouts in which no right one is accused
LOCATED = 0.0  # share of the mutants below that are named at a cell that was changed
UNDECIDED = 1.0  # share of the right ones in the layouts above that may stay undecided
SEEDS = range(40_000, 41_000)


@pytest.mark.parametrize("layout", HOLDING)
def test_no_right_one_is_accused(layout: str) -> None:
    count = right_ones(layout, SEEDS[:6])
    assert count.outcomes["accused"] == 0, count.told
    assert count.outcomes["undecided"] <= UNDECIDED * 6, count.told


def test_mutants_are_located() -> None:
    outcomes, told = Counter[str](), []
    names = list(LAYOUTS)
    for index, kind in enumerate(MISTAKES):
        turned = names[index % len(names) :] + names[: index % len(names)]
        counts = (broken_ones(layout, kind, SEEDS[index:], 1) for layout in turned)
        count = next(count for count in counts if count.outcomes)
        outcomes.update(count.outcomes)
        told += count.told
    assert sum(outcomes.values()) == len(MISTAKES)
    assert outcomes["located"] >= LOCATED * len(MISTAKES), told


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(layout=st.sampled_from(HOLDING), seed=st.integers(0, 10**6))
def test_a_random_right_training_is_never_an_error(layout: str, seed: int, tmp_path: Path) -> None:
    made = make(layout, seed)
    [report] = judged([("", made)], tmp_path)
    assert report.status in ("right", "undecided"), [(f.place, f.message) for f in report.findings]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(layout=st.sampled_from(HOLDING), kind=st.sampled_from(list(MISTAKES)), seed=st.integers(0, 10**6))
def test_a_changed_formula_that_changes_the_numbers_is_never_right(
    layout: str, kind: str, seed: int, tmp_path: Path
) -> None:
    mutant = broken(make(layout, seed), kind, seed)
    assume(mutant is not None)
    assert mutant is not None
    [report] = judged([("", mutant.made)], tmp_path)
    assert report.status != "right", (mutant.words, sorted(mutant.changed))


def test_samples_differ() -> None:
    drawn = {str(make("rows", seed).spec) for seed in random.Random(1).sample(SEEDS, 20)}
    assert len(drawn) == 20
