"""The kinds of elements: float64 (`f`), whole numbers (`i`) and truths (`b`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyproof.core.arrays.scalars import float64

CAST: dict[str, Callable[[Any], Any]] = {"f": float, "i": int, "b": bool}
_RISING = "bif"
KIND_OF_NUMBER: dict[type, str] = {float: "f", float64: "f", int: "i", bool: "b"}


def kind_of(dtype: Any) -> str:
    """The kind that a dtype names: bool, int, or else float."""
    return dtype if isinstance(dtype, str) else "b" if dtype is bool else "i" if dtype is int else "f"


def higher(*kinds: str) -> str:
    """The kind that holds the elements of all of them."""
    return max(kinds, key=_RISING.index)


def scalar(value: Any) -> Any:
    """An element by itself: a float that follows IEEE 754, or the whole number or truth as it is."""
    return float64(value) if isinstance(value, float) else value
