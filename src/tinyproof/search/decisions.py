"""What follows from the scores until now: the decisions, the runs that are missing, and in the end a winner.

The same scores give the same decisions, in whatever order the runs have ended: so a search goes on after a kill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tinyproof.search.front import Point, confirm, front
from tinyproof.search.halving import Decision, Goal, Rung, decide, highest_bound, rungs

Missing = tuple[str, int]  # a candidate, and the place of a seed in the search's list


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the decisions follow from: the names of the candidates with what each costs, percent and failures by the
    place of the seed, the goal (None: the most accurate, whatever that is), how many fresh seeds confirm the front, and
    the step of one held-out image in percent.
    """

    costs: Mapping[str, int]
    scores: Mapping[str, Mapping[int, float]]
    failed: Mapping[str, Mapping[int, str]]
    goal: Goal | None
    confirm: int
    step: float

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs as they are planned."""
        return rungs(len(self.costs))


@dataclass(frozen=True)
class Course:
    """How far a search has come. `missing`: the runs that the next decision waits for; `refuted`: why nobody can reach
    the target, "" else; `winner`: who is to be proved, "" while that is open; `front`: confirmed in the end.
    """

    decisions: tuple[Decision, ...]
    missing: tuple[Missing, ...]
    refuted: str = ""
    winner: str = ""
    front: tuple[Point, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        return {
            "rungs": [decision.to_json() for decision in self.decisions],
            "refuted": self.refuted,
            "winner": self.winner,
            "front": [point.to_json() for point in self.front],
        }


def follow(known: Known) -> Course:
    """Every decision that can be made, and what the next one waits for."""
    found, entrants = list[Decision](), tuple(known.costs)
    for number, rung in enumerate(known.rungs, 1):
        broken = {name: why for name in entrants if (why := _failure(known, name, rung.seeds))}
        entrants = tuple(name for name in entrants if name not in broken)
        missing = [(name, seed) for seed in range(rung.seeds) for name in entrants if seed not in known.scores[name]]
        if missing:
            return _course(known, found, tuple(missing))
        if not entrants:
            name, why = next(iter(broken.items()))
            return _course(known, found, refuted=f"no candidate could be trained to the end: {name}: {why}")
        scores = {name: [known.scores[name][seed] for seed in range(rung.seeds)] for name in entrants}
        decision = decide(scores, known.costs, rung.stay, known.goal, known.step)
        found.append(replace(decision, failed=tuple(broken.items())))
        if why := _out_of_reach(known, number):
            return _course(known, found, refuted=why)
        entrants = decision.kept
    return _confirmed(known, _course(known, found, winner=entrants[0]))


def _failure(known: Known, name: str, seeds: int) -> str:
    """Why a run of the first `seeds` of a candidate failed, or nothing."""
    return next((why for seed, why in sorted(known.failed[name].items()) if seed < seeds), "")


def _out_of_reach(known: Known, number: int) -> str:
    """Why the target is out of everybody's reach after so many rungs, or nothing."""
    if known.goal is None:
        return ""
    plan = known.rungs
    seen = plan[number - 1].seeds
    scores = {
        name: [value for seed, value in sorted(known.scores[name].items()) if seed < seen] for name in known.costs
    }
    looks = sum(rung.seeds > 1 for rung in plan)
    some = {name: values for name, values in scores.items() if values}
    bound = highest_bound(some, looks, known.step)
    if bound is None or bound >= known.goal.target:
        return ""
    return (
        f"of {len(some)} candidates none reaches {known.goal.target:g} % on held-out training images: the highest of "
        f"their upper bounds is {bound:.2f} %, with 95 % confidence for all together"
    )


def _course(
    known: Known, found: list[Decision], missing: tuple[Missing, ...] = (), refuted: str = "", winner: str = ""
) -> Course:
    """The course, with the front of what the rungs have trained until now."""
    last = known.rungs[-1].seeds
    scores = {name: {seed: x for seed, x in one.items() if seed < last} for name, one in known.scores.items()}
    some = {name: one for name, one in scores.items() if one and not _failure(known, name, last)}
    return Course(tuple(found), missing, refuted, winner, front(some, known.costs) if found else ())


def _confirmed(known: Known, course: Course) -> Course:
    """The front confirmed on fresh seeds, or the runs that this needs; a front of one point has nothing to confirm."""
    if not known.confirm or len(course.front) < 2:
        return course
    first = known.rungs[-1].seeds
    fresh = range(first, first + known.confirm)
    names = [point.name for point in course.front if not known.failed[point.name]]
    missing = tuple((name, seed) for seed in fresh for name in names if seed not in known.scores[name])
    if missing:
        return replace(course, missing=missing)
    values = {name: [known.scores[name][seed] for seed in fresh] for name in names}
    return replace(course, front=confirm(course.front, values, known.step))
