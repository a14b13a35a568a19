"""What a network in whole numbers answers, computed here: the same scores, bit for bit, as its C gives anywhere.

Products and sums are of float64, which holds every sum of a stage exactly; what follows a sum is done in int64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

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
    values = images.transpose(0, 2, 3, 1).astype(np.int64)
    for whole in network.stages:
        values = _made(whole, values.reshape(len(values), *whole.stage.given))
    last = network.stages[-1]
    if not last.wide:
        values = values - last.made.zero
    return values.reshape(len(values), *network.chain.last).transpose(0, 3, 1, 2).reshape(len(values), -1)


def _made(whole: Whole, values: Integers) -> Integers:
    """What a stage makes of [N, rows, columns, channels]."""
    stage, kind = whole.stage, whole.stage.kind
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
    weight = whole.weight.transpose(3, 1, 2, 0).reshape(-1, len(whole.weight)).astype(np.float64)
    sums = windows.reshape(*windows.shape[:3], -1) @ weight
    return _rescaled(whole, sums.astype(np.int64) + whole.bias)


def _windows(whole: Whole, values: Integers) -> Integers:
    """[N, rows, columns, channels, kernel rows, kernel columns]."""
    down, right = whole.stage.stride
    found: Integers = sliding_window_view(values, whole.stage.kernel, (1, 2))[:, ::down, ::right]
    return found


def _rectified(sums: Integers, slope: int) -> Integers:
    if slope == WHOLE_SLOPE:
        return sums
    found: Integers = np.where(sums < 0, -((-sums * slope + (WHOLE_SLOPE >> 1)) >> 15), sums)
    return found


def _rescaled(whole: Whole, sums: Integers) -> Integers:
    products = _rectified(sums, whole.slope) * whole.factor.astype(np.int64)
    half = 1 << (whole.shift - 1)
    found: Integers
    if whole.wide:
        found = np.where(products < 0, -((half - products) >> whole.shift), (products + half) >> whole.shift)
        return found
    found = np.clip(((products + half) >> whole.shift) + whole.made.zero, 0, 255)
    return found
