"""Folding: an affine (a batch norm, the normalisation of pixels) becomes a part of a convolution or a linear layer.

Straight after one it is folded back into it. Else it is moved on to the next one: past an average, which commutes with
it; past a maximum where no factor is negative (a negative one turns maxima into minima); past a flattening, each
channel's values with their own copy. It stays where it is before a convolution that pads: the zeros there are zeros
of the norm's output, not of its input. Nor does it pass where a value is kept, taken or joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyproof.core.errors import DataError
from tinyproof.data.reading import Shape
from tinyproof.ship.operations import Floats, Operation

Kept = dict[int, tuple[int, ...]]


class Repeats(DataError):
    """A sum repeats values of one of its parts."""


def folded(operations: Sequence[Operation], shape: Shape) -> list[Operation]:
    """The same function with as few affines as can be; `shape`: of the image.

    >>> half = Operation("affine", np.full(1, 0.5), np.zeros(1))
    >>> [op.kind for op in folded([half, Operation("conv", np.ones((1, 1, 3, 3)), kernel=(3, 3))], (1, 8, 8))]
    ['conv']
    """
    left, done = list(operations), list[Operation]()
    sizes: list[tuple[int, ...]] = [shape]
    kept: Kept = {}
    while left:
        first = left.pop(0)
        if first.kind == "affine":
            if done and done[-1].kind in ("conv", "linear"):
                done[-1] = _after(done[-1], first)
                continue
            moved = _forward(first, left[0], sizes[-1]) if left else None
            if moved is not None:
                left[0:1] = moved
                continue
        done.append(first)
        if first.kind == "keep":
            kept[first.slots[0]] = sizes[-1]
        sizes.append(out_shape(first, sizes[-1], kept))
    return done


def _after(layer: Operation, affine: Operation) -> Operation:
    """The affine of a layer's output, in the layer."""
    bias = layer.bias if layer.bias.size else np.zeros(len(layer.weight))
    factor = affine.weight.reshape(-1, *[1] * (layer.weight.ndim - 1))
    return replace(layer, weight=layer.weight * factor, bias=bias * affine.weight + affine.bias)


def _forward(affine: Operation, then: Operation, shape: tuple[int, ...]) -> list[Operation] | None:
    """What stands in place of an affine and what follows it; None where the affine has to stay."""
    if then.kind in ("conv", "linear") and not any(then.padding):
        moved = (then.weight * seen(affine.bias, then.weight, then.groups)).reshape(len(then.weight), -1).sum(1)
        bias = then.bias + moved if then.bias.size else moved
        return [replace(then, weight=then.weight * seen(affine.weight, then.weight, then.groups), bias=bias)]
    if then.kind == "affine":
        return [replace(then, weight=affine.weight * then.weight, bias=affine.bias * then.weight + then.bias)]
    upright = bool((affine.weight >= 0).all())
    if then.kind in ("avg_pool", "global_pool") or (then.kind == "max_pool" and upright):
        return [then, affine]
    if then.kind == "flatten":
        many = int(np.prod(shape[1:]))
        return [then, replace(affine, weight=affine.weight.repeat(many), bias=affine.bias.repeat(many))]
    return None


def seen(values: Floats, weight: Floats, groups: int) -> Floats:
    """Values of the channels that a layer takes, as its outputs see them: [out, in / groups, 1, ...], as its weight."""
    rows = values.reshape(groups, -1).repeat(len(weight) // groups, axis=0)
    return rows.reshape(*rows.shape, *[1] * (weight.ndim - 2))


def out_shape(operation: Operation, shape: tuple[int, ...], kept: Kept) -> tuple[int, ...]:
    """The shape of an operation's output, without the number of images; `kept`: of the values in slots."""
    if operation.kind == "take":
        return kept[operation.slots[0]]
    if operation.kind in ("add", "concat"):
        return _joined(operation, [kept[slot] for slot in operation.slots])
    if operation.kind in ("conv", "max_pool", "avg_pool"):
        channels = len(operation.weight) or shape[0]
        places = zip(shape[1:], operation.reach, operation.stride, operation.padding, strict=True)
        return channels, *((side + 2 * pad - size) // step + 1 for side, size, step, pad in places)
    if operation.kind == "pad":
        return shape[0], *(side + 2 * pad for side, pad in zip(shape[1:], operation.padding, strict=True))
    if operation.kind == "linear":
        return (len(operation.weight),)
    if operation.kind == "global_pool":
        return shape[0], 1, 1
    return (int(np.prod(shape)),) if operation.kind == "flatten" else shape


def _joined(operation: Operation, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of a sum or a concatenation. Raises Repeats where parts differ that would have to be repeated."""
    if operation.kind == "concat":
        return sum(shape[0] for shape in shapes), *shapes[0][1:]
    if len({*shapes}) > 1:
        said = " and ".join("x".join(map(str, shape)) for shape in shapes)
        raise Repeats("a sum of branches", f"repeats values ({said})", "torch takes it")
    return shapes[0]
