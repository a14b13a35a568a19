"""The audit on a sample of the layouts. `python -m tests.workbook.layouts` measures at length.

The figures below say what the reader reaches: a larger share located, fewer called right or undecided as it learns,
never the other way round.
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

HOLDING = tuple(LAYOUTS)  # no right one is accused
LOCATED = 0.6  # share of the mutants below that are named at a cell that was changed
CALLED_RIGHT = 1  # how many of these mutants may be called right
UNDECIDED = 0.1  # share of the right ones that may stay undecided, iterative calculation aside
SEEDS = range(41_000, 42_000)


@pytest.mark.parametrize("layout", HOLDING)
def test_no_right_one_is_accused(layout: str) -> None:
    count = right_ones(layout, SEEDS[:3])
    assert count.outcomes["accused"] == 0, count.told


def test_few_right_ones_stay_undecided() -> None:
    counts = [right_ones(layout, SEEDS[3:4]) for layout in HOLDING if layout != "loop"]
    told = [line for count in counts for line in count.told]
    assert sum(count.outcomes["undecided"] for count in counts) <= UNDECIDED * len(counts), told


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


changed = st.lists(
    st.tuples(st.sampled_from(HOLDING), st.integers(0, 10**6), st.sampled_from(sorted(MISTAKES))),
    min_size=8,
    max_size=8,
)


@few
@given(changed)
def test_one_formula_changed_so_that_the_numbers_change_is_never_called_right(
    drawn: list[tuple[str, int, str]],
) -> None:
    mutants = [broken(make(layout, seed), kind, seed) for layout, seed, kind in drawn]
    found = [mutant for mutant in mutants if mutant is not None]
    for mutant, report in zip(found, judged([mutant.made for mutant in found]), strict=True):
        assert report.status != "right", (mutant.made.layout, mutant.made.seed, mutant.kind, mutant.words)


def test_samples_differ() -> None:
    drawn = {str(make("rows", seed).spec) for seed in random.Random(1).sample(SEEDS, 20)}
    assert len(drawn) == 20


ONCE_ACCUSED = [
    ("worked-example", 750003),  # a layer that is not trained; its slope is `a-a^2`
    ("weight-decay", 750003),  # a column counts the right answers
    ("sheets-list", 740003),  # a check beside the last step
    ("columns", 740003),  # the copies of each weight stand at another distance from it
    ("momentum-blocks", 790001),  # two steps of a softmax with a momentum
]


@pytest.mark.parametrize(("layout", "seed"), ONCE_ACCUSED)
def test_a_right_workbook_that_was_accused_once_is_not(layout: str, seed: int) -> None:
    assert not right_ones(layout, range(seed, seed + 1)).outcomes["accused"]
