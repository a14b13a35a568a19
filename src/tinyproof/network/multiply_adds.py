"""Multiply-adds of one of torch's operators: torch's own formulas, with some that it lacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from torch.utils.flop_counter import flop_registry

# Operators that multiply and add in ways that are not counted here: a sum without them would be too small.
_UNCOUNTED = (
    "_cdist", "_cudnn_rnn", "miopen_rnn", "_fft", "fft", "linalg", "_linalg", "cholesky", "mkldnn", "_mkldnn", "sparse",
    "_sparse", "_native_multi_head", "_transformer", "_int_mm", "_scaled", "_grouped_mm", "_weight_int", "_addmm",
    "triangular_solve", "_flash", "_efficient", "addr",
)  # fmt: skip
# Norms: squares and a root, no product of values with weights, as in a batch norm.
_NONE = ("linalg_vector_norm", "linalg_norm")


def macs(func: Any, args: tuple[Any, ...], words: dict[str, Any], out: Any) -> int | None:
    """Multiply-adds of one operator; None where it has some that are not counted here."""
    packet = getattr(func, "overloadpacket", None)
    if packet in flop_registry:
        return int(flop_registry[packet](*args, **words, out_val=out)) // 2
    if packet is None or func.namespace not in ("aten", "prim", "prims"):
        return None
    name = packet.__name__
    if name in _FORMULAS:
        return _FORMULAS[name](arguments(func, args, words))
    return None if name.startswith(_UNCOUNTED) and name not in _NONE else 0


def _trilinear(given: dict[str, Any]) -> int:
    shapes = []
    for i in ("1", "2", "3"):
        shape = list(given[f"i{i}"].shape)
        for axis in sorted(given[f"expand{i}"]):
            shape.insert(axis, 1)
        shapes.append(shape)
    return math.prod(np.broadcast_shapes(*shapes))


def _rnn(given: dict[str, Any]) -> int:
    steps = math.prod(given["input"].shape[:2])
    return int(steps * (given["weight0"].numel() + given["weight1"].numel()))


def _attention(given: dict[str, Any]) -> int:
    query, key, value = (given[word].shape for word in ("query", "key", "value"))
    return int(math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1]))


_FORMULAS: dict[str, Callable[[dict[str, Any]], int]] = {
    "mv": lambda given: int(given["self"].numel()),
    "addmv": lambda given: int(given["mat"].numel()),
    "dot": lambda given: int(given["self"].numel()),
    "vdot": lambda given: int(given["self"].numel()),
    "addbmm": lambda given: int(given["batch1"].numel() * given["batch2"].shape[-1]),
    "_trilinear": _trilinear,
    "mkldnn_rnn_layer": _rnn,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
}


def arguments(func: Any, args: tuple[Any, ...], words: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an operator by name, those that were left out with what torch takes for them."""
    known = func._schema.arguments
    given = {argument.name: value for argument, value in zip(known, args, strict=False)}
    return {a.name: given.get(a.name, words.get(a.name, a.default_value)) for a in known}
