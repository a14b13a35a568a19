"""The audit on a sample of the layouts. `python -m tests.workbook.layouts` measures at length.

The four figures below say what the reader reaches: more layouts, a larger share located, fewer called right or
undecided as it learns, never the other way round.
"""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.workbook.layouts.catalogue import LAYOUTS, make
from tests.workbook.layouts.measure import Count, counted, errors, judged, right_ones
from tests.workbook.layouts.mistakes import MISTAKES, broken
from tests.workbook.layouts.mutate import Mutant

HOLDING = ("columns", "blocks-turned", "sheets-list", "lists-down", "worked-example")  # no right one is accused
LOCATED = 0.09  # share of the mutants below that are named at a cell that was changed
CALLED_RIGHT = 5  # how many of these mutants may be called right
UNDECIDED = 1.0  # share of the right ones in the layouts above that may stay undecided
SEEDS = range(41_000, 42_000)


@pytest.mark.parametrize("layout", HOLDING)
def test_no_right_one_is_accused(layout: str) -> None:
    count = right_ones(layout, SEEDS[:6])
    assert count.outcomes["accused"] == 0, count.told
    assert count.outcomes["undecided"] <= UNDECIDED * 6, count.told


def sample(kind: str, index: int) -> Mutant:
    """A mutant of that kind in the first layout, from the index-th on, that has a place for it."""
    names = list(LAYOUTS)
    turned = names[index % len(names) :] + names[: index % len(names)]
    found = (broken(make(layout, seed), kind, seed) for seed, layout in product(SEEDS, turned))
    return next(mutant for mutant in found if mutant is not None)


def test_mutants_are_located() -> None:
    count = counted(Count("all", "all"), [sample(kind, index) for index, kind in enumerate(MISTAKES)])
    assert sum(count.outcomes.values()) == len(MISTAKES)
    assert count.outcomes["called right"] <= CALLED_RIGHT, count.told
    assert count.outcomes["located"] >= LOCATED * len(MISTAKES), count.told


several = st.lists(st.tuples(st.sampled_from(HOLDING), st.integers(0, 10**6)), min_size=6, max_size=6)
few = settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@few
@given(several)
def test_a_random_right_training_is_never_an_error(drawn: list[tuple[str, int]]) -> None:
    for (layout, seed), report in zip(drawn, judged([make(*one) for one in drawn]), strict=True):
        assert report.status in ("right", "undecided"), (layout, seed, errors(report))


def test_samples_differ() -> None:
    drawn = {str(make("rows", seed).spec) for seed in random.Random(1).sample(SEEDS, 20)}
    assert len(drawn) == 20
