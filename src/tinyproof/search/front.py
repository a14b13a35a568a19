"""The front: of all candidates those that no cheaper one equals in accuracy; and which of its steps are certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tinyproof.core import stats

CONFIDENT = 0.05


@dataclass(frozen=True)
class Point:
    """A point of the front: its cost, and its held-out mean in percent as if it had run on every seed (`runs`: of how
    many). The rest is of fresh seeds, None without them: its mean, its gain over the point before in points with the
    95 % interval, the p-value of "it is no better than that", and the same corrected for the number of points (Holm).
    """

    name: str
    cost: int
    mean: float
    runs: int
    fresh: float | None = None
    gain: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    corrected: float | None = None

    @property
    def confirmed(self) -> bool | None:
        """Whether it is better than the point before, beyond chance; None where that was not tested."""
        return None if self.corrected is None else self.corrected <= CONFIDENT

    def to_json(self) -> dict[str, Any]:
        """Plain data, every figure at full precision."""
        interval = None if self.interval is None else list(self.interval)
        return {**asdict(self), "interval": interval, "confirmed": self.confirmed}


def front(scores: Mapping[str, Mapping[int, float]], costs: Mapping[str, int]) -> tuple[Point, ...]:
    """The points from the cheapest on, each more accurate than all before it. `scores`: percent by seed, by name.

    >>> [point.name for point in front({"a": {0: 97.0}, "b": {0: 96.0}, "c": {0: 98.0}}, {"a": 5, "b": 7, "c": 9})]
    ['a', 'c']
    """
    means, found = evened(scores), list[Point]()
    for name in sorted(means, key=lambda name: (costs[name], -means[name], name)):
        if not found or means[name] > found[-1].mean:
            found.append(Point(name, costs[name], means[name], len(scores[name])))
    return tuple(found)


def evened(scores: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """Each candidate's mean as if it had run on every seed: least squares of what it and what the seed adds.

    Who was thrown out has the first seeds alone, and their images may have been easy ones.

    >>> {name: round(mean, 6) for name, mean in evened({"a": {0: 99.0, 1: 95.0}, "b": {0: 98.0}}).items()}
    {'a': 97.0, 'b': 96.0}
    """
    names = [name for name in scores if scores[name]]
    seeds = sorted({seed for name in names for seed in scores[name]})
    rows = [(name, seed, value) for name in names for seed, value in scores[name].items()]
    design = np.zeros((len(rows), len(names) + len(seeds)))
    for row, (name, seed, _) in enumerate(rows):
        design[row, names.index(name)] = design[row, len(names) + seeds.index(seed)] = 1.0
    centre = stats.mean([value for _, _, value in rows]) if rows else 0.0
    fit = np.linalg.lstsq(design, np.array([value - centre for _, _, value in rows]), rcond=None)[0]
    added = centre + float(fit[len(names) :].mean()) if rows else 0.0
    return {name: float(fit[place]) + added for place, name in enumerate(names)}


def confirm(points: Sequence[Point], fresh: Mapping[str, Sequence[float]], step: float = 0.0) -> tuple[Point, ...]:
    """The points with what fresh seeds say of them: each is paired, seed by seed, with the point before it, and the
    p-values are corrected for their number. `fresh`: percents on the same fresh seeds; who has none is not tested.
    """
    tested, last = list[Point](), None
    for point in points:
        values = fresh.get(point.name)
        if values is None or len(values) < 2:
            tested.append(point)
            continue
        point = replace(point, fresh=stats.mean(values))
        if last is not None:
            pairs = stats.paired(values, last, resolution=step)
            one_sided = pairs.p_value / 2 if pairs.mean > 0 else 1 - pairs.p_value / 2
            interval = (pairs.interval.low, pairs.interval.high)
            point = replace(point, gain=pairs.mean, interval=interval, p_value=one_sided)
        last = values
        tested.append(point)
    corrected = iter(stats.holm([point.p_value for point in tested if point.p_value is not None]))
    return tuple(point if point.p_value is None else replace(point, corrected=next(corrected)) for point in tested)
