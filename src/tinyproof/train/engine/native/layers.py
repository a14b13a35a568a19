"""One layer of a network in plain data, read from a module or from a call (`nn.ReLU`, `F.relu`, `x.relu()`).

Whatever torch would compute in another way than the kernels is refused, with one line that says why.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tinyproof.train.engine.native import activations

IMAGES = "images"  # what stands for the number of images among the values of a call


class Unsupported(Exception):
    """The network holds something that the native engine does not know; the message is one line for people."""


@dataclass(frozen=True)
class Layer:
    """One layer: `kind`, the module's name in the network ("" for a function) and the kind's own values.

    `inputs` and `out` are the channels (or features) that it takes and gives, 0 where it takes and gives any number.
    Kinds: conv, linear, norm, rectify, activation (`function` says which), drop, drop_channels, max_pool, avg_pool,
    global_pool, global_max, flatten, unflatten (to pictures of 1x1), log_softmax; channel_norm (layer norm over the
    channels), channels_last and channels_first (dimensions change places); keep (the value is kept in a slot), take
    (the kept value goes on), add, multiply and concat (of kept values).
    """

    kind: str
    name: str = ""
    inputs: int = 0
    out: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    bias: bool = False
    affine: bool = True
    number: float = 0.0  # probability, slope, epsilon or alpha
    momentum: float = 0.1
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    function: str = ""
    slots: tuple[int, ...] = ()

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns from the first to the last that a dilated kernel sees."""
        rows, columns = ((size - 1) * step + 1 for size, step in zip(self.kernel, self.dilation, strict=True))
        return rows, columns


def of_call(function: Any, *values: Any, **named: Any) -> Layer | None:
    """The layer that a call stands for; `function` as torch.fx gives it, `values` what follows the picture.

    None for a call that changes nothing. Raises Unsupported.

    >>> of_call("flatten", 1).kind
    'flatten'
    """
    name = getattr(function, "__name__", str(function))
    read, acts = _CALLS.get(function), activations.CALLS.get(function)
    if read is None and acts is None:
        raise Unsupported(f"{name} is not supported")
    try:
        return read(*values, **named) if read is not None else _activation(*acts(*values, **named))  # type: ignore[misc]
    except (TypeError, ValueError) as error:
        raise Unsupported(f"{name}: arguments that are not supported ({error})") from error


def of_module(name: str, m: nn.Module) -> Layer | None:
    """The layer that a module stands for in the mode (training or evaluation) that it is in; None: it changes nothing.

    Raises Unsupported.
    """
    kind = type(m)
    if kind is nn.Conv2d:
        return _conv(name, m)  # type: ignore[arg-type]
    if kind is nn.Linear:
        return _linear(name, m)  # type: ignore[arg-type]
    if kind is nn.BatchNorm2d or kind is nn.BatchNorm1d:
        return _norm(name, m)  # type: ignore[arg-type]
    if kind is nn.LayerNorm:
        return _layer_norm(name, m)  # type: ignore[arg-type]
    if kind in activations.MODULES:
        return _activation(*activations.MODULES[kind](m), name)
    read = _MODULES.get(kind)
    if read is None:
        raise Unsupported(f"{name}: {kind.__name__} is not supported")
    try:
        return read(m)
    except Unsupported as error:
        raise Unsupported(f"{name}: {error}") from error


def _conv(name: str, m: nn.Conv2d) -> Layer:
    if m.padding_mode != "zeros":
        raise Unsupported(f"{name}: padding modes other than zeros are not supported")
    if isinstance(m.padding, str):
        raise Unsupported(f"{name}: padding must be given in pixels")
    # The weight, not what the layer says of itself, is what torch computes with.
    (out, inputs), kernel, padding = m.weight.shape[:2], _pair(m.weight.shape[2:]), _pair(m.padding)
    more = {"groups": m.groups, "dilation": _pair(m.dilation), "stride": _pair(m.stride), "padding": padding}
    layer = Layer("conv", name, inputs * m.groups, out, kernel, bias=m.bias is not None, **more)  # type: ignore[arg-type]
    if padding[0] >= layer.reach[0] or padding[1] >= layer.reach[1]:
        raise Unsupported(f"{name}: only padding smaller than the kernel is supported")
    return layer


def _activation(function: str, alpha: float, name: str = "") -> Layer:
    return Layer("activation", name, function=function, number=alpha)


def _linear(name: str, m: nn.Linear) -> Layer:
    out, inputs = m.weight.shape
    return Layer("linear", name, inputs, out, bias=m.bias is not None)


def _norm(name: str, m: nn.BatchNorm2d) -> Layer:
    mean, variance, count = m.running_mean, m.running_var, m.num_batches_tracked
    if not m.track_running_stats or m.momentum is None or mean is None or variance is None or count is None:
        raise Unsupported(f"{name}: batch norm without running statistics or momentum is not supported")
    if (m.weight is None) != (m.bias is None):
        raise Unsupported(f"{name}: batch norm with only one of weight and bias is not supported")
    return Layer("norm", name, len(mean), affine=m.weight is not None, number=m.eps, momentum=m.momentum)


def _layer_norm(name: str, m: nn.LayerNorm) -> Layer:
    if (m.weight is None) != (m.bias is None):
        raise Unsupported(f"{name}: layer norm with only one of weight and bias is not supported")
    return channel_norm(name, m.normalized_shape, m.weight is not None, m.eps)


def channel_norm(name: str, shape: Any, affine: bool, epsilon: float = 1e-5) -> Layer:
    """Layer norm over the last dimension, which holds the channels. Raises Unsupported for another one."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if len(sizes) != 1 or not isinstance(sizes[0], int):
        raise Unsupported(f"{name}: layer norm is supported over the channels alone, as the last dimension")
    return Layer("channel_norm", name, sizes[0], affine=affine, number=float(epsilon))


def _permute(*dims: Any) -> Layer:
    order = tuple(dims[0]) if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    if order not in ((0, 2, 3, 1), (0, 3, 1, 2)):
        raise Unsupported("dimensions may change places only so that the channels are last (0, 2, 3, 1), and back")
    return Layer("channels_last" if order == (0, 2, 3, 1) else "channels_first")


def _index(places: Any) -> Layer:
    whole = slice(None)
    if places not in ((whole, whole, None, None), (..., None, None)):
        raise Unsupported("only [:, :, None, None] is supported, which makes values pictures of 1x1")
    return Layer("unflatten")


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


def _adaptive_max(output_size: Any, return_indices: bool = False) -> Layer:
    if output_size not in (1, (1, 1), [1, 1]) or return_indices:
        raise Unsupported("adaptive pooling to other sizes than 1, or with indices, is not supported")
    return Layer("global_max")


def _mean(dim: Any, keepdim: bool = False) -> Layer:
    if sorted(d % 4 for d in dim) != [2, 3]:
        raise Unsupported("means over other dimensions than rows and columns are not supported")
    return Layer("global_pool", number=float(not keepdim))


def _view(*shape: Any) -> Layer:
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if len(sizes) == 2 and sizes[0] == IMAGES and (sizes[1] == -1 or not isinstance(sizes[1], int)):
        return Layer("flatten")  # torch itself makes sure that the second size is the right one
    if len(sizes) == 4 and sizes[0] == IMAGES and tuple(sizes[2:]) == (1, 1):
        return Layer("unflatten", inputs=sizes[1] if isinstance(sizes[1], int) and sizes[1] > 0 else 0)
    if len(sizes) != 2 or sizes[0] not in (-1, IMAGES) or not isinstance(sizes[1], int) or sizes[1] < 1:
        raise Unsupported("only reshaping to [images, values] is supported, as x.flatten(1) does it")
    return Layer("flatten", inputs=sizes[1])


def _flatten(start_dim: int = 0, end_dim: int = -1) -> Layer:
    if start_dim != 1 or end_dim not in (-1, 3):
        raise Unsupported("flatten must keep the images apart: start_dim=1")
    return Layer("flatten")


def _log_softmax(dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Layer:
    if dim not in (1, -1) or dtype not in (None, torch.float32):
        raise Unsupported("log_softmax must be over the classes (dim 1), in float32")
    return Layer("log_softmax")


def _dropout(p: Any = 0.5, training: bool = True, inplace: bool = False) -> Layer | None:
    return Layer("drop", number=float(p)) if training and p else None


def _dropout2d(p: Any = 0.5, training: bool = True, inplace: bool = False) -> Layer | None:
    return Layer("drop_channels", number=float(p)) if training and p else None


def _leaky(negative_slope: float = 0.01, inplace: bool = False) -> Layer:
    if not 0.0 <= negative_slope <= 1.0:
        raise Unsupported("leaky ReLU needs a slope from 0 to 1")
    return Layer("rectify", number=negative_slope)


_MODULES: dict[type, Callable[[Any], Layer | None]] = {
    nn.ReLU: lambda m: Layer("rectify"),
    nn.LeakyReLU: lambda m: _leaky(m.negative_slope),
    nn.Dropout: lambda m: _dropout(m.p, m.training),
    nn.Dropout2d: lambda m: _dropout2d(m.p, m.training),
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
    nn.AdaptiveMaxPool2d: lambda m: _adaptive_max(m.output_size, m.return_indices),
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
    F.adaptive_max_pool2d: _adaptive_max,
    F.log_softmax: _log_softmax,
    torch.log_softmax: _log_softmax,
    "log_softmax": _log_softmax,
    torch.flatten: _flatten,
    "flatten": _flatten,
    "view": _view,
    "reshape": _view,
    "permute": _permute,
    torch.permute: _permute,
    operator.getitem: _index,
    "mean": _mean,
    torch.mean: _mean,
    "contiguous": lambda: None,
}
