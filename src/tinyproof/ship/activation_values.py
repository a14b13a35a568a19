"""What activations give, by torch: for whoever measures values, and makes tables of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu6": F.relu6,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "gelu": F.gelu,
    "gelu_tanh": lambda values: F.gelu(values, approximate="tanh"),
}


def activated(function: str, alpha: float, values: Tensor) -> Tensor:
    """Values after an activation; `alpha`: of an ELU.

    >>> activated("elu", 1.0, torch.tensor([2.0])).tolist()
    [2.0]
    """
    return F.elu(values, alpha) if function == "elu" else _FUNCTIONS[function](values)
