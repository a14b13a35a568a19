"""Accuracy that notebooks claim, against what they logged: the points of a picture on the page of a class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyproof.check.classes.submissions import Submission
from tinyproof.check.facts import NotebookFacts

SIDE = 240.0  # of the square that the points lie in


@dataclass(frozen=True)
class Point:
    """A notebook: whose it is, both figures in percent, and where it lies from the lower left corner."""

    name: str
    claimed: float
    logged: float
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class ClaimsPicture:
    """The points, and the percentages at which both axes begin and end; the diagonal is where both are the same."""

    points: tuple[Point, ...]
    low: float
    high: float


def claims_picture(found: Sequence[Submission]) -> ClaimsPicture | None:
    """A point a notebook whose text claims one accuracy and whose log shows one, that of the last epoch of its last
    run; None where fewer than two have both."""
    known = list(_both(found))
    if len(known) < 2:
        return None
    every = [number for point in known for number in (point.claimed, point.logged)]
    low, high = max(0.0, math.floor(min(every) - 0.01)), min(100.0, math.ceil(max(every) + 0.01))
    low = low if high > low else high - 1.0
    scale = SIDE / (high - low)
    placed = (Point(p.name, p.claimed, p.logged, (p.logged - low) * scale, (p.claimed - low) * scale) for p in known)
    return ClaimsPicture(tuple(placed), low, high)


def _both(found: Sequence[Submission]) -> Iterator[Point]:
    for one in found:
        for file in one.files:
            facts = file.facts
            if isinstance(facts, NotebookFacts) and facts.runs:
                claimed = {figure.value for figure in facts.claimed}
                if len(claimed) == 1:
                    yield Point(one.name, claimed.pop(), facts.runs[-1].accuracies[-1])
