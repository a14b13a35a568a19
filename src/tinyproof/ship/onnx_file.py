"""ONNX written directly: a model as protobuf bytes, one node an operation, nothing traced. Same input, same bytes.

Field numbers and codes are those of `onnx.proto3`; operators those of opset 13, which every runtime of today has.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.ship.onnx_activations import nodes
from tinyproof.ship.operations import Operation

IR_VERSION, OPSET = 8, 13
FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7  # TensorProto.DataType
TYPES = {FLOAT: "<f4", UINT8: "<u1", INT8: "<i1", INT32: "<i4", INT64: "<i8"}  # as their values lie in a file
_FLOAT, _INT, _INTS = 1, 2, 7  # AttributeProto.AttributeType
_NAMES = {
    "conv": "Conv", "linear": "Gemm", "max_pool": "MaxPool", "avg_pool": "AveragePool", "flatten": "Flatten",
    "global_pool": "GlobalAveragePool", "log_softmax": "LogSoftmax",
}  # fmt: skip


def model_bytes(
    operations: Sequence[Operation], shape: tuple[int, ...], classes: int, of_bytes: bool, told: Mapping[str, str]
) -> bytes:
    """A ModelProto: from `images` [N, channels, height, width] (uint8 where `of_bytes`, else float32) to `scores`
    [N, classes].

    `told`: what stands in the model's metadata.
    """
    graph = Graph()
    value = graph.add("Cast", "images", to=FLOAT) if of_bytes else "images"
    kept = dict[int, str]()
    for operation in operations:
        if operation.kind == "keep":
            kept[operation.slots[0]] = value
        elif operation.kind == "take":
            value = kept[operation.slots[0]]
        elif operation.kind in ("add", "concat"):
            value = graph.joined(operation.kind, [kept[slot] for slot in operation.slots])
        else:
            value = graph.operation(operation, value)
    graph.rename(value, "scores")
    return framed(graph, shape, classes, of_bytes, told)


def framed(graph: Graph, shape: tuple[int, ...], classes: int, of_bytes: bool, told: Mapping[str, str]) -> bytes:
    """A ModelProto around a graph from `images` to `scores`."""
    inputs = _value("images", UINT8 if of_bytes else FLOAT, shape)
    body = [*(message(1, node) for node in graph.nodes()), text(2, "network"), *(message(5, w) for w in graph.weights)]
    body += [message(11, inputs), message(12, _value("scores", FLOAT, (classes,)))]
    opset = text(1, "") + number(2, OPSET)
    metadata = [message(14, text(1, name) + text(2, words)) for name, words in told.items()]
    return b"".join(
        [number(1, IR_VERSION), text(2, "tinyproof"), message(7, b"".join(body)), message(8, opset), *metadata]
    )


@dataclass
class Graph:
    """Nodes and weights, in their order; every node gives one value, named by its number."""

    weights: list[bytes] = field(default_factory=list)
    _nodes: list[tuple[str, list[str], str, dict[str, Any]]] = field(default_factory=list)
    _flat: set[str] = field(default_factory=set)  # the values that are [N, features]

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """One node; returns the name of its value."""
        out = f"v{len(self._nodes) + 1}"
        self._nodes.append((operator, list(inputs), out, attributes))
        if operator in ("Flatten", "Gemm") or not self._flat.isdisjoint(inputs):
            self._flat.add(out)
        return out

    def joined(self, kind: str, values: Sequence[str]) -> str:
        """The sum of values, or their channels one after the other."""
        return self.add("Add", *values) if kind == "add" else self.add("Concat", *values, axis=1)

    def weight(self, values: NDArray[Any], kind: int = FLOAT) -> str:
        """One array of weights, as float32 or as a `kind` of TYPES; returns its name."""
        name = f"w{len(self.weights) + 1}"
        dims = b"".join(varint(side) for side in values.shape)
        raw = np.ascontiguousarray(values, TYPES[kind]).reshape(values.shape).tobytes()
        self.weights.append(message(1, dims) + number(2, kind) + text(8, name) + message(9, raw))
        return name

    def operation(self, op: Operation, value: str) -> str:
        """The node, or the nodes, of an operation on a value."""
        if op.kind == "affine":
            return self._affine(op, value)
        if op.kind == "rectify":
            return self.add("LeakyRelu", value, alpha=op.slope) if op.slope else self.add("Relu", value)
        if op.kind == "activation":
            return nodes(op.function, op.alpha, value, self.add, self.weight)
        weights = [self.weight(part) for part in (op.weight, op.bias) if part.size]
        more: dict[str, Any] = {}
        if op.kind in ("conv", "max_pool", "avg_pool"):
            more = window(op.kernel, op.padding, op.stride, op.dilation, op.groups)
        elif op.kind == "linear":
            more = {"transB": 1}
        elif op.kind in ("flatten", "log_softmax"):
            more = {"axis": 1}
        return self.add(_NAMES[op.kind], value, *weights, **more)

    def _affine(self, op: Operation, value: str) -> str:
        wide = (1, -1) if value in self._flat else (1, -1, 1, 1)
        scaled = self.add("Mul", value, self.weight(op.weight.reshape(wide)))
        return self.add("Add", scaled, self.weight(op.bias.reshape(wide)))

    def rename(self, old: str, new: str) -> None:
        """The last value gets the name of the output."""
        operator, inputs, out, attributes = self._nodes[-1]
        assert out == old
        self._nodes[-1] = operator, inputs, new, attributes

    def nodes(self) -> Iterator[bytes]:
        """NodeProtos."""
        for operator, inputs, out, attributes in self._nodes:
            parts = [text(1, name) for name in inputs] + [text(2, out), text(3, f"to_{out}"), text(4, operator)]
            yield b"".join([*parts, *(message(5, _attribute(*pair)) for pair in attributes.items())])


def window(
    kernel: tuple[int, int], padding: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """The attributes of a convolution or a pool; what is usual is left out."""
    found: dict[str, Any] = {"kernel_shape": kernel, "pads": padding * 2, "strides": stride}
    found |= {"dilations": dilation} if dilation != (1, 1) else {}
    return found | ({"group": groups} if groups > 1 else {})


def _attribute(name: str, value: float | int | Sequence[int]) -> bytes:
    if isinstance(value, float):
        return text(1, name) + b"\x15" + struct.pack("<f", value) + number(20, _FLOAT)
    if isinstance(value, int):
        return text(1, name) + number(3, value) + number(20, _INT)
    return text(1, name) + b"".join(number(8, one) for one in value) + number(20, _INTS)


def _value(name: str, kind: int, shape: tuple[int, ...]) -> bytes:
    """A ValueInfoProto: any number of images, then the shape of each."""
    dims = [message(1, text(2, "N")), *(message(1, number(1, side)) for side in shape)]
    tensor = number(1, kind) + message(2, b"".join(dims))
    return text(1, name) + message(2, message(1, tensor))


# ------------------------------------------------------------------ protobuf: a key and a value, one after the other


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(key: int, value: int) -> bytes:
    """A whole number, not negative."""
    return varint(key << 3) + varint(value)


def message(key: int, content: bytes) -> bytes:
    """Bytes, or a message in the message."""
    return varint(key << 3 | 2) + varint(len(content)) + content


def text(key: int, words: str) -> bytes:
    """A string."""
    return message(key, words.encode())
