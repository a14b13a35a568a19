"""A network in whole numbers: activations of a byte (0 to 255), weights of a signed byte, channel by channel, sums
of 32 bits, and what leads from one to the other a multiplication and a shift.

Where a stage's values lie is measured on training images, in double precision; the step between two of them is then
the one of the least squared error, rounded to ten bits, so that another processor's last digits change nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tinyproof.core.errors import DataError
from tinyproof.ship.activation_values import activated
from tinyproof.ship.c_stages import Chain, Stage, last_uses
from tinyproof.ship.operations import Floats

CALIBRATION_IMAGES = 500  # of the training images, evenly spread over them
WHOLE_SLOPE = 1 << 15  # a slope of 1
_LEVELS, _MOST_WEIGHT = 255, 127
_SUM_BITS, _BIAS_BITS, _FACTOR_BITS, _MOST_SHIFT = 31, 30, 30, 50
_SAMPLES, _SHARES = 200_000, np.linspace(0.4, 1, 61)
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """The numbers that a byte q stands for: scale * (q - zero)."""

    scale: float
    zero: int


@dataclass(frozen=True, eq=False)
class Whole:
    """A stage in whole numbers. A sum (of products and `bias`, or of a window) below zero is multiplied with `slope` /
    2 ** 15; then the sum times `factor` (one for each channel, or for all) / 2 ** `shift`, plus the grid's zero, is
    what it makes: a byte, or with `wide` a score of 32 bits without zero, of which one unit is `made.scale`. What joins
    branches has their `grids`, and a factor for each; an activation has a `table`: what each byte becomes.
    """

    stage: Stage
    given: Grid
    made: Grid
    weight: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    bias: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    factor: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    weight_scales: Floats = field(default_factory=lambda: np.zeros(0))
    shift: int = 0
    slope: int = WHOLE_SLOPE
    wide: bool = False
    grids: tuple[Grid, ...] = ()
    table: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))


@dataclass(frozen=True, eq=False)
class Quantised:
    """A network in whole numbers; `unit`: what one unit of its scores is in the network's own."""

    chain: Chain
    stages: tuple[Whole, ...]
    unit: float


def chosen(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The training images that are measured on."""
    places = np.linspace(0, len(images) - 1, min(len(images), CALIBRATION_IMAGES)).round().astype(int)
    found: NDArray[np.uint8] = images[places]
    return found


def quantised(model: str, chain: Chain, training: NDArray[np.uint8]) -> Quantised:
    """The network in whole numbers; `training`: its training images, uint8 [N, channels, rows, columns].

    Raises DataError for a network whose sums 32 bits do not hold.
    """
    values = {-1: torch.from_numpy(np.ascontiguousarray(chosen(training))).double()}
    grids, found = {-1: Grid(1.0, 0)}, list[Whole]()
    last = last_uses([stage.takes for stage in chain.stages])
    for number, stage in enumerate(chain.stages):
        values[number] = computed(stage, *(values[taken] for taken in stage.takes))
        wide = number == len(chain.stages) - 1 and chain.direct
        try:
            whole = _whole(stage, [grids[taken] for taken in stage.takes], None if wide else values[number])
        except OverflowError as error:
            raise DataError(
                model,
                f"cannot be exported to c-int8: {error} (stage {number + 1}, {stage.kind})",
                "c, onnx and torch take it",
            ) from error
        found.append(whole)
        grids[number] = whole.made
        values = {of: value for of, value in values.items() if of >= 0 and last[of] > number}
    return Quantised(chain, tuple(found), found[-1].made.scale)


def computed(stage: Stage, *taken: Tensor) -> Tensor:
    """A stage in floating point, on [N, channels, rows, columns]; of a join on as many as it takes."""
    if stage.kind == "concat":
        parts = zip(taken, stage.channels, strict=True)
        return torch.cat([_shaped(value, (*stage.given[:2], channels)) for value, channels in parts], 1)
    values = _shaped(taken[0], stage.given)
    weight, bias = (torch.tensor(part) for part in (stage.weight, stage.bias))
    if stage.kind == "pad":
        # Less than all is the least of all bytes: whatever it is, nothing below it is ever there.
        inner = torch.nn.functional.pad(values, (stage.padding[1],) * 2 + (stage.padding[0],) * 2, value=torch.nan)
        return torch.where(inner.isnan(), bias[:, None, None], inner)
    if stage.kind == "conv":
        weight = weight.permute(0, 3, 1, 2).contiguous()
        values = F.conv2d(values, weight, bias, stage.stride, 0, stage.dilation, stage.groups)
    elif stage.kind == "add":
        values = values + _shaped(taken[1], stage.given)
    elif stage.kind == "activation":
        values = activated(stage.function, stage.alpha, values)
    elif stage.kind == "scale":
        values = values * weight[:, None, None] + bias[:, None, None]
    elif stage.kind in ("max_pool", "avg_pool"):
        pool = F.max_pool2d if stage.kind == "max_pool" else F.avg_pool2d
        values = pool(values, stage.kernel, stage.stride)
    return values if stage.slope is None else F.leaky_relu(values, stage.slope)


def _shaped(values: Tensor, size: tuple[int, int, int]) -> Tensor:
    """[N, channels, rows, columns] of a size; what was flattened has the order of the memory."""
    rows, columns, channels = size
    if tuple(values.shape[1:]) == (channels, rows, columns):
        return values
    return values.reshape(len(values), *size).permute(0, 3, 1, 2)


def _whole(stage: Stage, grids: list[Grid], values: Tensor | None) -> Whole:
    """A stage in whole numbers; `grids`: of what it takes; `values`: what it makes of the training images, None where
    it makes the scores. OverflowError says what does not fit."""
    given = grids[0]
    slope = WHOLE_SLOPE if stage.slope is None else round(WHOLE_SLOPE * stage.slope)
    if stage.kind == "pad":
        wanted = np.clip(np.nan_to_num(stage.bias / given.scale, neginf=-1e9) + given.zero, 0, _LEVELS)
        return Whole(stage, given, given, bias=np.rint(wanted).astype(np.int32))
    if stage.kind in ("max_pool", "rectify"):
        return Whole(stage, given, given, slope=slope)
    if stage.kind in ("add", "concat"):
        assert values is not None
        made = _grid(values)
        factor, shift = _factors(np.array([grid.scale / made.scale for grid in grids]))
        return Whole(stage, given, made, factor=factor, shift=shift, slope=slope, grids=tuple(grids))
    if stage.kind == "activation":
        assert values is not None
        made = _grid(values)
        return Whole(stage, given, made, table=_table(stage, given, made))
    if stage.kind == "avg_pool":
        assert values is not None
        made, count = _grid(values), math.prod(stage.kernel)
        factor, shift = _factors(np.array([given.scale / (count * made.scale)]))
        bias = np.array([-count * given.zero], np.int32)
        return Whole(stage, given, made, bias=bias, factor=factor, shift=shift)
    weight, bias, scales = _weights(stage, given)
    steps = given.scale * scales
    made = Grid(float(steps.max()), 0) if values is None else _grid(values)
    factor, shift = _factors(steps / made.scale)
    return Whole(
        stage, given, made, weight, bias, factor, scales, shift=shift, slope=slope, wide=values is None
    )  # fmt: skip


def _table(stage: Stage, given: Grid, made: Grid) -> NDArray[np.uint8]:
    """What an activation makes of each byte."""
    numbers = given.scale * (torch.arange(_LEVELS + 1, dtype=torch.float64) - given.zero)
    found = activated(stage.function, stage.alpha, numbers).numpy() / made.scale
    table: NDArray[np.uint8] = np.clip(np.rint(found) + made.zero, 0, _LEVELS).astype(np.uint8)
    return table


def _weights(stage: Stage, given: Grid) -> tuple[NDArray[np.int8], NDArray[np.int32], Floats]:
    """Weights of a signed byte, summands of 32 bits in which the grid's zero is accounted for, and the step of each
    channel's weights."""
    rows = stage.weight.reshape(len(stage.weight), -1)
    if not (np.isfinite(rows).all() and np.isfinite(stage.bias).all()):
        raise OverflowError("its weights are no numbers")
    steps = np.maximum(np.abs(rows).max(1) / _MOST_WEIGHT, np.abs(stage.bias) / (given.scale * 2**_BIAS_BITS))
    # A row of nothing but zeros has any step: one of the others', so that it makes nobody's scores coarser.
    steps = np.where(steps > 0, steps, steps.max() or 1.0)
    whole = np.rint(rows / steps[:, None]).astype(np.int64)
    bias = np.rint(stage.bias / (given.scale * steps)).astype(np.int64) - given.zero * whole.sum(1)
    if (np.abs(bias) + _LEVELS * np.abs(whole).sum(1)).max() >= 1 << _SUM_BITS:
        raise OverflowError("a sum may need more than 32 bits")
    return whole.astype(np.int8).reshape(stage.weight.shape), bias.astype(np.int32), steps


def _factors(ratios: Floats) -> tuple[NDArray[np.int32], int]:
    """Ratios as whole numbers below 2 ** 31, over 2 ** shift."""
    shift = min(_MOST_SHIFT, _FACTOR_BITS - math.floor(math.log2(ratios.max())))
    factor = np.rint(np.ldexp(ratios, shift))
    if shift < 1 or factor.max() >= 1 << _SUM_BITS:
        raise OverflowError("its values are too small beside those before it")
    return factor.astype(np.int32), shift


def _grid(values: Tensor) -> Grid:
    """The grid of the least squared error; zero is one of its numbers."""
    found = values.numpy().ravel()
    low, high = min(0.0, float(found.min())), max(0.0, float(found.max()))
    if not math.isfinite(float(np.abs(found).max())):
        raise OverflowError("its values are no numbers")
    if not high > low:
        return Grid(1.0, 0)
    sample = found[:: max(1, found.size // _SAMPLES)]
    grids = [_between(share * low, share * high) for share in _SHARES]
    return min(reversed(grids), key=lambda grid: _error(sample, grid))


def _between(low: float, high: float) -> Grid:
    fraction, exponent = math.frexp((high - low) / _LEVELS)
    scale = math.ldexp(math.ceil(fraction * 1024) / 1024, exponent)
    return Grid(scale, round(-low / scale))


def _error(values: NDArray[Any], grid: Grid) -> float:
    near = np.clip(np.rint(values / grid.scale) + grid.zero, 0, _LEVELS)
    return float(np.square(grid.scale * (near - grid.zero) - values).mean())
