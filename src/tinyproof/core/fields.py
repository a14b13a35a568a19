"""Checks of single values, and dicts (JSON, TOML) into frozen dataclasses; a refusal names field, value and range."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from tinyproof.core.errors import InputError

T = TypeVar("T")


def number(field: str, value: object, low: float, high: float, *, above: bool = False) -> float:
    """`value` when it is a finite number from `low` (or above it, with `above`) to `high`; InputError otherwise.

    >>> number("rate", 0.02, 0, 10, above=True)
    0.02
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not low <= value <= high or (above and value == low):  # type: ignore[operator]
        start = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
        raise InputError(field, value, f"a number {start}")
    return float(value)  # type: ignore[arg-type]


def whole(field: str, value: object, low: int, high: int) -> int:
    """`value` when it is a whole number from `low` to `high`; InputError otherwise."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(field, value, f"a whole number from {low:,} to {high:,}")
    return value


def flag(field: str, value: object) -> bool:
    """`value` when it is true or false; InputError otherwise."""
    if not isinstance(value, bool):
        raise InputError(field, value, "true or false")
    return value


def one_of(field: str, value: object, allowed: Sequence[str], where: str = "") -> str:
    """`value` when it is one of `allowed`; InputError, with the nearest name when one is near, otherwise."""
    if not isinstance(value, str) or value not in allowed:
        near = get_close_matches(str(value), allowed, 1, 0.6)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(field, value, ", ".join(allowed) + hint, where)
    return value


def from_mapping(kind: type[T], data: object, where: str = "") -> T:
    """A frozen dataclass from a plain dict (JSON or TOML); lists become tuples. InputError for a wrong field."""
    if not isinstance(data, Mapping):
        raise InputError(kind.__name__.lower(), data, "a table of fields", where)
    known = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in data:
        one_of("field", name, list(known), where or kind.__name__)
    for name, field in known.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in data:
            raise InputError(name, "nothing", f"a value: {kind.__name__} needs it", where)
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
    return kind(**values)
