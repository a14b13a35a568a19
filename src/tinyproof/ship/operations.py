"""What a trained network computes for an image: operations, one after the other, with their weights as float64 arrays.

Where it branches, `keep` keeps the value in a slot, `take` goes on with a kept one, `add` and `concat` join kept ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tinyproof.core.errors import DataError
from tinyproof.data.reading import Shape
from tinyproof.train.engine.native.chain import compare_answers, read_layers
from tinyproof.train.engine.native.layers import Layer, Unsupported

Floats = NDArray[np.float64]
Kind = Literal[
    "conv", "linear", "affine", "rectify", "pad", "max_pool", "avg_pool", "global_pool", "flatten", "log_softmax",
    "activation", "keep", "take", "add", "concat",
]  # fmt: skip


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation. `weight`: [out, in / groups, rows, columns] of a conv, [out, in] of a linear layer, [channels] of
    an affine (value * weight + bias, channel by channel); `bias`: [out]; both empty where there is none. `slope`: of a
    leaky ReLU below zero. A `pad` of its own has its value as `bias`: of each channel, or of all. `function`: of an
    activation, with its `alpha`. `slots`: that it keeps, takes or joins.
    """

    kind: Kind
    weight: Floats = field(default_factory=_none)
    bias: Floats = field(default_factory=_none)
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    slope: float = 0.0
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    function: str = ""
    alpha: float = 0.0
    slots: tuple[int, ...] = ()

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns from the first to the last that a kernel sees."""
        rows, columns = ((size - 1) * step + 1 for size, step in zip(self.kernel, self.dilation, strict=True))
        return rows, columns


def layers_of(model: str, module: nn.Module, shape: Shape, classes: int) -> tuple[Layer, ...]:
    """A network's layers, dropout included. Raises DataError that names what cannot be exported."""
    module.eval()
    try:
        layers = read_layers(module)
        _known(layers)
        compare_answers(module, shape, classes)
    except Unsupported as error:
        raise DataError(model, f"cannot be exported to any format: {error}") from error
    finally:
        module.eval()
    return layers


def _known(layers: tuple[Layer, ...]) -> None:
    """Raise Unsupported for the first layer that the native engine trains and no format has."""
    for layer in layers:
        if layer.kind not in (*get_args(Kind), "norm", "drop", "drop_channels"):
            place = f"{layer.name}: " if layer.name else ""
            raise Unsupported(f"{place}{layer.kind.replace('_', ' ')} is not supported")


def operations(layers: tuple[Layer, ...], weights: Mapping[str, NDArray[Any]]) -> list[Operation]:
    """What the layers compute in evaluation; `weights`: the network's, by the names of its state."""
    found = list[Operation]()
    for layer in layers:
        named = {part: np.asarray(weights.get(f"{layer.name}.{part}", []), np.float64) for part in ("weight", "bias")}
        if layer.kind in ("conv", "linear"):
            kind: Kind = "conv" if layer.kind == "conv" else "linear"
            window = layer.kernel, layer.stride, layer.padding
            more: dict[str, Any] = {"groups": layer.groups, "dilation": layer.dilation}
            found.append(Operation(kind, named["weight"], named["bias"], *window, **more))
        elif layer.kind == "norm":
            found.append(_affine(layer, named, weights))
        elif layer.kind == "global_pool":
            found += [Operation("global_pool"), *([Operation("flatten")] if layer.number else [])]
        elif layer.kind == "rectify":
            found.append(Operation("rectify", slope=layer.number))
        elif layer.kind in ("max_pool", "avg_pool"):
            pool: Kind = "max_pool" if layer.kind == "max_pool" else "avg_pool"
            found.append(Operation(pool, kernel=layer.kernel, stride=layer.stride, padding=layer.padding))
        elif layer.kind not in ("drop", "drop_channels"):
            found.append(_plain(layer))
    return found


def _plain(layer: Layer) -> Operation:
    """What has no weights and no window."""
    kind = get_args(Kind)[get_args(Kind).index(layer.kind)]
    return Operation(kind, function=layer.function, alpha=layer.number, slots=layer.slots)


def normalising(mean: Floats, std: Floats) -> Operation:
    """From bytes 0 to 255 to what a network takes, channel by channel."""
    return Operation("affine", 1 / (255 * std), -mean / std)


def _affine(layer: Layer, named: Mapping[str, Floats], weights: Mapping[str, NDArray[Any]]) -> Operation:
    """A batch norm with its running statistics is a factor and a summand for each channel."""
    mean, variance = (np.asarray(weights[f"{layer.name}.running_{part}"], np.float64) for part in ("mean", "var"))
    scale = 1 / np.sqrt(variance + layer.number)
    scale = scale * named["weight"] if layer.affine else scale
    return Operation("affine", scale, (named["bias"] if layer.affine else 0) - mean * scale)
