"""What the steps of a workbook or a page give for an image, in float64: the cached values, and what tests hold to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from tinyproof.ship.activation_values import activated
from tinyproof.ship.operations import Floats
from tinyproof.ship.stages import Stage

_JOINED: dict[str, Callable[[Sequence[Floats]], Floats]] = {
    "add": lambda parts: np.asarray(sum(parts[1:], parts[0])),
    "concat": lambda parts: np.concatenate(parts),
}


def values(steps: Sequence[Stage], image: Floats) -> list[Floats]:
    """What each step gives for an image [channels, rows, columns], in float64."""
    found, picture = list[Floats](), image.astype(np.float64)
    for step in steps:
        parts = [found[number] if number >= 0 else picture for number in step.takes]
        found.append(_value(step, parts[0]) if step.kind not in _JOINED else _JOINED[step.kind](parts))
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
