"""What a network in whole numbers answers, computed here: the same scores, bit for bit, as its C gives anywhere.

Products and sums are of float64, which holds every sum of a stage exactly; what follows a sum is done in int64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tinyproof.ship.c_stages import last_uses
from tinyproof.ship.quantise import WHOLE_SLOPE, Integers, Quantised, Whole

_BATCH_VALUES = 4_000_000


def scores(network: Quantised, images: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The scores [N, classes] of images [N, channels, rows, columns]; one unit of a score is `network.unit`."""
    most = max(
        math.prod((*whole.stage.made[:2], whole.stage.given[2], *whole.stage.kernel)) for whole in network.stages
    )
    batch = max(1, _BATCH_VALUES // most)
    found = [_answered(network, images[at : at + batch]) for at in range(0, len(images), batch)]
    return np.concatenate(found).astype(np.int32)


def _answered(network: Quantised, images: NDArray[np.uint8]) -> Integers:
    made = {-1: images.transpose(0, 2, 3, 1).astype(np.int64)}
    until = last_uses([whole.stage.takes for whole in network.stages])
    for number, whole in enumerate(network.stages):
        made[number] = _made(whole, *(made[taken] for taken in whole.stage.takes))
        made = {of: value for of, value in made.items() if of >= 0 and until[of] > number}
    (values,) = made.values()
    last = network.stages[-1]
    if not last.wide:
        values = values - last.made.zero
    return values.reshape(len(values), *network.chain.last).transpose(0, 3, 1, 2).reshape(len(values), -1)


def _made(whole: Whole, *taken: Integers) -> Integers:
    """What a stage makes of [N, rows, columns, channels]; of a join of as many as it takes."""
    stage, kind = whole.stage, whole.stage.kind
    if kind in ("add", "concat"):
        return _joined(whole, taken)
    values = taken[0].reshape(len(taken[0]), *stage.given)
    if kind == "activation":
        return whole.table.astype(np.int64)[values]
    if kind == "pad":
        above, beside = stage.padding
        made = np.broadcast_to(whole.bias.astype(np.int64), (len(values), *stage.made)).copy()
        made[:, above : above + stage.given[0], beside : beside + stage.given[1]] = values
        return made
    if kind == "rectify":
        return whole.given.zero + _rectified(values - whole.given.zero, whole.slope)
    if kind == "max_pool":
        return np.asarray(_windows(whole, values).max((-2, -1)), np.int64)
    if kind == "avg_pool":
        return _rescaled(whole, _windows(whole, values).sum((-2, -1)) + whole.bias)
    if kind == "scale":
        return _rescaled(whole, values * whole.weight + whole.bias)
    windows = _windows(whole, values).astype(np.float64)
    parts = zip(np.split(windows, stage.groups, 3), np.split(whole.weight, stage.groups), strict=True)
    sums = np.concatenate([_sums(part, weight) for part, weight in parts], -1)
    return _rescaled(whole, sums.astype(np.int64) + whole.bias)


def _sums(windows: NDArray[np.float64], weight: NDArray[np.int8]) -> NDArray[np.float64]:
    """Of products with the weights [out, rows, columns, in] of a group."""
    columns = weight.transpose(3, 1, 2, 0).reshape(-1, len(weight)).astype(np.float64)
    found: NDArray[np.float64] = windows.reshape(*windows.shape[:3], -1) @ columns
    return found


def _joined(whole: Whole, taken: Sequence[Integers]) -> Integers:
    """A sum, or channels one after the other, each part in steps of what is made."""
    stage = whole.stage
    parts = list[Integers]()
    for values, grid, factor, channels in zip(taken, whole.grids, whole.factor, stage.channels, strict=True):
        shaped = values.reshape(len(values), *stage.given[:2], channels)
        parts.append((shaped - grid.zero) * np.int64(factor))
    products: Integers = parts[0] + parts[1] if stage.kind == "add" else np.concatenate(parts, -1)
    return _bytes(whole, _rectified(products, whole.slope))


def _windows(whole: Whole, values: Integers) -> Integers:
    """[N, rows, columns, channels, kernel rows, kernel columns]."""
    down, right = whole.stage.stride
    (rows, columns), (below, beside) = whole.stage.kernel, whole.stage.dilation
    reach = (rows - 1) * below + 1, (columns - 1) * beside + 1
    found: Integers = sliding_window_view(values, reach, (1, 2))[:, ::down, ::right, :, ::below, ::beside]
    return found


def _rectified(sums: Integers, slope: int) -> Integers:
    if slope == WHOLE_SLOPE:
        return sums
    found: Integers = np.where(sums < 0, -((-sums * slope + (WHOLE_SLOPE >> 1)) >> 15), sums)
    return found


def _rescaled(whole: Whole, sums: Integers) -> Integers:
    products = _rectified(sums, whole.slope) * whole.factor.astype(np.int64)
    if not whole.wide:
        return _bytes(whole, products)
    half = 1 << (whole.shift - 1)
    found: Integers = np.where(products < 0, -((half - products) >> whole.shift), (products + half) >> whole.shift)
    return found


def _bytes(whole: Whole, products: Integers) -> Integers:
    """The nearest bytes."""
    found: Integers = np.clip(((products + (1 << (whole.shift - 1))) >> whole.shift) + whole.made.zero, 0, 255)
    return found
