"""The parts of a network as plain data: a layer with its weights and biases, a training example."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tinyproof.core.errors import InputError

Activation = Literal["sigmoid", "tanh", "relu", "leaky relu", "softplus", "identity", "softmax"]
ACTIVATIONS: tuple[str, ...] = get_args(Activation)


@dataclass(frozen=True)
class Example:
    """One training example: what goes in and what should come out."""

    inputs: tuple[float, ...]
    targets: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("inputs", "targets"):
            object.__setattr__(self, name, _numbers(f"example {name}", getattr(self, name)))


@dataclass(frozen=True)
class Layer:
    """One layer: `weights[unit][input]`, an activation, and biases.

    `bias`: None (there is none), one number (one bias that all units of the layer share) or one number a unit.
    `train_bias`: whether gradient descent changes it; in the well-known worked example it is a constant.
    `leak`: the slope of leaky ReLU below zero.
    """

    weights: tuple[tuple[float, ...], ...]
    activation: Activation = "sigmoid"
    bias: float | tuple[float, ...] | None = None
    train_bias: bool = True
    leak: float = 0.01

    def __post_init__(self) -> None:
        rows = listed("weights", self.weights, "rows of numbers, one row a unit")
        object.__setattr__(self, "weights", tuple(_numbers("weights", row) for row in rows))
        if not isinstance(self.bias, int | float | None):
            object.__setattr__(self, "bias", _numbers("bias", self.bias))

    @property
    def units(self) -> int:
        return len(self.weights)

    @property
    def inputs(self) -> int:
        return len(self.weights[0])

    @property
    def biases(self) -> tuple[float, ...]:
        """Every bias of the layer once: none, one, or one a unit."""
        if self.bias is None:
            return ()
        return self.bias if isinstance(self.bias, tuple) else (self.bias,)


def _numbers(name: str, values: object) -> tuple[float, ...]:
    """Lists and arrays are welcome where a tuple is meant; Net checks the numbers."""
    return tuple(listed(name, values, "a list of numbers"))


def listed(name: str, values: object, allowed: str) -> list[Any]:
    values = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(values, list | tuple):
        raise InputError(name, values, allowed)
    return list(values)


def check_layer(place: str, layer: Layer, last: bool, where: str) -> None:
    """Raises InputError for a layer that cannot be; `place` and `where` are named in messages."""
    if layer.activation not in ACTIVATIONS:
        raise InputError(f"{place}.activation", layer.activation, ", ".join(ACTIVATIONS), where)
    if layer.activation == "softmax" and not last:
        raise InputError(f"{place}.activation", "softmax", "softmax in the last layer only", where)
    if not layer.weights or not layer.weights[0]:
        raise InputError(f"{place}.weights", None, "give a row of numbers for each unit", where, problem="are missing")
    if layer.activation == "softmax" and layer.units < 2:
        raise InputError(f"{place}.weights", "1 row", "two rows or more with softmax", where)
    for number, row in enumerate(layer.weights, 1):
        if len(row) != layer.inputs:
            allowed = f"{layer.inputs}, as in row 1"
            raise InputError(f"{place}.weights", f"row {number} of {len(row)} numbers", allowed, where)
        all_finite(f"{place}.weights, row {number}", row, where)
    if isinstance(layer.bias, tuple) and len(layer.bias) != layer.units:
        raise InputError(f"{place}.bias", f"{len(layer.bias)} numbers", f"one number, or {layer.units}", where)
    all_finite(f"{place}.bias", layer.biases, where)
    finite(f"{place}.leak", layer.leak, where)


def all_finite(name: str, values: Sequence[float], where: str) -> None:
    """Raises InputError where one is no finite number."""
    for value in values:
        finite(name, value, where)


def finite(name: str, value: object, where: str) -> None:
    """Raises InputError for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(name, value, "a finite number", where)
