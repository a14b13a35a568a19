"""Activations as nodes of ONNX, opset 13."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Add = Callable[..., str]
Weight = Callable[[NDArray[np.float64]], str]
_SIXTH = 1 / 6


def nodes(function: str, alpha: float, value: str, add: Add, weight: Weight) -> str:
    """The name of what `function` makes of a value; `add` adds a node, `weight` a constant."""

    def constant(number: float) -> str:
        return weight(np.array(number))

    def times(name: str, number: float) -> str:
        return add("Mul", name, constant(number))

    def half_and_half(name: str) -> str:
        """The value, times (1 + name) / 2."""
        return times(add("Mul", value, add("Add", name, constant(1))), 0.5)

    if function == "relu6":
        return add("Clip", value, constant(0), constant(6))
    if function == "elu":
        return add("Elu", value, alpha=alpha)
    if function in ("sigmoid", "tanh"):
        return add(function.capitalize(), value)
    if function == "silu":
        return add("Mul", value, add("Sigmoid", value))
    if function == "gelu":
        return half_and_half(add("Erf", times(value, math.sqrt(0.5))))
    if function == "gelu_tanh":
        cube = add("Mul", add("Mul", value, value), value)
        inner = add("Add", value, times(cube, 0.044715))
        return half_and_half(add("Tanh", times(inner, math.sqrt(2 / math.pi))))
    hard = add("HardSigmoid", value, alpha=_SIXTH, beta=0.5)
    return add("Mul", value, hard) if function == "hardswish" else hard
