"""Who goes on, who goes, and when nobody can reach the target: decisions as pure functions of scores."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tinyproof.core import stats
from tinyproof.search.decisions import Course, Known, follow
from tinyproof.search.front import confirm, evened, front
from tinyproof.search.halving import Goal, decide, highest_bound, noise, rungs, runs

SEEDS = 10


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (1, [(1, 3, 1)]),
        (2, [(2, 3, 1)]),
        (3, [(3, 1, 2), (2, 3, 1)]),
        (9, [(9, 1, 3), (3, 3, 2), (2, 9, 1)]),
        (64, [(64, 1, 21), (21, 3, 7), (7, 9, 2), (2, 27, 1)]),
    ],
)
def test_the_rungs(candidates: int, expected: list[tuple[int, int, int]]) -> None:
    assert [(one.entrants, one.seeds, one.stay) for one in rungs(candidates)] == expected


def test_sixty_four_candidates_take_194_runs_with_the_proof() -> None:
    assert runs(rungs(64)) + SEEDS == 194


def test_without_a_goal_the_most_accurate_stay() -> None:
    scores = {"a": [97.0], "b": [99.0], "c": [98.0]}
    assert decide(scores, {"a": 1, "b": 9, "c": 5}, 2).kept == ("b", "c")


def test_places_go_in_turn_to_the_most_accurate_and_to_the_smallest_that_reaches_the_target() -> None:
    scores = {"huge": [99.9], "large": [99.8], "medium": [99.5], "small": [99.1], "tiny": [98.0]}
    costs = {"huge": 9, "large": 7, "medium": 5, "small": 3, "tiny": 1}
    found = decide(scores, costs, 3, Goal(99.0, SEEDS))
    assert {one.name: one.kept for one in found.standings if one.kept} == {
        "huge": "accurate", "large": "accurate", "small": "small",
    }  # fmt: skip
    assert decide(scores, costs, 1, Goal(99.0, SEEDS)).kept == ("small",)
    assert decide(scores, costs, 1, Goal(99.95, SEEDS)).kept == ("huge",)


def test_equal_means_go_by_cost_and_then_by_name() -> None:
    scores = {"b": [99.0], "a": [99.0], "c": [99.0]}
    assert decide(scores, {"a": 2, "b": 2, "c": 1}, 2).kept == ("c", "a")


def test_who_only_just_reaches_the_target_does_not_reach_it_beyond_the_noise() -> None:
    scores = {"a": [99.00, 99.02, 99.04], "b": [99.30, 99.46, 99.44]}
    found = decide(scores, {"a": 1, "b": 2}, 1, Goal(99.0, SEEDS))
    assert found.margin > 0.02
    assert found.kept == ("b",)


def test_the_noise_is_what_a_two_way_analysis_leaves() -> None:
    table = np.random.default_rng(3).normal(99, 0.1, (4, 5))
    left = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    assert noise({str(i): row.tolist() for i, row in enumerate(table)}) == pytest.approx(
        float(np.sqrt((left**2).sum() / 12))
    )


def test_the_highest_bound_holds_for_all_together_as_often_as_it_says() -> None:
    """Scatter alone, and the best truth at the target: to refute is wrong, and it is wrong at most 5 % of the time."""
    rng, wrong, times = np.random.default_rng(5), 0, 1000
    truths = 99.4 - np.abs(rng.normal(0, 0.05, 20))
    truths[7] = 99.4
    for _ in range(times):
        scores = {str(i): rng.normal(t, 0.05, 9 if i < 8 else 1).tolist() for i, t in enumerate(truths)}
        bound = highest_bound(scores, 1)
        wrong += bound is not None and bound < 99.4
    assert scipy_stats.binomtest(wrong, times, 0.05, alternative="greater").pvalue > 0.001


def test_the_highest_bound_is_corrected_for_candidates_and_looks() -> None:
    """By scipy: 5 % is shared by three candidates and two looks; the spread is that of the two with several scores."""
    scores = {"a": [97.0, 97.4, 97.2], "b": [96.0, 96.2], "c": [96.9]}
    spread = np.sqrt((0.2**2 + 0.2**2 + 2 * 0.1**2) / 3)
    wide = scipy_stats.t.ppf(1 - 0.05 / 6, 3) * spread
    means = ((97.2, 3), (96.1, 2), (96.9, 1))
    assert highest_bound(scores, 2) == pytest.approx(max(mean + wide / np.sqrt(count) for mean, count in means))


def test_nothing_is_refuted_by_one_seed_each() -> None:
    assert highest_bound({"a": [50.0], "b": [60.0]}, 2) is None


# ------------------------------------------------------------------ the front


def test_the_front_has_who_is_cheaper_or_more_accurate_than_all_others() -> None:
    scores = {"a": {0: 97.0}, "b": {0: 98.0}, "c": {0: 97.5}, "d": {0: 99.0}, "e": {0: 98.0}}
    found = front(scores, {"a": 1, "b": 2, "c": 3, "d": 4, "e": 2})
    assert [point.name for point in found] == ["a", "b", "d"]


def test_an_easy_fold_is_nobodys_advantage() -> None:
    """`b` was thrown out after seed 0, whose images are easy: on all seeds it would be below `a`."""
    found = evened({"a": {0: 99.0, 1: 95.0, 2: 94.0}, "b": {0: 98.5}})
    assert found["a"] == pytest.approx(96.0)
    assert found["b"] == pytest.approx(95.5)


def test_a_step_of_the_front_is_confirmed_by_fresh_seeds_alone_and_corrected_for_their_number() -> None:
    points = front({"a": {0: 97.0}, "b": {0: 98.0}, "c": {0: 99.0}}, {"a": 1, "b": 2, "c": 3})
    fresh = {"a": [97.0, 97.2, 97.1, 96.9], "b": [97.1, 97.1, 97.2, 96.8], "c": [98.2, 98.0, 98.3, 98.1]}
    cheapest, second, third = confirm(points, fresh)
    oracle = [
        scipy_stats.ttest_rel(fresh[one], fresh[other], alternative="greater").pvalue
        for one, other in (("b", "a"), ("c", "b"))
    ]
    assert [second.p_value, third.p_value] == pytest.approx(oracle)
    assert [second.corrected, third.corrected] == pytest.approx(stats.holm(oracle))
    assert (cheapest.confirmed, second.confirmed, third.confirmed) == (None, False, True)


def test_a_point_that_has_no_fresh_seeds_is_not_tested() -> None:
    points = front({"a": {0: 97.0}, "b": {0: 98.0}}, {"a": 1, "b": 2})
    assert [point.confirmed for point in confirm(points, {"b": [98.0, 98.1]})] == [None, None]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_holm_is_what_its_definition_says(count: int) -> None:
    rng = random.Random(count)
    p_values = [rng.random() ** 3 for _ in range(count)]
    found, order = stats.holm(p_values), sorted(range(count), key=lambda i: p_values[i])
    for rank, index in enumerate(order):
        expected = max(min(1.0, (count - earlier) * p_values[order[earlier]]) for earlier in range(rank + 1))
        assert found[index] == pytest.approx(expected)


# ------------------------------------------------------------------ what follows from the scores


def known(count: int = 9, target: float = 97.0, fresh: int = 2) -> Known:
    names = [f"c{number}" for number in range(1, count + 1)]
    return Known(
        costs={name: 100 * number for number, name in enumerate(names, 1)}, scores={name: {} for name in names},
        failed={name: {} for name in names}, goal=Goal(target, SEEDS), confirm=fresh, step=0.02,
    )  # fmt: skip


def score(name: str, seed: int) -> float:
    """Larger networks are better; a little noise that hangs on the run alone."""
    return 95.0 + 0.5 * int(name[1:]) + 0.1 * random.Random(f"{name} {seed}").random()


def train(one: Known, order: random.Random | None = None) -> Course:
    """Every missing run, in an order that is drawn anew each time."""
    while missing := list((course := follow(one)).missing):
        if order is not None:
            order.shuffle(missing)
        for name, seed in missing[: 1 if order else None]:
            one.scores[name][seed] = score(name, seed)  # type: ignore[index]
    return course


def test_the_same_scores_give_the_same_decisions_in_whatever_order_they_come() -> None:
    expected = train(known()).to_json()
    assert expected["winner"] == "c4"  # of 97.0 % and half the noise more; c3 is half a point below
    for seed in range(3):
        assert train(known(), random.Random(seed)).to_json() == expected


def test_the_runs_are_those_of_the_rungs_and_of_the_front() -> None:
    one = known()
    course = train(one)
    ended = sum(map(len, one.scores.values()))
    assert ended == runs(rungs(9)) + 2 * len(course.front)


def test_a_target_that_nobody_reaches_is_refuted_before_the_last_rung_with_the_front_so_far() -> None:
    course = train(known(target=99.9))
    assert "of 9 candidates none reaches 99.9 %" in course.refuted
    assert (len(course.decisions), course.winner) == (2, "")
    assert [point.confirmed for point in course.front] == [None] * len(course.front)
    assert len(course.front) > 1


def test_whose_run_failed_is_out_from_that_rung_on_and_earlier_decisions_stay() -> None:
    one = known()
    train(one)
    before = follow(one)
    one.scores["c9"].pop(1)  # type: ignore[attr-defined]
    one.failed["c9"][1] = "training diverged"  # type: ignore[index]
    now = follow(one)
    assert now.decisions[0] == before.decisions[0]
    assert now.decisions[1].failed == (("c9", "training diverged"),)
    assert "c9" not in now.decisions[1].kept


def test_where_every_run_fails_nothing_is_proved() -> None:
    one = known(3)
    broken = replace(one, failed={name: {0: "training diverged"} for name in one.costs})
    assert follow(broken).refuted == "no candidate could be trained to the end: c1: training diverged"
