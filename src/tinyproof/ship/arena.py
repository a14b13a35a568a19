"""Where each stage's values lie in one array: as small an array as can be, what is dead overwritten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from tinyproof.ship import arena_branches
from tinyproof.ship.c_stages import Stage


def planned(stages: Sequence[Stage], overlapping: bool, takes: Sequence[tuple[int, ...]] = ()) -> tuple[int, list[int]]:
    """The length of the array and where each stage's values begin; the first stage reads the image, which is not in it.

    `overlapping`: a loop may write where it has read before, as `gap` says (here one value). Else what is read and what
    is written are apart, but for what is done in place. `takes`: the numbers of the stages that each takes, where not
    each one takes what the one before it makes.

    >>> square = Stage("conv", (6, 6, 1), (4, 4, 1), np.ones((1, 3, 3, 1)), kernel=(3, 3))
    >>> planned([square, Stage("max_pool", (4, 4, 1), (2, 2, 1), kernel=(2, 2), stride=(2, 2))], overlapping=True)
    (17, [1, 0])
    """
    sizes = [int(np.prod(stage.made)) for stage in stages]
    if any(taken != (number,) for number, taken in enumerate(takes[1:])):
        return arena_branches.placed(stages, sizes, takes, gap if overlapping else None)
    low, high = max(sizes), 2 * max(sizes)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _places(stages, sizes, overlapping, middle) else (middle + 1, high)
    places = _places(stages, sizes, overlapping, high)
    assert places is not None  # two regions, one after the other, always do
    return high, places


def _places(stages: Sequence[Stage], sizes: list[int], overlapping: bool, length: int) -> list[int] | None:
    """Where the values begin in an array of `length`, or None."""

    @cache
    def rest(number: int, before: int) -> tuple[int, ...] | None:
        if number == len(stages):
            return ()
        for place in _options(stages[number], before, sizes[number - 1], sizes[number], length, overlapping):
            found = rest(number + 1, place)
            if found is not None:
                return place, *found
        return None

    for first in {0, length - sizes[0]}:
        found = rest(1, first)
        if found is not None:
            return [first, *found]
    return None


def _options(stage: Stage, before: int, size: int, made: int, length: int, overlapping: bool) -> list[int]:
    """Where a stage may write, if what it reads begins at `before`."""
    if stage.in_place:
        return [before]
    found = [0, before - made, before + size, length - made]
    apart: Callable[[int], bool] = lambda at: at + made <= before or at >= before + size  # noqa: E731
    if overlapping and stage.kind == "pad":
        # It runs from the end, so it may write at or behind what it reads.
        return [at for at in [before, *found] if 0 <= at <= length - made and (apart(at) or at >= before)]
    below = before - gap(stage) if overlapping else before - made
    return [at for at in [below, *found] if 0 <= at <= length - made and (apart(at) or at <= below)]


def gap(stage: Stage) -> int:
    """How far before what it reads a loop over windows must begin to write, to overwrite nothing that it still needs:
    all values of a pixel, of a plain convolution of two beside each other, are written while those of their windows are
    read.
    """
    columns, channels = stage.given[1:]
    together = 2 if stage.kind == "conv" and not stage.apart else 1
    down, right = np.indices(stage.made[:2])
    first = right - right % together
    reads = (down * stage.stride[0] * columns + first * stage.stride[1]) * channels
    writes = (down * stage.made[1] + np.minimum(first + together, stage.made[1])) * stage.made[2]
    return max(0, int((writes - reads).max()))
