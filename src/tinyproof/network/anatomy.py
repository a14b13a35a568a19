"""Anatomy of a network: layers, output shapes, parameters, multiply-adds, receptive field, memory. Any nn.Module."""

from __future__ import annotations

import contextlib
import math
import sys
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tinyproof.core.errors import DataError, said
from tinyproof.core.table import Cell, Column, Table
from tinyproof.network.budget import WEIGHT_MATRIX, WEIGHT_MATRIX_PERHAPS, Facts
from tinyproof.network.forward_pass import Count, Trace
from tinyproof.network.functional import Call, Watching, spent
from tinyproof.network.operator_call import tensors
from tinyproof.network.receptive_field import NotKnown


@dataclass(frozen=True)
class Layer:
    """One layer as it was called: its output shape (without the batch) and what it costs for one image.

    `parameters` counts a shared weight where it is first used; `macs` are multiply-adds of convolutions and matrix
    products (None: not known). `receptive_field`: pixels of the input, along the side where they are more, that one
    output value sees; `jump`: pixels of the input between two neighbouring outputs; None where a layer has no place in
    the image any more, or where `place_known` is false. `own`: not one of torch's layers or functions.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int | None
    receptive_field: int | None
    jump: int | float | None
    place_known: bool = True
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """All layers, the totals, the shape of one image's answer, and the memory in bytes for one image (float32):
    activations forward, and with gradients.

    None: not known. `weight_matrix`: values are multiplied by a matrix of weights, as a fully connected layer does.
    """

    layers: tuple[Layer, ...]
    parameters: int
    trainable: int
    macs: int | None
    weight_bytes: int
    forward_bytes: int
    backward_bytes: int
    dropout_active: bool
    global_average_pooling: bool | None
    weight_matrix: bool | None
    output: tuple[int, ...]

    def table(self) -> Table:
        """The layers as a table with totals."""
        columns = (
            Column("layer"), Column("kind"), Column("output"), Column("parameters", "right", ","),
            Column("MACs", "right", ","), Column("receptive field", "right"), Column("jump", "right"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for x in self.layers:
            place = (x.receptive_field, x.jump) if x.place_known else ("?", "?")
            rows.append((x.name, x.kind, " x ".join(map(str, x.output)), x.parameters, _cell(x.macs), *place))
        return Table("", columns, tuple(rows), (("total", "", "", self.parameters, _cell(self.macs), None, None),))

    def facts(self, epochs: int | None = None, accuracy_percent: float | None = None) -> Facts:
        """What a budget is checked against."""
        kinds = [f"own {layer.kind}" if layer.own else layer.kind for layer in self.layers]
        if self.weight_matrix is not False and not any("Linear" in layer.kind for layer in self.layers):
            kinds.append(WEIGHT_MATRIX if self.weight_matrix else WEIGHT_MATRIX_PERHAPS)
        return Facts(
            parameters=self.parameters,
            bytes=self.weight_bytes,
            macs=self.macs,
            epochs=epochs,
            accuracy_percent=accuracy_percent,
            kinds=tuple(dict.fromkeys(kinds)),
            dropout_active=self.dropout_active,
            global_average_pooling=self.global_average_pooling,
        )


def parameters(module: nn.Module) -> int:
    """The number of parameters; a shared one is counted once."""
    return sum(p.numel() for p in module.parameters())


def summary(module: nn.Module, input_shape: tuple[int, ...] = (1, 28, 28)) -> Anatomy:
    """Run one empty image through the network and write down every layer in the order of its calls.

    Raises DataError when the network does not take `input_shape` (channels, height, width).
    """
    training = module.training
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    image = torch.zeros(1, *input_shape, device=device)
    trace = Trace(image, module.parameters())
    walk = _Walk(module, trace)
    leaves = [m for m in module.modules() if not list(m.children()) or isinstance(m, nn.MultiheadAttention)]
    leaves = [m for m in leaves if not isinstance(m, torch.jit.ScriptModule)]
    hooks = [m.register_forward_hook(walk.visit) for m in leaves]
    hooks += [m.register_forward_pre_hook(walk.enter) for m in leaves]
    try:
        module.eval()
        with torch.no_grad(), _uncompiled(), trace, Watching(lambda: walk.inside > 0, walk.called, lambda: trace.count):
            answer = module(image)
            trace.end(answer)
    except (Exception, SystemExit) as error:
        shape = " x ".join(map(str, input_shape))
        raise DataError(type(module).__name__, f"does not take an image of {shape}: {said(error)}") from error
    finally:
        for hook in hooks:
            hook.remove()
        module.train(training)
    own = list(module.parameters())
    weights = sum(t.numel() * t.element_size() for t in [*own, *module.buffers()])
    values = 4 * sum(math.prod(layer.output) for layer in walk.layers)
    return Anatomy(
        layers=tuple(walk.layers),
        parameters=sum(p.numel() for p in own),
        trainable=sum(p.numel() for p in own if p.requires_grad),
        macs=spent(Count(0, 0, 0), trace.count),
        weight_bytes=weights,
        forward_bytes=values,
        backward_bytes=2 * values,
        dropout_active=walk.drops,
        global_average_pooling=trace.global_average,
        weight_matrix=trace.weight_matrix,
        output=tuple(answer.shape[1:]) if isinstance(answer, Tensor) else (),
    )


def _uncompiled() -> contextlib.AbstractContextManager[Any]:
    """Compiled parts of a network run as they are written, so that every operator is seen."""
    set_stance = getattr(torch.compiler, "set_stance", None)  # since torch 2.6
    loaded = "torch._dynamo" in sys.modules  # else nothing of it was compiled
    return set_stance("force_eager") if loaded and set_stance else contextlib.nullcontext()


class _Walk:
    """Visits layers, and functions that do a layer's work, in the order of their calls."""

    def __init__(self, module: nn.Module, trace: Trace) -> None:
        self.names = {m: name or type(module).__name__ for name, m in module.named_modules()}
        self.layers: list[Layer] = []
        self.counted: set[int] = set()
        self.trace = trace
        self.drops = False
        self.inside = 0
        # For each layer at work: the count when it began, and how many layers were listed.
        self.begun: list[tuple[Count, int]] = []

    def enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A layer begins. What one of torch's calls inside is the layer itself; a layer of your own is looked into."""
        self.inside += _of_torch(module)
        self.begun.append((self.trace.count, len(self.layers)))

    def called(self, call: Call, output: Tensor) -> None:
        """A function did what a layer might have done."""
        self.drops |= call.dropout_active
        self.layers.append(Layer("(function)", call.kind, call.output, 0, call.macs, *self._place(output)))

    def visit(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """A layer is done."""
        self.inside -= _of_torch(module)
        before, listed = self.begun.pop()
        first = next(tensors(output), None)
        if first is None:
            return
        fresh = [p for p in module.parameters() if id(p) not in self.counted]
        self.counted |= {id(p) for p in fresh}
        self.drops |= _drops(module)
        # What functions inside it cost stands in their own lines.
        theirs = [layer.macs for layer in self.layers[listed:]]
        macs = spent(before, self.trace.count)
        rest = None if macs is None or None in theirs else macs - sum(x or 0 for x in theirs)
        self.layers.append(
            Layer(
                self.names.get(module, "?"), type(module).__name__, tuple(first.shape[1:]),
                sum(p.numel() for p in fresh), rest, *self._place(first), own=not _of_torch(module),
            )
        )  # fmt: skip

    def _place(self, output: Tensor) -> tuple[int | None, int | float | None, bool]:
        try:
            layout = self.trace.layout(output)
        except NotKnown:
            return None, None, False
        return (layout.field, layout.jump, True) if layout else (None, None, True)


def _cell(value: int | None) -> Cell:
    return "?" if value is None else value


def _of_torch(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.nn.")


def _drops(module: nn.Module) -> bool:
    """Whether a layer that was called drops values in training."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    if isinstance(module, nn.RNNBase):
        return module.dropout > 0 and module.num_layers > 1
    return isinstance(module, nn.MultiheadAttention) and module.dropout > 0
