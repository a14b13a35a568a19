"""A network as stages between maps [channels, rows, columns]: what a workbook and a page compute, one after the other.

Flattening is left out: a linear layer after it is a convolution as large as the maps. A factor before a convolution
that pads goes into it as well: where the value outside the picture would have become 0, it stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from tinyproof.data.reading import Shape
from tinyproof.ship.activation_values import activated
from tinyproof.ship.fold import folded, seen
from tinyproof.ship.operations import Floats, Operation, normalising

Kind = Literal["conv", "affine", "rectify", "activation", "max_pool", "avg_pool"]

_ACTIVATIONS = {
    "relu6": "ReLU6 (from 0 to 6)", "silu": "SiLU", "sigmoid": "sigmoid", "tanh": "tanh", "hardswish": "hard swish",
    "hardsigmoid": "hard sigmoid", "elu": "ELU", "gelu": "GELU", "gelu_tanh": "GELU (by tanh)",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stage:
    """One step from maps to maps. `weight`: [out, in / groups, rows, columns] of a conv, [channels, rows, columns] of
    an affine, as its `bias`, else empty; `outside`: the value around each map that a conv takes, [in]. `rectified`: a
    ReLU follows in the same step. `slope`: of a leaky ReLU below zero. `function` of an activation, with its `alpha`.
    """

    kind: Kind
    taken: Shape
    given: Shape
    weight: Floats
    bias: Floats
    outside: Floats
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    slope: float = 0.0
    rectified: bool = False
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    function: str = ""
    alpha: float = 0.0

    @property
    def each(self) -> int:
        """How many maps a map of a conv comes from."""
        return int(self.weight.shape[1])

    def first(self, c: int) -> int:
        """The first of the maps that map c of a conv comes from."""
        return c // (self.given[0] // self.groups) * self.each

    @property
    def words(self) -> str:
        """What it is, for people.

        >>> [one.words for one in stages([Operation("max_pool", kernel=(2, 2), stride=(2, 2))], (1, 4, 4))]
        ['maximum of 2x2, stride 2']
        """
        size, step = "x".join(map(str, self.kernel)), "x".join(map(str, dict.fromkeys(self.stride)))
        name = {
            "conv": f"convolution {size}", "affine": "times a factor, plus a summand", "max_pool": f"maximum of {size}",
            "rectify": f"leaky ReLU (times {self.slope:g} below 0)" if self.slope else "ReLU (below 0 becomes 0)",
            "avg_pool": f"average of {size}", "activation": _ACTIVATIONS.get(self.function, ""),
        }[self.kind]  # fmt: skip
        if self.kind == "conv" and self.kernel == self.taken[1:] and not any(self.padding):
            name = "linear layer" if self.kernel == (1, 1) else f"linear layer over maps of {size}"
        parts = [name, *([f"stride {step}"] if set(self.stride) != {1} and self.given[1:] != (1, 1) else [])]
        around = "x".join(map(str, dict.fromkeys(self.padding)))
        parts += [f"padding {around}"] if any(self.padding) else []
        parts += [f"in {self.groups} groups"] if self.groups > 1 else []
        parts += [f"dilation {'x'.join(map(str, dict.fromkeys(self.dilation)))}"] if self.dilation != (1, 1) else []
        return ", ".join([*parts, *(["then ReLU"] if self.rectified else [])])

    @property
    def numbers(self) -> int:
        """How many weights and biases it has."""
        return self.weight.size + self.bias.size


def stages(operations: Sequence[Operation], shape: Shape) -> list[Stage]:
    """The steps of operations on an image of `shape`; a log-softmax in the end is left to whoever reads the scores."""
    found = list[Stage]()
    for operation in operations:
        taken = found[-1].given if found else shape
        made = _stage(operation, taken)
        last = found[-1] if found else None
        if made is None:
            continue
        if made.kind == "rectify" and not made.slope and last and last.kind == "conv" and not last.rectified:
            found[-1] = replace(last, rectified=True)
        elif made.kind == "conv" and last and last.kind == "affine" and (moved := _into(last, made)):
            found[-1] = moved
        else:
            found.append(made)
    return found


def of_network(operations: Sequence[Operation], shape: Shape, mean: Floats, std: Floats) -> list[Stage]:
    """The steps from bytes 0 to 255 to scores."""
    return stages(folded([normalising(mean, std), *operations], shape), shape)


def _stage(operation: Operation, taken: Shape) -> Stage | None:
    none, kind = np.zeros(0), operation.kind
    if kind in ("flatten", "log_softmax"):
        return None
    if kind == "affine":
        weight, bias = (_spread(part, taken) for part in (operation.weight, operation.bias))
        return Stage("affine", taken, taken, weight, bias, none)
    if kind == "rectify":
        return Stage("rectify", taken, taken, none, none, none, slope=operation.slope)
    if kind == "activation":
        act = {"function": operation.function, "alpha": operation.alpha}
        return Stage("activation", taken, taken, none, none, none, **act)  # type: ignore[arg-type]
    if kind == "linear":
        weight = operation.weight.reshape(-1, *taken)
        return _windows(replace(operation, kind="conv", weight=weight, kernel=taken[1:]), taken)
    if kind == "global_pool":
        operation = replace(operation, kind="avg_pool", kernel=taken[1:])
    return _windows(operation, taken)


def _windows(operation: Operation, taken: Shape) -> Stage:
    """A step whose values come from windows."""
    places = zip(taken[1:], operation.reach, operation.stride, operation.padding, strict=True)
    rows, columns = ((side + 2 * pad - size) // step + 1 for side, size, step, pad in places)
    kind: Kind = operation.kind  # type: ignore[assignment]
    out = len(operation.weight) or taken[0]
    bias = operation.bias if operation.bias.size or kind != "conv" else np.zeros(out)
    return Stage(
        kind, taken, (out, rows, columns), operation.weight, bias, np.zeros(taken[0]),
        kernel=operation.kernel, stride=operation.stride, padding=operation.padding,
        groups=operation.groups, dilation=operation.dilation,
    )  # fmt: skip


def _spread(values: Floats, taken: Shape) -> Floats:
    """Values of channels, or of all that was flattened, for each place of the maps."""
    channels, rows, columns = taken
    if len(values) == channels:
        return np.repeat(values, rows * columns).reshape(taken)
    return values.reshape(taken)


def _into(affine: Stage, conv: Stage) -> Stage | None:
    """A factor and a summand of whole maps inside the convolution after them; None where they do not go."""
    factor, summand = (part[:, 0, 0] for part in (affine.weight, affine.bias))
    if not (factor != 0).all() or (affine.weight != factor[:, None, None]).any():
        return None
    if (affine.bias != summand[:, None, None]).any():
        return None
    factors, summands = (seen(part, conv.weight, conv.groups) for part in (factor, summand))
    bias = conv.bias + (conv.weight * summands).sum((1, 2, 3))
    return replace(conv, weight=conv.weight * factors, bias=bias, outside=-summand / factor)


def values(steps: Sequence[Stage], image: Floats) -> list[Floats]:
    """What each step gives for an image [channels, rows, columns], in float64."""
    found = list[Floats]()
    for step in steps:
        found.append(_value(step, found[-1] if found else image.astype(np.float64)))
    return found


def _value(step: Stage, maps: Floats) -> Floats:
    if step.kind == "affine":
        moved: Floats = maps * step.weight + step.bias
        return moved
    if step.kind == "rectify":
        kept: Floats = np.where(maps > 0, maps, maps * step.slope)
        return kept
    if step.kind == "activation":
        acted: Floats = activated(step.function, step.alpha, torch.from_numpy(maps)).numpy()
        return acted
    windows = _seen(step, maps)
    if step.kind == "conv":
        parts = zip(np.split(windows, step.groups), np.split(step.weight, step.groups), strict=True)
        made = np.concatenate([np.einsum("iyxab,oiab->oyx", *part) for part in parts]) + step.bias[:, None, None]
        return np.asarray(np.maximum(made, 0) if step.rectified else made)
    found: Floats = windows.max((3, 4)) if step.kind == "max_pool" else windows.mean((3, 4))
    return found


def _seen(step: Stage, maps: Floats) -> Floats:
    """The windows of maps, [channels, rows, columns, kernel rows, kernel columns]."""
    (down, right), outside = step.padding, step.outside if step.kind == "conv" else np.full(len(maps), -np.inf)
    wide = np.empty((len(maps), maps.shape[1] + 2 * down, maps.shape[2] + 2 * right))
    wide[:] = outside[:, None, None]
    wide[:, down : down + maps.shape[1], right : right + maps.shape[2]] = maps
    (rows, columns), (down, right) = step.kernel, step.dilation
    reach = (rows - 1) * down + 1, (columns - 1) * right + 1
    found: Floats = sliding_window_view(wide, reach, (1, 2))[:, :: step.stride[0], :: step.stride[1], ::down, ::right]
    return found
