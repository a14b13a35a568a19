"""What is said of all elements of an array, or of those along one axis: their sum, whether all hold, the largest."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

Summary = Callable[[Sequence[Any]], Any]


def _has_nan(values: Sequence[Any]) -> bool:
    total = sum(values)
    return total != total and any(value != value for value in values)


def _first_nan(values: Sequence[Any]) -> int:
    return next(i for i, value in enumerate(values) if value != value)


def largest(values: Sequence[Any]) -> Any:
    """The largest; nan where one is nan. Raises ValueError for none at all."""
    return math.nan if _has_nan(values) else max(values)


def smallest(values: Sequence[Any]) -> Any:
    """The smallest; nan where one is nan. Raises ValueError for none at all."""
    return math.nan if _has_nan(values) else min(values)


def _place_of(of: Callable[[Sequence[Any]], Any]) -> Summary:
    return lambda values: _first_nan(values) if _has_nan(values) else list(values).index(of(values))


def _sum_of_products(a: Sequence[Any], b: Sequence[Any]) -> Any:
    return sum(map(operator.mul, a, b))


sum_of_products: Callable[[Sequence[Any], Sequence[Any]], Any] = getattr(math, "sumprod", _sum_of_products)


def mean(values: Sequence[Any]) -> float:
    """The mean; nan of none."""
    return sum(values) / len(values) if values else math.nan


def median_of(values: Sequence[Any]) -> float:
    """The value in the middle, or the mean of the two there; nan of none, and where one is nan."""
    if not values or _has_nan(values):
        return math.nan
    ordered, middle = sorted(values), len(values) // 2
    return float(ordered[middle]) if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def without_nan(of: Summary) -> Summary:
    """The same of those that are no nan; nan where there are none."""

    def summary(values: Sequence[Any]) -> Any:
        numbers = [value for value in values if value == value]
        return of(numbers) if numbers else math.nan

    return summary


# Name -> (of the elements of one group, kind of the result: "" for that of the array).
SUMMARIES: dict[str, tuple[Summary, str]] = {
    "any": (any, "b"),
    "all": (all, "b"),
    "sum": (sum, ""),
    "mean": (mean, "f"),
    "max": (largest, ""),
    "min": (smallest, ""),
    "argmax": (_place_of(max), "i"),
    "argmin": (_place_of(min), "i"),
}


def summary_of(what: str, flat: Sequence[Any]) -> tuple[Summary, str]:
    """As `SUMMARIES` has it; the largest and the smallest of each group without a look for nan where there is none."""
    plain = {"max": max, "min": min}.get(what)
    return SUMMARIES[what] if plain is None or _has_nan(flat) else (plain, "")


def summarised(
    of: Summary, flat: list[Any], shape: tuple[int, ...], axis: int | None, keepdims: bool, more: tuple[Any, ...] = ()
) -> tuple[list[Any], tuple[int, ...]]:
    """`of` each group: all elements, or those along an axis; and the shape of the results. `more`: of every group."""
    if axis is None:
        return [of([*flat, *more] if more else flat)], (1,) * len(shape) if keepdims else ()
    axis %= len(shape)
    size, inner = shape[axis], math.prod(shape[axis + 1 :])
    result = (*shape[:axis], *([1] if keepdims else []), *shape[axis + 1 :])
    if inner == 1 and size:
        rows = zip(*[iter(flat)] * size, strict=True)
        return list(map(of, rows)) if not more else [of((*row, *more)) for row in rows], result
    groups = []
    for start in range(0, math.prod(shape[:axis]) * size * inner, size * inner) if size else ():
        groups += [flat[start + i : start + size * inner : inner] for i in range(inner)]
    if not size:
        groups = [[] for _ in range(math.prod(result))]
    return [of([*group, *more] if more else group) for group in groups], result
