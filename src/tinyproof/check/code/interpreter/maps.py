"""Dicts: one for several, and with keyword arguments added."""

from __future__ import annotations

from tinyproof.check.code.interpreter.values import Map, Unknown, Value, join, options


def mapped(items: dict[str | int, Value], more: dict[str, Value], whole: bool = True) -> Map:
    """A dict with keyword arguments added."""
    both = dict(items)
    both.update(more.items())
    return Map(both, whole)


# Stands for "perhaps not given": one of two dicts of keyword arguments has the key, the other has not.
ABSENT = Unknown("(not given)")


def one_map(value: Value) -> Map:
    """One dict for the several that a value may be: each key with all its values; not whole if some is no dict."""
    maps = [option for option in options(value) if isinstance(option, Map)]
    keys = dict.fromkeys(key for m in maps for key in m.items)
    whole = len(maps) == len(options(value)) and all(m.whole for m in maps)
    return Map({key: join([m.items.get(key, ABSENT) for m in maps]) for key in keys}, whole)
