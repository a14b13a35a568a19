"""What is known after several ways of which one was taken: modes and names."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.check.code.interpreter.turns import Mode
from tinyproof.check.code.interpreter.values import Unknown, Value, join


def merged_modes(ways: Sequence[dict[int, Mode]]) -> dict[int, Mode]:
    """The modes after several ways of which one was taken: known where all agree; a network begins in training mode.

    >>> merged_modes([{1: "eval", 2: "eval"}, {1: "eval"}])
    {1: 'eval', 2: 'unknown'}
    """
    merged: dict[int, Mode] = {}
    for key in dict.fromkeys(key for modes in ways for key in modes):
        found = {modes.get(key, "train") for modes in ways}
        merged[key] = found.pop() if len(found) == 1 else "unknown"
    return merged


def merged_names(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for name in one.keys() | other.keys():
        a, b = one.get(name), other.get(name)
        merged[name] = join([v for v in (a, b) if v is not None]) if a is not b else (a or Unknown(name))
    return merged
