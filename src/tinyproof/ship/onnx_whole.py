"""A network in whole numbers as ONNX: before each operator its values are made numbers, after it bytes again (QDQ), so
that a runtime may compute it in either. The grids and the weights are those of the C."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinyproof.core.errors import DataError
from tinyproof.ship.c_stages import Size
from tinyproof.ship.onnx_activations import nodes
from tinyproof.ship.onnx_file import INT32, INT64, UINT8, Graph, framed, window
from tinyproof.ship.quantise import WHOLE_SLOPE, Grid, Integers, Quantised, Whole


def model_bytes(network: Quantised, model: str, classes: int, told: Mapping[str, str]) -> bytes:
    """A ModelProto from `images`, uint8 [N, channels, height, width], to `scores`, float32 [N, classes].

    `told`: what stands in the model's metadata. Raises DataError for what ends in rows of an image turned flat.
    """
    made = _Model(network)
    for whole in network.stages:
        made.stage(whole)
    value, _, flat = made.values[-1]
    if flat and network.chain.last[:2] != (1, 1):
        said = "cannot be exported to onnx-int8: no linear layer follows its flattening"
        raise DataError(model, said, "onnx, c and c-int8 take it")
    made.graph.rename(value if flat else made.graph.add("Flatten", value, axis=1), "scores")
    return framed(made.graph, network.chain.shape, classes, True, told)


# Weights stand as 1 to 255, zero at 128: of bytes and signed bytes, multiplied two by two, onnxruntime cuts the sums
# off at 16 bits on processors with AVX2 alone (scores were off by 3.2, and 1 class in 200).
_MIDDLE = 128


class _Model:
    """The graph as it grows. `values`: of each stage, after the images: the name, the size, and whether they are [N,
    features] now, in the order of the memory."""

    def __init__(self, network: Quantised) -> None:
        self.graph, self.flat = Graph(), False
        channels, rows, columns = network.chain.shape
        self.values = [(self.numbers("images", Grid(1.0, 0)), (rows, columns, channels), False)]

    def numbers(self, value: str, grid: Grid) -> str:
        """What bytes stand for."""
        return self.graph.add("DequantizeLinear", value, *self._steps(grid))

    def _steps(self, grid: Grid) -> tuple[str, str]:
        return self.graph.weight(np.array(grid.scale)), self.graph.weight(np.array(grid.zero), UINT8)

    def stage(self, whole: Whole) -> None:
        """The nodes of a stage, and its values as numbers again."""
        stage = whole.stage
        sizes = [(*stage.given[:2], channels) for channels in stage.channels] or [stage.given]
        taken = [self._shaped(number + 1, size) for number, size in zip(stage.takes, sizes, strict=True)]
        if stage.kind in ("add", "concat"):
            value = self.graph.joined(stage.kind, taken)
        else:
            value = self._computed(whole, taken[0])
        value = self._rectified(whole, value)
        if not whole.wide and value != taken[0]:
            value = self.numbers(self.graph.add("QuantizeLinear", value, *self._steps(whole.made)), whole.made)
        self.values.append((value, stage.made, self.flat))

    def _shaped(self, number: int, size: Size) -> str:
        """The values of a stage (0: the images) in a size that another one takes."""
        value, made, self.flat = self.values[number]
        if size == made:
            return value
        # The order of the memory: the channels of a pixel side by side.
        turned = self.graph.add("Transpose", value, perm=(0, 2, 3, 1)) if made[:2] != (1, 1) else value
        self.flat = True
        return self.graph.add("Flatten", turned, axis=1)

    def _computed(self, whole: Whole, value: str) -> str:
        stage = whole.stage
        if stage.kind == "pad":
            return self._padded(whole, value)
        if stage.kind == "conv":
            return self._conv(whole, value)
        if stage.kind == "scale":
            steps = whole.weight_scales
            factor, summand = whole.weight * steps, _summands(whole) * steps * whole.given.scale
            wide = (1, -1) if self.flat else (1, -1, 1, 1)
            scaled = self.graph.add("Mul", value, self.graph.weight(factor.reshape(wide)))
            return self.graph.add("Add", scaled, self.graph.weight(summand.reshape(wide)))
        if stage.kind == "rectify":
            return value
        if stage.kind == "activation":
            return nodes(stage.function, stage.alpha, value, self.graph.add, self.graph.weight)
        name = "MaxPool" if stage.kind == "max_pool" else "AveragePool"
        return self.graph.add(name, value, kernel_shape=stage.kernel, pads=(0, 0, 0, 0), strides=stage.stride)

    def _padded(self, whole: Whole, value: str) -> str:
        """Padding has one value; where channels have their own, they are added at the border."""
        above, beside = whole.stage.padding
        if not above and not beside:
            return value
        values = whole.given.scale * (whole.bias.astype(np.float64) - whole.given.zero)
        one = float(values[0]) if (values == values[0]).all() else 0.0
        pads = self.graph.weight(np.array([0, 0, above, beside] * 2), INT64)
        padded = self.graph.add("Pad", value, pads, self.graph.weight(np.array(one)))
        if (values == one).all():
            return padded
        rows, columns, channels = whole.stage.made
        border = np.broadcast_to(values[:, None, None], (channels, rows, columns)).copy()
        border[:, above : rows - above, beside : columns - beside] = 0
        return self.graph.add("Add", padded, self.graph.weight(border[None]))

    def _conv(self, whole: Whole, value: str) -> str:
        stage, steps = whole.stage, whole.weight_scales
        none = self.graph.weight(np.full(len(steps), _MIDDLE), UINT8)
        weight = whole.weight[:, 0, 0, :] if self.flat else whole.weight.transpose(0, 3, 1, 2)
        kept = self.graph.weight(weight.astype(np.int64) + _MIDDLE, UINT8)
        weights = self.graph.add("DequantizeLinear", kept, self.graph.weight(steps), none, axis=0)
        nought = self.graph.weight(np.zeros(len(steps)), INT32)
        summands = self.graph.weight(_summands(whole), INT32)
        scaled = self.graph.weight(steps * whole.given.scale)
        bias = self.graph.add("DequantizeLinear", summands, scaled, nought, axis=0)
        if self.flat:
            return self.graph.add("Gemm", value, weights, bias, transB=1)
        more = window(stage.kernel, stage.padding, stage.stride, stage.dilation, stage.groups)
        return self.graph.add("Conv", value, weights, bias, **more)

    def _rectified(self, whole: Whole, value: str) -> str:
        if whole.slope == WHOLE_SLOPE:
            return value
        if whole.slope:
            return self.graph.add("LeakyRelu", value, alpha=whole.slope / WHOLE_SLOPE)
        return self.graph.add("Relu", value)


def _summands(whole: Whole) -> Integers:
    """The summands of the numbers that bytes stand for: without what the grid's zero adds."""
    sums = whole.weight.astype(np.int64).reshape(len(whole.weight), -1).sum(1)
    found: Integers = whole.bias.astype(np.int64) + whole.given.zero * sums
    return found
