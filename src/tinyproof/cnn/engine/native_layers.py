"""Reads an `nn.Module` as a chain of layers in plain data, or says in one line why it is not such a chain.

The module's forward is traced (torch.fx), so `nn.Sequential` and hand-written forwards, modules and functions
(`nn.ReLU`, `F.relu`, `torch.relu`, `x.relu()`) all read the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.fx
import torch.nn.functional as F
from torch import nn


class Unsupported(Exception):
    """The network holds something that the native engine does not know; the message is one line for people."""


@dataclass(frozen=True)
class Layer:
    """One layer: `kind`, the module's name in the network ("" for a function) and the kind's own values.

    Kinds: conv, linear, norm, rectify, drop, drop_channels, max_pool, avg_pool, global_pool, flatten, log_softmax.
    """

    kind: str
    name: str = ""
    out: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    bias: bool = False
    affine: bool = True
    number: float = 0.0  # probability, slope or epsilon
    momentum: float = 0.1


def read_layers(module: nn.Module) -> tuple[Layer, ...]:
    """The layers in the order in which the data pass through them. Raises Unsupported.

    >>> [layer.kind for layer in read_layers(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten()))]
    ['conv', 'rectify', 'flatten']
    """
    was_training = module.training
    module.train()  # F.dropout(x, training=self.training) is traced with the value that it has now
    try:
        graph = torch.fx.symbolic_trace(module).graph
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Unsupported(f"the forward of {type(module).__name__} cannot be traced ({first[:120]})") from error
    finally:
        module.train(was_training)
    modules = dict(module.named_modules())
    layers: list[Layer] = []
    value: torch.fx.Node | None = None
    for node in graph.nodes:
        if node.op == "placeholder":
            if value is not None:
                raise Unsupported("the network has more than one input")
            value = node
        elif node.op == "output":
            if node.args[0] is not value:
                raise Unsupported("the network has more than one output")
        elif not _is_shape(node):
            if value is None or not node.args or node.args[0] is not value or _other_values(node, value):
                raise Unsupported(f"{node.name} does not follow the layer before it: only plain chains are supported")
            layer = _layer(node, modules)
            if layer is not None:
                layers.append(layer)
            value = node
    seen = [layer.name for layer in layers if layer.kind in ("conv", "linear", "norm")]
    if len(set(seen)) != len(seen):
        raise Unsupported("a layer is used twice")
    return tuple(layers)


def _is_shape(node: torch.fx.Node) -> bool:
    """Whether the node is arithmetic on shapes, as in `x.view(x.size(0), -1)`, not on values."""
    if (node.op, node.target) in (("call_method", "size"), ("call_method", "dim")):
        return True
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return node.args[1] == "shape"
    inputs = node.all_input_nodes
    return node.target in (operator.getitem, operator.mul, operator.floordiv) and all(map(_is_shape, inputs))


def _other_values(node: torch.fx.Node, value: torch.fx.Node) -> bool:
    return any(other is not value and not _is_shape(other) for other in node.all_input_nodes)


def _layer(node: torch.fx.Node, modules: dict[str, nn.Module]) -> Layer | None:
    if node.op == "call_module":
        name = str(node.target)
        return _of_module(name, modules[name])
    if node.op in ("call_function", "call_method"):
        read = _CALLS.get(node.target)
        if read is not None:
            try:
                return read(*node.args[1:], **node.kwargs)
            except (TypeError, ValueError) as error:
                raise Unsupported(f"{node.name}: arguments that are not supported ({error})") from error
    raise Unsupported(f"{node.name} ({node.op.replace('_', ' ')}) is not supported")


def _of_module(name: str, m: nn.Module) -> Layer | None:
    kind = type(m)
    if kind is nn.Conv2d:
        return _conv(name, m)  # type: ignore[arg-type]
    if kind is nn.Linear:
        return Layer("linear", name, out=m.out_features, bias=m.bias is not None)  # type: ignore[arg-type]
    if kind is nn.BatchNorm2d or kind is nn.BatchNorm1d:
        return _norm(name, m)  # type: ignore[arg-type]
    read = _MODULES.get(kind)
    if read is None:
        raise Unsupported(f"{name}: {kind.__name__} is not supported")
    try:
        return read(m)
    except Unsupported as error:
        raise Unsupported(f"{name}: {error}") from error


def _conv(name: str, m: nn.Conv2d) -> Layer:
    if m.groups != 1 or _pair(m.dilation) != (1, 1) or m.padding_mode != "zeros":
        raise Unsupported(f"{name}: groups, dilation and padding modes other than zeros are not supported")
    if isinstance(m.padding, str):
        raise Unsupported(f"{name}: padding must be given in pixels")
    kernel, padding = _pair(m.kernel_size), _pair(m.padding)
    if padding[0] >= kernel[0] or padding[1] >= kernel[1] or max(kernel) > 11:
        raise Unsupported(f"{name}: kernels up to 11 with padding smaller than the kernel are supported")
    return Layer("conv", name, m.out_channels, kernel, _pair(m.stride), padding, m.bias is not None)


def _norm(name: str, m: nn.BatchNorm2d) -> Layer:
    if not m.track_running_stats or m.momentum is None:
        raise Unsupported(f"{name}: batch norm without running statistics or momentum is not supported")
    return Layer("norm", name, affine=m.affine, number=m.eps, momentum=m.momentum)


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, (tuple, list)) else (value, value)
    return int(first), int(second)


def _pool(
    kind: str, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, **rest: Any
) -> Layer:
    kernel = _pair(kernel_size)
    pool = Layer(kind, kernel=kernel, stride=_pair(kernel if stride in (None, ()) else stride), padding=_pair(padding))
    unusual = ceil_mode or _pair(rest.get("dilation", 1)) != (1, 1) or rest.get("return_indices")
    if unusual or rest.get("divisor_override") or (kind == "avg_pool" and pool.padding != (0, 0)):
        raise Unsupported("pooling with ceil_mode, dilation, indices, or averages over padding is not supported")
    return pool


def _adaptive(output_size: Any) -> Layer:
    if output_size not in (1, (1, 1), [1, 1]):
        raise Unsupported("adaptive pooling to other sizes than 1 is not supported")
    return Layer("global_pool")


def _mean(dim: Any, keepdim: bool = False) -> Layer:
    if sorted(d % 4 for d in dim) != [2, 3]:
        raise Unsupported("means over other dimensions than rows and columns are not supported")
    return Layer("global_pool", number=float(not keepdim))


def _view(*shape: Any) -> Layer:
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if len(sizes) != 2:
        raise Unsupported("only reshaping to [images, values] is supported")
    return Layer("flatten", out=sizes[1] if isinstance(sizes[1], int) and sizes[1] > 0 else 0)


def _flatten(start_dim: int = 0, end_dim: int = -1) -> Layer:
    if start_dim != 1 or end_dim not in (-1, 3):
        raise Unsupported("flatten must keep the images apart: start_dim=1")
    return Layer("flatten")


def _log_softmax(dim: Any = None, **_: Any) -> Layer:
    if dim not in (1, -1):
        raise Unsupported("log_softmax must be over the classes (dim 1)")
    return Layer("log_softmax")


def _dropout(p: float = 0.5, training: bool = True, inplace: bool = False) -> Layer | None:
    return Layer("drop", number=p) if training else None


def _dropout2d(p: float = 0.5, training: bool = True, inplace: bool = False) -> Layer | None:
    return Layer("drop_channels", number=p) if training else None


def _leaky(negative_slope: float = 0.01, inplace: bool = False) -> Layer:
    if not 0.0 <= negative_slope <= 1.0:
        raise Unsupported("leaky ReLU needs a slope from 0 to 1")
    return Layer("rectify", number=negative_slope)


_MODULES: dict[type, Callable[[Any], Layer | None]] = {
    nn.ReLU: lambda m: Layer("rectify"),
    nn.LeakyReLU: lambda m: _leaky(m.negative_slope),
    nn.Dropout: lambda m: _dropout(m.p),
    nn.Dropout2d: lambda m: _dropout2d(m.p),
    nn.MaxPool2d: lambda m: _pool(
        "max_pool",
        m.kernel_size,
        m.stride,
        m.padding,
        m.ceil_mode,
        dilation=m.dilation,
        return_indices=m.return_indices,
    ),
    nn.AvgPool2d: lambda m: _pool(
        "avg_pool", m.kernel_size, m.stride, m.padding, m.ceil_mode, divisor_override=m.divisor_override
    ),
    nn.AdaptiveAvgPool2d: lambda m: _adaptive(m.output_size),
    nn.Flatten: lambda m: _flatten(m.start_dim, m.end_dim),
    nn.LogSoftmax: lambda m: _log_softmax(m.dim),
    nn.Identity: lambda m: None,
}

_CALLS: dict[Any, Callable[..., Layer | None]] = {
    F.relu: lambda inplace=False: Layer("rectify"),
    torch.relu: lambda: Layer("rectify"),
    "relu": lambda: Layer("rectify"),
    F.leaky_relu: _leaky,
    F.dropout: _dropout,
    F.dropout2d: _dropout2d,
    F.max_pool2d: lambda *a, **k: _pool("max_pool", *a, **k),
    F.avg_pool2d: lambda *a, **k: _pool("avg_pool", *a, **k),
    F.adaptive_avg_pool2d: _adaptive,
    F.log_softmax: _log_softmax,
    torch.log_softmax: _log_softmax,
    "log_softmax": _log_softmax,
    torch.flatten: _flatten,
    "flatten": _flatten,
    "view": _view,
    "reshape": _view,
    "mean": _mean,
    torch.mean: _mean,
    "contiguous": lambda: None,
}
