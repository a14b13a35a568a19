"""A network as stages: loops over values in memory, row by row, the channels of a pixel side by side.

That is the order of C arrays and of cameras; and a row of a kernel is then one stretch of values. Padding is a stage of
its own, so that no loop asks where the image ends; a linear layer is a convolution of one pixel, its columns in the
order of the memory; a rectifier belongs to the stage before it. A stage takes what the one before it makes, but where
the network branches; what would change values that another stage still takes gets a copy of them, a padding of none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from tinyproof.core.errors import DataError
from tinyproof.data.reading import Shape
from tinyproof.ship.fold import folded
from tinyproof.ship.operations import Floats, Operation

Size = tuple[int, int, int]  # rows, columns, channels
_BYTE = 255
_JOINS = {"add": "sum", "concat": "concatenation"}


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Stage:
    """One loop. `given`, `made`: rows, columns and channels before and after it. `weight`: [out, rows, columns,
    in / groups] of a conv, [channels] of a scale; `bias`: [out], of a pad the value of each channel. `slope`: below
    zero, of the rectifier that belongs to it; None without one. `function` of an activation, with its `alpha`.
    `takes`: the stages whose values it takes, -1 for the image; `channels`: of each of those that a concat takes.
    """

    kind: Literal["pad", "conv", "scale", "max_pool", "avg_pool", "rectify", "activation", "add", "concat"]
    given: Size
    made: Size
    weight: Floats = field(default_factory=_none)
    bias: Floats = field(default_factory=_none)
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    slope: float | None = None
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    function: str = ""
    alpha: float = 0.0
    takes: tuple[int, ...] = (-1,)
    channels: tuple[int, ...] = ()

    @property
    def in_place(self) -> bool:
        """Whether it changes values where they are."""
        return self.kind in ("scale", "rectify", "activation")

    @property
    def apart(self) -> bool:
        """Whether the values that a row of its kernel sees are no one stretch."""
        return self.groups > 1 or self.dilation != (1, 1)


@dataclass(frozen=True, eq=False)
class Chain:
    """All stages of a network for images of `shape` (channels, rows, columns); `last`: the size of what becomes the
    scores, channel after channel."""

    shape: Shape
    stages: tuple[Stage, ...]
    last: Size

    @property
    def direct(self) -> bool:
        """Whether the last stage makes the scores as they stand, one pixel of them, and may keep them finer."""
        return self.last[:2] == (1, 1) and self.stages[-1].kind in ("conv", "scale")


def chain(model: str, operations: Sequence[Operation], shape: Shape) -> Chain:
    """The stages of a network that takes bytes; the log-softmax at its end is left out. Raises DataError."""
    found = list(folded(_apart(operations), shape))
    if found and found[-1].kind == "log_softmax":
        found.pop()
    if any(op.kind == "log_softmax" for op in found):
        raise DataError(model, "cannot be exported to c: log-softmax stands before its end", "onnx and torch take it")
    made = _Chain(model, shape)
    for op in found:
        made.add(op)
    if not made.stages:
        raise DataError(model, "cannot be exported to c: nothing in it computes", "onnx and torch take it")
    return Chain(shape, tuple(made.stages), made.size if made.flat is None else made.flat)


def _apart(operations: Sequence[Operation]) -> list[Operation]:
    """Padding as an operation of its own. The normalisation of bytes goes past it where black is a byte or near one."""
    found = list[Operation]()
    for op in operations:
        if any(op.padding):
            # Behind a maximum's padding nothing is: it is less than all.
            found.append(
                Operation("pad", bias=np.array([-np.inf if op.kind == "max_pool" else 0.0]), padding=op.padding)
            )
        found.append(replace(op, padding=(0, 0)))
    if [op.kind for op in found[:2]] == ["affine", "pad"]:
        value = (found[1].bias - found[0].bias) / found[0].weight
        if ((value >= 0) & (value <= _BYTE)).all():
            found[:2] = [replace(found[1], bias=value), found[0]]
    return found


class _Chain:
    """Stages as they are added. `at`: the stage whose values go on; `flat`: the size before a flattening, whose order
    the memory keeps; or None. Both, and the size, are kept in slots where the network branches."""

    def __init__(self, model: str, shape: Shape) -> None:
        self._model = model
        channels, rows, columns = shape
        self.size: Size = (rows, columns, channels)
        self.flat: Size | None = None
        self.stages, self.at = list[Stage](), -1
        self._kept: dict[int, tuple[int, Size, Size | None]] = {}

    def add(self, op: Operation) -> None:
        """One operation more."""
        if op.kind == "flatten":
            if self.flat is None:
                self.flat, self.size = self.size, (1, 1, math.prod(self.size))
        elif op.kind == "rectify":
            self._rectify(op)
        elif op.kind == "affine":
            weight, bias = self._in_memory(op.weight), self._in_memory(op.bias)
            self._in_place(Stage("scale", self.size, self.size, weight, bias))
        elif op.kind == "activation":
            self._in_place(Stage("activation", self.size, self.size, function=op.function, alpha=op.alpha))
        elif op.kind == "linear":
            self._linear(op)
        elif op.kind == "keep":
            self._kept[op.slots[0]] = self.at, self.size, self.flat
        elif op.kind == "take":
            self.at, self.size, self.flat = self._kept[op.slots[0]]
        elif op.kind in ("add", "concat"):
            self._join(op)
        else:
            self._window(op)

    def _append(self, stage: Stage) -> None:
        self.stages.append(stage if stage.kind in ("add", "concat") else replace(stage, takes=(self.at,)))
        self.at, self.size = len(self.stages) - 1, stage.made

    @property
    def _is_kept(self) -> bool:
        return self.at in [at for at, *_ in self._kept.values()]

    def _in_place(self, stage: Stage) -> None:
        if self._is_kept:
            self._append(Stage("pad", self.size, self.size, bias=np.zeros(self.size[2])))
        self._append(stage)

    def _rectify(self, op: Operation) -> None:
        last = self.at == len(self.stages) - 1 and not self._is_kept
        before = self.stages[-1] if self.stages and last else None
        if before is not None and before.kind in ("conv", "scale", "add") and before.slope is None:
            self.stages[-1] = replace(before, slope=op.slope)
        else:
            self._in_place(Stage("rectify", self.size, self.size, slope=op.slope))

    def _join(self, op: Operation) -> None:
        parts = [self._kept[slot] for slot in op.slots]
        sizes, flats = tuple(size for _, size, _ in parts), {flat for _, _, flat in parts}
        in_order = len(flats) == 1 if op.kind == "add" else {flat and flat[:2] for flat in flats} <= {None, (1, 1)}
        if not in_order:
            said = f"cannot be exported to c: a {_JOINS[op.kind]} takes maps that were flattened"
            raise DataError(self._model, said, "onnx and torch take it")
        made = sizes[0] if op.kind == "add" else (*sizes[0][:2], sum(size[2] for size in sizes))
        takes = tuple(at for at, *_ in parts)
        kind: Literal["add", "concat"] = "add" if op.kind == "add" else "concat"
        self._append(Stage(kind, sizes[0], made, takes=takes, channels=tuple(size[2] for size in sizes)))
        self.flat = parts[0][2] if op.kind == "add" or None in flats else made

    def _linear(self, op: Operation) -> None:
        if self.flat is None:
            said = "cannot be exported to c: a linear layer takes rows of an image"
            raise DataError(self._model, said, "torch takes it")
        weight = self._in_memory(op.weight)[:, None, None, :]
        self._append(Stage("conv", self.size, (1, 1, len(weight)), weight, _bias(op)))
        self.flat = self.size

    def _window(self, op: Operation) -> None:
        rows, columns, channels = self.size
        if op.kind == "pad":
            made = rows + 2 * op.padding[0], columns + 2 * op.padding[1], channels
            self._append(Stage("pad", self.size, made, bias=np.broadcast_to(op.bias, channels), padding=op.padding))
            return
        kernel = (rows, columns) if op.kind == "global_pool" else op.kernel
        height, width = (
            (side - size) // step + 1
            for side, size, step in zip(
                (rows, columns), op.reach if op.kind == "conv" else kernel, op.stride, strict=True
            )
        )
        if op.kind == "conv":
            weight, made = op.weight.transpose(0, 2, 3, 1), (height, width, len(op.weight))
            more: dict[str, Any] = {"groups": op.groups, "dilation": op.dilation}
            self._append(Stage("conv", self.size, made, weight, _bias(op), kernel, op.stride, **more))
            return
        kind: Literal["max_pool", "avg_pool"] = "max_pool" if op.kind == "max_pool" else "avg_pool"
        self._append(Stage(kind, self.size, (height, width, channels), kernel=kernel, stride=op.stride))

    def _in_memory(self, values: Floats) -> Floats:
        """What stands feature by feature, in the order of the memory (the last axis)."""
        if self.flat is None or self.flat[:2] == (1, 1):
            return values
        rows, columns, channels = self.flat
        turned = values.reshape(*values.shape[:-1], channels, rows, columns)
        return np.moveaxis(turned, -3, -1).reshape(values.shape)


def _bias(op: Operation) -> Floats:
    return op.bias if op.bias.size else np.zeros(len(op.weight))


def last_uses(takes: Sequence[tuple[int, ...]]) -> list[int]:
    """For each stage the last one that takes its values; for what none takes the number of stages.

    >>> last_uses([(-1,), (0,), (1, 0)])
    [2, 2, 3]
    """
    last = {value: taker for taker, values in enumerate(takes) for value in values}
    return [last.get(value, len(takes)) for value in range(len(takes))]
