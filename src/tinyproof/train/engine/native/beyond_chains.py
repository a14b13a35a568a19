"""What can be read of a network and exported, and what the kernels do not know."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.train.engine.native.layers import Layer, Unsupported

_MOST_KERNEL = 11


def check(layers: Sequence[Layer]) -> None:
    """Raises Unsupported for the first layer that the kernels do not compute."""
    for layer in layers:
        if layer.kind in ("add", "concat"):
            raise Unsupported(f"{layer.name} takes several layers' values: only plain chains are supported")
        if layer.kind in ("keep", "take"):
            raise Unsupported("a layer's value is taken by several others: only plain chains are supported")
        if layer.kind == "activation":
            place = f"{layer.name}: " if layer.name else ""
            raise Unsupported(f"{place}{layer.function} is not supported")
        if layer.kind == "conv" and (layer.groups != 1 or layer.dilation != (1, 1)):
            raise Unsupported(f"{layer.name}: groups and dilation are not supported")
        if layer.kind == "conv" and max(layer.kernel) > _MOST_KERNEL:
            raise Unsupported(f"{layer.name}: kernels up to {_MOST_KERNEL} are supported")
