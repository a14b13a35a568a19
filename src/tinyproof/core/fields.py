"""Checks of single values, and dicts (JSON, TOML) into frozen dataclasses; a refusal names field, value and range."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from tinyproof.core.errors import InputError

T = TypeVar("T")


def number(field: str, value: object, low: float, high: float, *, above: bool = False) -> float:
    """`value` when it is a finite number from `low` (or above it, with `above`) to `high`; InputError otherwise.

    >>> number("rate", 0.02, 0, 10, above=True)
    0.02
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
    if not fits or not low <= value <= high or (above and value == low):  # type: ignore[operator]
        start = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
        raise InputError(field, value, f"a number {start}")
    return float(value)  # type: ignore[arg-type]


def _finite(value: float) -> bool:
    """Whether a number is one that a float can be: no infinity, and no whole number of hundreds of digits."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


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
            raise InputError(name, None, f"{kind.__name__} needs it", where, problem="is missing")
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
    hints = _hints(cast(Any, kind))
    try:
        made = kind(**values)
    except (TypeError, AttributeError, ValueError, OverflowError):
        # A value of a type that the class's own checks did not expect: say which.
        for name, value in values.items():
            _typed(name, value, hints[name], where)
        raise
    for name in values:
        _typed(name, getattr(made, name), hints[name], where)
    return made


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(name: str, value: object, hint: Any, where: str) -> None:
    """Raise InputError unless the value is of the field's declared type (a float field takes whole numbers too)."""
    if not _fits(value, hint):
        raise InputError(name, value, _in_words(hint), where)


def _in_words(hint: Any) -> str:
    """What a field takes, without the names of Python's types.

    >>> _in_words(float | None), _in_words(tuple[int, ...])
    ('a number or nothing', 'a list, each a whole number')
    """
    kind, inside = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return " or ".join(_in_words(one) for one in inside)
    if kind is Literal:
        return ", ".join(map(str, inside))
    if kind is tuple:
        return f"a list, each {_in_words(inside[0])}"
    plain = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", NoneType: "nothing"}
    return plain.get(hint, "a table of fields")


def _fits(value: object, hint: Any) -> bool:
    kind, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if kind in (Union, UnionType):
        return any(_fits(value, one) for one in inside)
    if kind is Literal:
        return value in inside
    if kind is tuple and isinstance(value, tuple):
        return all(_fits(one, inside[0]) for one in value)
    if kind is dict and isinstance(value, dict):
        return all(isinstance(k, str) and _fits(v, inside[1]) for k, v in value.items())
    if hint in (int, float):
        # JSON's true is no number, and a float must be finite: what is computed from it would not be.
        number_types = (int, float) if hint is float else (int,)
        fits = isinstance(value, number_types) and not isinstance(value, bool)
        return fits and (isinstance(value, int) or math.isfinite(value))  # type: ignore[arg-type]
    return isinstance(value, NoneType if hint is None else kind or hint)
