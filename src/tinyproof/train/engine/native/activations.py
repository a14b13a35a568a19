"""Activations besides ReLU and leaky ReLU, read from modules and calls: a name, and alpha where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

Activation = tuple[str, float]


def _plain(name: str) -> Callable[..., Activation]:
    return lambda inplace=False: (name, 0.0)


def _elu(alpha: float = 1.0, inplace: bool = False) -> Activation:
    return "elu", float(alpha)


def _gelu(approximate: str = "none") -> Activation:
    if approximate not in ("none", "tanh"):
        raise ValueError(approximate)
    return "gelu" if approximate == "none" else "gelu_tanh", 0.0


MODULES: dict[type, Callable[[Any], Activation]] = {
    nn.ReLU6: lambda m: ("relu6", 0.0),
    nn.SiLU: lambda m: ("silu", 0.0),
    nn.Sigmoid: lambda m: ("sigmoid", 0.0),
    nn.Tanh: lambda m: ("tanh", 0.0),
    nn.Hardswish: lambda m: ("hardswish", 0.0),
    nn.Hardsigmoid: lambda m: ("hardsigmoid", 0.0),
    nn.ELU: lambda m: _elu(m.alpha),
    nn.GELU: lambda m: _gelu(m.approximate),
}

CALLS: dict[Any, Callable[..., Activation]] = {
    F.relu6: _plain("relu6"),
    F.silu: _plain("silu"),
    F.hardswish: _plain("hardswish"),
    F.hardsigmoid: _plain("hardsigmoid"),
    F.elu: _elu,
    F.gelu: _gelu,
    F.sigmoid: lambda: ("sigmoid", 0.0),
    torch.sigmoid: lambda: ("sigmoid", 0.0),
    "sigmoid": lambda: ("sigmoid", 0.0),
    F.tanh: lambda: ("tanh", 0.0),
    torch.tanh: lambda: ("tanh", 0.0),
    "tanh": lambda: ("tanh", 0.0),
}
