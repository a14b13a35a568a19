"""Frozen dataclasses as plain data and back, whatever they hold: for records that are kept as JSON.

Read back strictly: what does not fit the declared types is no record. Nothing of a record is ever executed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Dicts, lists, texts and numbers of a dataclass, tuple or mapping.

    >>> from tinyproof.core.table import Column
    >>> to_plain(Column("rate"))
    {'name': 'rate', 'align': 'left', 'spec': ''}
    """
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list | frozenset):
        return [to_plain(part) for part in (sorted(value) if isinstance(value, frozenset) else value)]
    return {key: to_plain(part) for key, part in value.items()} if isinstance(value, Mapping) else value


def from_plain(kind: type[T], data: Any) -> T:
    """The record of that dataclass. Raises ValueError, TypeError or TinyproofError where `data` is none.

    >>> from tinyproof.core.table import Column
    >>> from_plain(Column, {"name": "rate", "align": "left", "spec": ""})
    Column(name='rate', align='left', spec='')
    """
    made: T = _read(kind, data)
    return made


def with_texts(record: T, change: Callable[[str], str], leave: Collection[str] = ()) -> T:
    """The record with every text in it changed, but those of a few allowed words (Literal) and the fields to `leave`.

    >>> from tinyproof.core.table import Column
    >>> with_texts(Column("left"), str.upper)
    Column(name='LEFT', align='left', spec='')
    """
    changed: T = _changed(type(record), record, change, frozenset(leave))
    return changed


def _changed(hint: Any, value: Any, change: Callable[[str], str], leave: frozenset[str]) -> Any:
    if dataclasses.is_dataclass(value):
        hints = _hints(cast(Any, type(value)))
        parts = {
            name: _changed(hints[name], getattr(value, name), change, leave) for name in hints if name not in leave
        }
        return dataclasses.replace(cast(Any, value), **parts)
    if isinstance(value, tuple | frozenset):
        return type(value)(_changed(None, part, change, leave) for part in value)
    return change(value) if isinstance(value, str) and get_origin(hint) is not Literal else value


def _read(hint: Any, data: Any) -> Any:
    kind, inside = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _record(hint, data)
    if kind in (Union, UnionType):
        return _one_of(inside, data)
    if kind is tuple:
        return _tuple(inside, data)
    if kind is frozenset:
        return frozenset(_tuple((inside[0], ...), data))
    if kind is Literal:
        fits = isinstance(data, str) and data in inside
    elif hint is float:
        fits = isinstance(data, int | float) and not isinstance(data, bool)
    else:
        fits = isinstance(hint, type) and type(data) is hint
    if not fits:
        raise ValueError(f"{type(data).__name__} where {hint} is declared")
    return data


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _record(kind: Any, data: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(data, dict) or data.keys() != hints.keys():
        raise ValueError(f"no {kind.__name__}")
    return kind(**{name: _read(hints[name], part) for name, part in data.items()})


def _one_of(kinds: tuple[Any, ...], data: Any) -> Any:
    """The first of the kinds that the data fits."""
    for kind in kinds:
        try:
            return None if kind is NoneType and data is None else _read(kind, data)
        except ValueError:
            continue
    raise ValueError(f"{type(data).__name__} is none of {kinds}")


def _tuple(inside: tuple[Any, ...], data: Any) -> Any:
    if not isinstance(data, list):
        raise ValueError(f"{type(data).__name__} where a list is declared")
    if len(inside) == 2 and inside[1] is Ellipsis:
        return tuple(_read(inside[0], part) for part in data)
    return tuple(_read(hint, part) for hint, part in zip(inside, data, strict=True))
