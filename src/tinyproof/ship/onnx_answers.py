"""Computing with an ONNX file of the kind that `onnx_file` writes: its bytes are read again, and torch does each node.

The file may be a stranger's: it is bounded, what it holds is data, and whatever else stands in it is one line.
"""

from __future__ import annotations

import math
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tinyproof.core.errors import DataError
from tinyproof.ship.onnx_file import FLOAT, TYPES, UINT8

_BATCH = 200
_MOST_VALUES = 1_000_000  # of one image, in the network
Message = dict[int, list[Any]]


class OnnxFile:
    """An exported model, ready to answer. Raises DataError where the bytes are no such model."""

    def __init__(self, content: bytes, where: str) -> None:
        self._where = where
        try:
            graph = parsed(parsed(content)[7][0])
            self._weights = dict(_array(parsed(part)) for part in graph[5])
            self._nodes = [_node(parsed(part)) for part in graph[1]]
            if any(operator == "QuantizeLinear" for operator, *_ in self._nodes):
                # In double precision a value next to the middle of two bytes falls to the same side everywhere.
                self._weights = {name: w.double() if w.is_floating_point() else w for name, w in self._weights.items()}
            self._read = {name for op, names, *_ in self._nodes if op == "Pad" for name in names[1:]} & {*self._weights}
            kind = parsed(parsed(parsed(graph[11][0])[2][0])[1][0])[1][0]
            self.of_bytes = {UINT8: True, FLOAT: False}[kind]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, struct.error) as error:
            raise DataError(where, "is no ONNX file of the kind that is exported here") from error

    def scores(self, images: NDArray[np.uint8], normalised: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        """Float32 [N, classes] for images uint8 [N, channels, height, width]; `normalised` makes the input of a model
        that does not take bytes. Raises DataError where the file does not compute."""
        found = []
        try:
            with torch.inference_mode():
                # The shapes first, without memory: a stranger's file may ask for any.
                kind = torch.uint8 if self.of_bytes else torch.float32
                self._answer(torch.empty(1, *images.shape[1:], dtype=kind, device="meta"))
                for at in range(0, len(images), _BATCH):
                    part = torch.from_numpy(np.ascontiguousarray(images[at : at + _BATCH]))
                    found.append(self._answer(part if self.of_bytes else normalised(part)))
            return np.concatenate([part.numpy() for part in found]).astype(np.float32)
        except (RuntimeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(self._where, "does not compute scores of these images") from error

    def _answer(self, images: Tensor) -> Tensor:
        values: dict[str, Tensor] = {"images": images}
        values |= {name: weight.to(images.device) for name, weight in self._weights.items()}
        values |= {name: self._weights[name] for name in self._read}
        for operator, inputs, out, attributes in self._nodes:
            made = _OPERATORS[operator](*(values[name] for name in inputs), **attributes)
            if made.numel() > _MOST_VALUES * len(images):
                raise ValueError(f"{made.numel():,} values")
            values[out] = made
        return values["scores"]


def _same(
    kernel_shape: list[int], pads: list[int], strides: list[int], dilations: Sequence[int] = (1, 1)
) -> dict[str, Any]:
    """The arguments of a torch function; as much is padded at the end as at the start."""
    reach = [(side - 1) * step + 1 for side, step in zip(kernel_shape, dilations, strict=True)]
    if pads[:2] != pads[2:] or any(pad >= side for pad, side in zip(pads, reach, strict=False)):
        raise ValueError("pads")
    return {"stride": strides, "padding": pads[:2], "dilation": dilations}


def _pooled(kernel_shape: list[int], pads: list[int], strides: list[int]) -> dict[str, Any]:
    return {"kernel_size": kernel_shape, "stride": strides, "padding": _same(kernel_shape, pads, strides)["padding"]}


def _conv(x: Tensor, w: Tensor, b: Tensor | None = None, group: int = 1, **more: Any) -> Tensor:
    return F.conv2d(x, w, b, groups=group, **_same(**{**more, "kernel_shape": list(w.shape[2:])}))


def _dequantised(value: Tensor, scale: Tensor, zero: Tensor, axis: int = 1) -> Tensor:
    """The numbers that whole ones stand for; `axis`: of the steps, where there are several."""
    if scale.ndim:
        wide = [1] * value.ndim
        wide[axis] = len(scale)
        scale, zero = scale.reshape(wide), zero.reshape(wide)
    return (value.to(scale.dtype) - zero.to(scale.dtype)) * scale


def _quantised(value: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
    return (torch.round(value / scale) + zero).clamp(0, 255).to(torch.uint8)


def _padded(value: Tensor, pads: Tensor, constant: Tensor) -> Tensor:
    sizes = pads.tolist()
    if len(sizes) != 8 or any(sizes[:2] + sizes[4:6]) or min(sizes) < 0:
        raise ValueError("pads")
    above, left, below, right = sizes[2], sizes[3], sizes[6], sizes[7]
    return F.pad(value, (left, right, above, below), value=constant.item())


_OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Cast": lambda x, to: x.float(),
    "Conv": _conv,
    "Gemm": lambda x, w, b=None, transB=1: F.linear(x, w, b),
    "Mul": lambda x, y: x * y,
    "Add": lambda x, y: x + y,
    "Relu": F.relu,
    "Clip": torch.clamp,
    "Elu": lambda x, alpha: F.elu(x, alpha),
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Erf": torch.erf,
    "HardSigmoid": lambda x, alpha, beta: (alpha * x + beta).clamp(0, 1),
    "Concat": lambda *values, axis: torch.cat(values, axis),
    "LeakyRelu": lambda x, alpha: F.leaky_relu(x, alpha),
    "MaxPool": lambda x, **more: F.max_pool2d(x, **_pooled(**more)),
    "AveragePool": lambda x, **more: F.avg_pool2d(x, **_pooled(**more)),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Flatten": lambda x, axis: x.flatten(axis),
    "LogSoftmax": lambda x, axis: F.log_softmax(x, axis),
    "Transpose": lambda x, perm: x.permute(perm),
    "DequantizeLinear": _dequantised,
    "QuantizeLinear": _quantised,
    "Pad": _padded,
}


def parsed(content: bytes) -> Message:
    """A protobuf message: the values of each key, in their order. Raises ValueError for what is none."""
    found: Message = defaultdict(list)
    for key, value in _fields(content):
        found[key].append(value)
    return dict(found)


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(content, at)
            yield tag >> 3, value
            continue
        size, at = _varint(content, at) if kind == 2 else ({5: 4, 1: 8}[kind], at)
        if at + size > len(content):
            raise ValueError("cut off")
        yield tag >> 3, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        value |= (content[at] & 0x7F) << shift
        at += 1
        if content[at - 1] < 0x80:
            return value, at
    raise ValueError("no whole number")


def _array(tensor: Message) -> tuple[str, Tensor]:
    dims, at, packed = [], 0, tensor[1][0]
    while at < len(packed):
        side, at = _varint(packed, at)
        dims.append(side)
    values = np.frombuffer(tensor[9][0], TYPES[tensor[2][0]])
    if math.prod(dims) != len(values):
        raise ValueError("another number of values")
    return tensor[8][0].decode(), torch.from_numpy(values.copy().reshape(dims))


def _node(node: Message) -> tuple[str, list[str], str, dict[str, Any]]:
    operator = node[4][0].decode()
    if operator not in _OPERATORS:
        raise ValueError(operator)
    attributes = dict(_attribute(parsed(part)) for part in node.get(5, []))
    return operator, [name.decode() for name in node[1]], node[2][0].decode(), attributes


def _attribute(found: Message) -> tuple[str, Any]:
    value = struct.unpack("<f", found[2][0])[0] if 2 in found else found[3][0] if 3 in found else found[8]
    return found[1][0].decode(), value
