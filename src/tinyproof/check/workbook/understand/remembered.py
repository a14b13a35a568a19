"""Answers about formulas that a process keeps from file to file: in a class the same formulas come again and again."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from tinyproof.backprop.expr import Expr, walk

P = ParamSpec("P")
T = TypeVar("T")
# What a stranger's long formulas would fill is bounded: as many answers, none about a longer formula.
MOST_ANSWERS, MOST_NODES = 1_000, 200
_FORGET: list[Callable[[], None]] = []


def remembered(function: Callable[P, T]) -> Callable[P, T]:
    """A function of expressions alone, whose answers nobody changes, with the answers about short ones kept."""
    kept = lru_cache(maxsize=MOST_ANSWERS)(function)
    _FORGET.append(kept.cache_clear)

    @wraps(function)
    def ask(*args: P.args, **named: P.kwargs) -> T:
        if all(_short(arg) for arg in args):
            return kept(*args, **named)  # type: ignore[arg-type]  # expressions can be hashed
        return function(*args, **named)

    return ask


def forget() -> None:
    """Every answer is found anew: for those who change a threshold in a process that runs."""
    for clear in _FORGET:
        clear()


def _short(expr: Any) -> bool:
    return isinstance(expr, Expr) and next(islice(walk(expr), MOST_NODES, None), None) is None
