"""Where the parts of an array lie in its flat list: shapes that are spread to a larger one, and what an index names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, compress, repeat
from operator import add, mul
from typing import Any

Shape = tuple[int, ...]
Blocks = tuple[Sequence[int], int, Shape]  # the numbers of the blocks, the length of each, and the shape of them all


def common_shape(*shapes: Shape) -> Shape:
    """The shape that all of them are spread to. Raises ValueError where there is none."""
    if len(set(shapes)) == 1:
        return shapes[0]
    most = max(map(len, shapes))
    result = []
    for sizes in zip(*((1,) * (most - len(shape)) + shape for shape in shapes), strict=True):
        larger = {size for size in sizes if size != 1} or {1}
        if len(larger) > 1:
            raise ValueError(f"shapes {shapes} do not fit each other")
        result.append(larger.pop())
    return tuple(result)


def spread(flat: list[Any], shape: Shape, target: Shape) -> list[Any]:
    """The elements of an array as often as its spread shape has them; the same list where that is its own shape."""
    if shape == target:
        return flat
    whole, block = (1,) * (len(target) - len(shape)) + shape, 1
    for axis in range(len(target) - 1, -1, -1):
        if whole[axis] != target[axis]:
            if whole[axis] != 1:
                raise ValueError(f"an array of the shape {shape} is not to be spread to {target}")
            flat = _repeated(flat, block, target[axis])
        block *= target[axis]
    return flat


def _repeated(flat: list[Any], block: int, times: int) -> list[Any]:
    """Every block of a list so many times."""
    if len(flat) == block:
        return flat * times
    if block == 1:
        return list(chain.from_iterable(map(repeat, flat, repeat(times))))
    return list(chain.from_iterable(flat[i : i + block] * times for i in range(0, len(flat), block)))


def named_by(shape: Shape, key: Any) -> Blocks:
    """The blocks that an index names; an index is a number, a slice, an array, or a tuple of those and None."""
    if key is None or isinstance(key, tuple):
        return _of_axes(shape, (None,) if key is None else key)
    if isinstance(key, slice):
        numbers: Sequence[int] = range(*key.indices(shape[0]))
        return numbers, math.prod(shape[1:]), (len(numbers), *shape[1:])
    if hasattr(key, "kind"):
        return _of_truths(shape, key) if key.kind == "b" else _of_numbers(shape, key)
    return [_inside(int(key), shape[0])], math.prod(shape[1:]), shape[1:]


def _of_truths(shape: Shape, key: Any) -> Blocks:
    if shape[: len(key.shape)] != key.shape:
        raise IndexError(f"a mask of the shape {key.shape} for an array of the shape {shape}")
    numbers = list(compress(range(len(key.flat)), key.flat))
    rest = shape[len(key.shape) :]
    return numbers, math.prod(rest), (len(numbers), *rest)


def _of_numbers(shape: Shape, key: Any) -> Blocks:
    return _inside_all(key.flat, shape[0]), math.prod(shape[1:]), (*key.shape, *shape[1:])


def _inside(number: int, size: int) -> int:
    if not -size <= number < size:
        raise IndexError(f"index {number} of an axis of {size}")
    return number + size if number < 0 else number


def _inside_all(numbers: list[int], size: int) -> list[int]:
    if numbers and (min(numbers) < 0 or max(numbers) >= size):
        return [_inside(number, size) for number in numbers]
    return numbers


def _of_axes(shape: Shape, key: tuple[Any, ...]) -> Blocks:
    """Axis by axis; arrays (and numbers beside them) go together, in the place of the first of them."""
    used = sum(part is not None and (len(part.shape) if getattr(part, "kind", "") == "b" else 1) for part in key)
    indexed, width = shape[:used], math.prod(shape[used:])
    parts: list[tuple[Sequence[int], Shape]] = []
    chosen: list[tuple[int, list[int], Shape]] = []  # (the part it stands before, steps, shape)
    axis = 0
    for part in key:
        if part is None:
            parts.append(([0], (1,)))
            continue
        step = math.prod(indexed[axis + 1 :])
        if isinstance(part, slice):
            numbers = range(*part.indices(indexed[axis]))
            parts.append(([number * step for number in numbers], (len(numbers),)))
        elif getattr(part, "kind", "") == "b":
            blocks, _, rest = _of_truths(indexed[axis:][: len(part.shape)], part)
            step = math.prod(indexed[axis + len(part.shape) :])
            chosen.append((len(parts), [number * step for number in blocks], rest))
            axis += len(part.shape) - 1
        elif hasattr(part, "kind"):
            own = _inside_all(part.flat, indexed[axis])
            chosen.append((len(parts), [number * step for number in own], part.shape))
        else:
            chosen.append((len(parts), [_inside(int(part), indexed[axis]) * step], ()))
        axis += 1
    if chosen:
        _put_together(parts, chosen)
    starts, result = [0], list[int]()
    for steps, own_shape in parts:
        starts = [start + step for start in starts for step in steps]
        result += own_shape
    return starts, width, (*result, *shape[used:])


def _put_together(parts: list[tuple[Sequence[int], Shape]], chosen: Sequence[tuple[int, list[int], Shape]]) -> None:
    """The axes that arrays and numbers index are one part; it stands first where other axes lie between them."""
    shape = common_shape(*(own for _, _, own in chosen))
    steps = [sum(each) for each in zip(*(spread(own, of, shape) for _, own, of in chosen), strict=True)]
    places = {before for before, _, _ in chosen}
    parts.insert(places.pop() if len(places) == 1 else 0, (steps, shape))


def taken(flat: list[Any], numbers: Sequence[int], width: int) -> list[Any]:
    """The elements of the blocks that an index names."""
    if width == 1:
        return list(map(flat.__getitem__, numbers))
    if isinstance(numbers, range) and numbers.step == 1:
        return flat[numbers.start * width : numbers.stop * width]
    starts = list(map(mul, numbers, repeat(width)))
    return list(chain.from_iterable(map(flat.__getitem__, map(slice, starts, map(add, starts, repeat(width))))))
