"""One of torch's operators as it was called, with the layouts of what went in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tinyproof.network.layout import Layout
from tinyproof.network.receptive_field import NotKnown


@dataclass(frozen=True, eq=False)
class Step:
    """One operation: its arguments by name, one of its results, and the layouts of tensors that come from the image."""

    name: str
    given: dict[str, Any]
    out: Tensor
    look: Callable[[Tensor], Layout | None]

    @property
    def image(self) -> Layout:
        """The layout of the first argument. Raises NotKnown when it does not come from the image."""
        found = self.look(next(iter(self.given.values())))
        if found is None:
            raise NotKnown
        return found

    def axis(self, name: str = "dim") -> int:
        """The dimension that an argument names, counted from the front."""
        return int(self.given[name]) % max(1, len(self.image.dims))


def tensors(value: Any) -> Iterator[Tensor]:
    """Every tensor in a value, also inside lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))


def reduced(step: Step, count: int) -> set[int]:
    """The dimensions of `count` that a mean, sum or maximum goes over; all of them where it names none."""
    over = step.given.get("dim")
    axes = [over] if isinstance(over, int) else over
    return {int(axis) % count for axis in axes} if axes else set(range(count))


def nth(value: Any, index: int) -> int:
    """One number for each side, or one for all."""
    return int(value[min(index, len(value) - 1)] if isinstance(value, tuple | list) else value)


def storage(tensor: Tensor) -> object:
    """What tells the memory of two tensors apart; views of one share it."""
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return id(tensor)


def key(tensor: Tensor) -> object:
    """What tells two tensors apart, views of one memory too."""
    try:
        return storage(tensor), tensor.storage_offset(), tuple(tensor.shape), tensor.stride()
    except (NotImplementedError, RuntimeError):
        return id(tensor)
