"""Halving by three, with seeds as the resource: who goes on, and when nobody can. Pure functions of held-out scores.

Every rung trains its entrants on three times as many seeds as the last one, and a third of them stays. All entrants of
a rung have the same seeds and the same held-out images, so what those have of luck is nobody's advantage.

Source of the scheme: Jamieson and Talwalkar, Non-stochastic Best Arm Identification (2016).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from typing import Any

from tinyproof.core import stats
from tinyproof.core.distributions import student_quantile

BY = 3
CONFIDENCE = 0.95
# What keeps a place: the accuracy alone, or the size among those that reach the target.
ACCURATE, SMALL = "accurate", "small"

Scores = Mapping[str, Sequence[float]]  # percent by seed, by name


@dataclass(frozen=True)
class Rung:
    """How many enter, how many seeds each has at its end, and how many stay."""

    entrants: int
    seeds: int
    stay: int


def rungs(candidates: int) -> tuple[Rung, ...]:
    """The rungs of so many candidates; the last one leaves one.

    >>> [(rung.entrants, rung.seeds) for rung in rungs(64)], runs(rungs(64))
    ([(64, 1), (21, 3), (7, 9), (2, 27)], 184)
    """
    found, entrants, seeds = list[Rung](), candidates, 1 if candidates > 2 else BY
    while entrants > 2:
        found.append(Rung(entrants, seeds, max(2, entrants // BY)))
        entrants, seeds = found[-1].stay, BY * seeds
    return (*found, Rung(entrants, seeds, 1))


def runs(plan: Sequence[Rung]) -> int:
    """How many runs the rungs need together."""
    before = [0, *(rung.seeds for rung in plan)]
    return sum(rung.entrants * (rung.seeds - seeds) for rung, seeds in zip(plan, before, strict=False))


@dataclass(frozen=True)
class Goal:
    """The target in percent, and the number of seeds of the proof that is to reach it."""

    target: float
    seeds: int


@dataclass(frozen=True)
class Standing:
    """An entrant at the end of a rung: its mean in percent, its cost, and what kept it ("": it was thrown out)."""

    name: str
    mean: float
    cost: int
    kept: str


@dataclass(frozen=True)
class Decision:
    """What a rung decided: the entrants by their means, with how many seeds, the points above the target that a mean
    needs to be said to reach it, and whose runs failed (with the reason)."""

    seeds: int
    margin: float
    standings: tuple[Standing, ...]
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """Who goes on."""
        return tuple(one.name for one in self.standings if one.kept)

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        return {
            "seeds": self.seeds,
            "margin": self.margin,
            "standings": [asdict(one) for one in self.standings],
            "failed": [{"name": name, "reason": reason} for name, reason in self.failed],
        }


def decide(
    scores: Scores, costs: Mapping[str, int], stay: int, goal: Goal | None = None, step: float = 0.0
) -> Decision:
    """Who of the entrants stays; every entrant has as many scores, of the same seeds.

    Without a goal the most accurate stay. With one the places go in turn to the most accurate and to the smallest that
    reaches the target; the last place of all to the smallest that reaches it, where one does. A mean reaches the target
    where a proof may be hoped for: by the half-width of its one-sided 95 % bound, from the spread that is left once
    what all entrants share of a seed is taken off. `step`: of one image, in percent.

    >>> decide({"a": [99.0], "b": [98.0], "c": [97.0]}, {"a": 900, "b": 100, "c": 50}, 2, Goal(97.5, 10)).kept
    ('a', 'b')
    """
    means = {name: stats.mean(values) for name, values in scores.items()}
    margin = _margin(scores, goal, step)
    accurate = sorted(means, key=lambda name: (-means[name], costs[name], name))
    reach = [name for name in means if goal is not None and means[name] - margin >= goal.target]
    small = sorted(reach, key=lambda name: (costs[name], -means[name], name))
    turns = ((accurate, ACCURATE), (small, SMALL))
    queues = [[(name, why) for name in names] for names, why in (turns if stay > 1 else turns[::-1])]
    kept: dict[str, str] = {}
    for name, why in filter(None, chain.from_iterable(zip_longest(*queues))):
        if name not in kept and len(kept) < stay:
            kept[name] = why
    standings = tuple(Standing(name, means[name], costs[name], kept.get(name, "")) for name in accurate)
    return Decision(len(next(iter(scores.values()))), margin, standings)


def _margin(scores: Scores, goal: Goal | None, step: float) -> float:
    """The half-width of the proof's one-sided bound, in points; 0 where nothing is known of the spread."""
    spread = noise(scores)
    if goal is None or spread is None or goal.seeds < 2:
        return 0.0
    return student_quantile(CONFIDENCE, goal.seeds - 1) * max(spread, step / math.sqrt(12)) / math.sqrt(goal.seeds)


def noise(scores: Scores) -> float | None:
    """The standard deviation, in points, that is left of a full table once the means of its entrants and of its seeds
    are taken off; None where no freedom is left.

    >>> noise({"a": [1.0, 2.0], "b": [3.0, 4.0]}), noise({"a": [1.0]})
    (0.0, None)
    """
    table = list(scores.values())
    if len(table) == 1:
        return stats.sd(table[0]) if len(table[0]) > 1 else None
    freedom = (len(table) - 1) * (len(table[0]) - 1)
    if freedom < 1:
        return None
    rows, columns = [stats.mean(row) for row in table], [stats.mean(column) for column in zip(*table, strict=True)]
    whole = stats.mean(rows)
    left = (
        (value - row - column + whole) ** 2
        for values, row in zip(table, rows, strict=True)
        for value, column in zip(values, columns, strict=True)
    )
    return math.sqrt(math.fsum(left) / freedom)


def highest_bound(scores: Scores, looks: int, step: float = 0.0) -> float | None:
    """The highest mean that any candidate may have, in percent: the largest of their one-sided upper bounds, which hold
    together with 95 % confidence, for all of them and for so many looks. None while nobody has two scores.

    The spread is one for all, with what the seeds and the held-out images add to it: those who were thrown out early
    have a wide bound, and nobody is given up for one bad run.
    """
    several = [values for values in scores.values() if len(values) > 1]
    freedom = sum(len(values) - 1 for values in several)
    if not freedom:
        return None
    squares = math.fsum((value - stats.mean(values)) ** 2 for values in several for value in values)
    spread = max(math.sqrt(squares / freedom), step / math.sqrt(12))
    level = 1 - (1 - CONFIDENCE) / (len(scores) * looks)
    wide = student_quantile(level, freedom) * spread
    return min(100.0, max(stats.mean(values) + wide / math.sqrt(len(values)) for values in scores.values()))
